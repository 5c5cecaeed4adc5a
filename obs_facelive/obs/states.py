"""Which picture is shown: the one decision that keeps the bare face in. Pure; compiled into the render callback.

==========  =============================================================
LIVE        the frame with the engine's patches
HOLDING     the last such picture, for a limited time
COVERING    the camera, blurred beyond recognition, with a caption
BYPASS      the bare camera: only by an explicit choice of the person
==========  =============================================================
"""

from __future__ import annotations

from typing import Final

from numba import njit

from obs_facelive.link.layout import FAILED, LOADING, NO_FACE, TURNED
from obs_facelive.obs.rows import (
    BYPASS,
    CAMERA,
    COVER,
    COVERING,
    ENGINE_RUNNING,
    HOLDING,
    LIVE,
)

(
    WHY_NOTHING,
    WHY_STARTING,
    WHY_NO_FACE,
    WHY_OFF,
    WHY_ENGINE,
    WHY_ERROR,
    WHY_SLOW,
    WHY_NO_SCRIPT,
    WHY_TURNED,
) = range(9)
REASONS: Final = (
    "",
    "starting",
    "no face",
    "swap is off",
    "engine is restarting",
    "error",
    "engine is slow",
    "script is missing",
    "face is turned away",
)
"""Words for a status line, by reason."""

FRESH_NS: Final = 300_000_000
"""A picture is LIVE while its result is younger than this; then it is being held."""


@njit(cache=True, nogil=True)
def decide(
    swap: int,
    privacy: int,
    no_face_choice: int,
    hold_ns: int,
    has_picture: int,
    picture_is_raw: int,
    picture_age_ns: int,
    last_status: int,
    engine: int,
    supervised: int,
) -> tuple[int, int]:
    """(state, reason).

    Parameters
    ----------
    swap, privacy : the person's switches, 0 or 1
    no_face_choice : `rows.HOLD`, `rows.COVER` or `rows.CAMERA`
    has_picture : 1 if a finished picture is in the ring
    picture_is_raw : 1 if that picture is a bare frame in which the engine found no face
    picture_age_ns : since its result arrived
    last_status : of the newest result (`obs_facelive.link.layout`), 0 before the first
    engine : `rows.ENGINE_ABSENT`, ...
    supervised : 0 when the script is not loaded
    """
    if swap == 0:
        return (COVERING, WHY_OFF) if privacy else (BYPASS, WHY_OFF)
    if supervised == 0:
        reason = WHY_NO_SCRIPT
    elif engine != ENGINE_RUNNING:
        reason = WHY_ENGINE if last_status else WHY_STARTING
    elif last_status == NO_FACE:
        reason = WHY_NO_FACE
    elif last_status == TURNED:
        reason = WHY_TURNED
    elif last_status == FAILED:
        reason = WHY_ERROR
    elif last_status in (0, LOADING):
        reason = WHY_STARTING
    else:
        reason = WHY_SLOW
    if has_picture == 0:
        return COVERING, reason
    if picture_is_raw:
        if no_face_choice == CAMERA and picture_age_ns < FRESH_NS:
            return BYPASS, WHY_NO_FACE
        return COVERING, reason
    without = last_status in (NO_FACE, TURNED)
    if without and no_face_choice == COVER:
        return COVERING, reason
    if picture_age_ns < FRESH_NS and not without:
        return LIVE, WHY_NOTHING
    if picture_age_ns < hold_ns:
        return HOLDING, reason
    return COVERING, reason
