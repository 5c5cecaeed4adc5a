"""Which picture is shown: the one decision that keeps the bare face in. Pure; compiled into OBS's render callback.

==========  =============================================================
LIVE        the frame with the engine's patches
HOLDING     the last such picture, for a limited time
COVERING    the camera, blurred beyond recognition, with a caption
BYPASS      the bare camera: only by an explicit choice of the person
==========  =============================================================
"""

from __future__ import annotations

from typing import Final, NamedTuple

from obs_facelive.link.layout import (
    FAILED,
    LOADING,
    NO_CONSENT,
    NO_FACE,
    NOT_ENROLLED,
    REFUSED,
    REMOVED,
    SWAPPED,
    TURNED,
    WITHDRAWN,
)

STARTING, LIVE, HOLDING, COVERING, BYPASS = range(5)
"""STARTING: nothing was drawn yet."""
STATE_NAMES: Final = ("cover", "live", "hold", "cover", "bypass")

HOLD, COVER, CAMERA = range(3)
"""What the person wants to be seen while there is no face."""
NO_FACE_CHOICES: Final = {"hold": HOLD, "cover": COVER, "camera": CAMERA}
ENGINE_ABSENT, ENGINE_STARTING, ENGINE_RUNNING = range(3)

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
    WHY_WITHDRAWN,
    WHY_NO_CONSENT,
    WHY_REMOVED,
    WHY_NOT_ENROLLED,
) = range(13)
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
    "consent withdrawn",
    "no consent",
    "persona was removed",
    "not enrolled",
)
"""Words for a status line and for the covered picture's caption, by reason."""

FRESH_NS: Final = 300_000_000
"""A picture is LIVE while its result is younger than this; then it is being held."""
AWAY_NS: Final = 1_000_000_000
"""Whoever was not drawn for so long comes back to another moment: nothing from before is shown."""


COVER_SIDE: Final = 3
"""The covered picture's shorter side in pixels at its smallest: a face that fills the frame keeps so many from chin to brow.
In 540 frames of 9 people, the embedded detector still found 251 faces with 8, 22 with 6, 4 with 4, and none with 3 (where its
highest score is .47; .6 counts as a face)."""
COVER_STEPS: Final = 8
"""Resizings of the picture until it is the covered one, which is then drawn at full size."""


def cover_size(width: int, height: int, step: int) -> tuple[int, int]:
    """Pixels of the picture after ``step`` (0 to `COVER_STEPS` - 1) of a source ``width`` x ``height`` pixels large, bilinear.

    Down by quarters, or a few pixels of the camera would stand for all the others, and tremble; up again in steps, or the
    straight lines between so few pixels would be seen.
    """
    short = min(width, height)
    if step >= COVER_STEPS - 3:
        larger = 4 ** (step - COVER_STEPS + 3)
        return (
            larger * min(32, max(1, width * COVER_SIDE // short)),
            larger * min(32, max(1, height * COVER_SIDE // short)),
        )
    for _ in range(step + 1):
        if min(width, height) > 4 * COVER_SIDE:
            width, height = width // 4, height // 4
    return width, height


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
    no_face_choice : `HOLD`, `COVER` or `CAMERA`
    has_picture : 1 if a finished picture is in the ring
    picture_is_raw : 1 if that picture is a bare frame in which the engine found no face
    picture_age_ns : since its result arrived
    last_status : of the newest result (`obs_facelive.link.layout`), 0 before the first
    engine : `ENGINE_ABSENT`, ...
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
    elif last_status == NOT_ENROLLED:
        reason = WHY_NOT_ENROLLED
    elif last_status == FAILED:
        reason = WHY_ERROR
    elif last_status in (0, LOADING):
        reason = WHY_STARTING
    elif last_status == WITHDRAWN:
        reason = WHY_WITHDRAWN
    elif last_status == NO_CONSENT:
        reason = WHY_NO_CONSENT
    elif last_status == REMOVED:
        reason = WHY_REMOVED
    else:
        reason = WHY_SLOW
    if has_picture == 0 or REFUSED <= last_status <= REMOVED:
        return COVERING, reason
    fresh = picture_age_ns < FRESH_NS
    if picture_is_raw:
        if no_face_choice == CAMERA and last_status == NO_FACE and fresh:
            return BYPASS, WHY_NO_FACE
        return COVERING, reason
    without = last_status in (NO_FACE, TURNED, NOT_ENROLLED)
    if without and no_face_choice == COVER:
        return COVERING, reason
    if fresh and not without:
        return LIVE, WHY_NOTHING
    if picture_age_ns < hold_ns:
        return HOLDING, reason
    return COVERING, reason


class Situation(NamedTuple):
    """What `decide` is asked, in its order; as it stands, all is well."""

    swap: int = 1
    privacy: int = 1
    no_face_choice: int = HOLD
    hold_ns: int = 1_000_000_000
    has_picture: int = 1
    picture_is_raw: int = 0
    picture_age_ns: int = 0
    last_status: int = SWAPPED
    engine: int = ENGINE_RUNNING
    supervised: int = 1


_NOTHING = Situation(has_picture=0, last_status=0)


class Cause(NamedTuple):
    """Something that happens, and how `decide` hears of it.

    Attributes
    ----------
    seen_as : which of its inputs say so, in words
    situation : its inputs at that moment; the picture's age grows from 0 until a new picture comes
    """

    name: str
    seen_as: str
    situation: Situation


CAUSES: Final = (
    Cause("starting", "no picture, no result, the engine is starting", _NOTHING._replace(engine=ENGINE_STARTING)),
    Cause("settings changed", "nothing: the picture before stays until one with the new settings comes", Situation()),
    Cause(
        "view no longer side by side",
        "no picture: those that may have the bare face in them are forgotten at once",
        _NOTHING,
    ),
    Cause(
        "model or persona loading, the first", "no picture; results say LOADING", _NOTHING._replace(last_status=LOADING)
    ),
    Cause(
        "model or persona loading, another", "nothing: the one before is worn until the new one is ready", Situation()
    ),
    Cause("no face yet", "no picture; results say NO_FACE", _NOTHING._replace(last_status=NO_FACE)),
    Cause("face lost", "results say NO_FACE; the picture gets older", Situation(last_status=NO_FACE)),
    Cause(
        "face lost, 'Cover at once' chosen",
        "results say NO_FACE",
        Situation(no_face_choice=COVER, last_status=NO_FACE),
    ),
    Cause(
        "no face, 'Show camera' chosen",
        "results say NO_FACE; the picture is a bare frame in which no face was found",
        Situation(no_face_choice=CAMERA, picture_is_raw=1, last_status=NO_FACE),
    ),
    Cause(
        "face turned too far aside, or hidden",
        "results say TURNED, whatever was chosen for no face; the picture gets older",
        Situation(no_face_choice=CAMERA, last_status=TURNED),
    ),
    Cause(
        "one face of several lost ('Which face: All')",
        "results say TURNED for a second; then the face counts as gone, and the others are swapped",
        Situation(last_status=TURNED),
    ),
    Cause(
        "consent of the worn persona withdrawn",
        "no picture, results say WITHDRAWN: the face is not held either",
        Situation(last_status=WITHDRAWN),
    ),
    Cause(
        "a real person's persona without a valid record, and no other is worn",
        "results say NO_CONSENT",
        _NOTHING._replace(last_status=NO_CONSENT),
    ),
    Cause(
        "the worn persona's folder is deleted",
        "no picture, results say REMOVED",
        Situation(last_status=REMOVED),
    ),
    Cause(
        "'Only me', and nobody is enrolled",
        "results say NOT_ENROLLED, whatever was chosen for no face; the picture gets older",
        Situation(no_face_choice=CAMERA, last_status=NOT_ENROLLED),
    ),
    Cause(
        "'Only me': the owner is not recognised yet, or was there a moment ago",
        "results say TURNED; the picture gets older",
        Situation(no_face_choice=CAMERA, last_status=TURNED),
    ),
    Cause(
        "'Only me': the owner has left", "results say NO_FACE, whoever else is there", Situation(last_status=NO_FACE)
    ),
    Cause("one face more", "nothing: the next result has patches for all", Situation()),
    Cause("engine slow", "no results; the picture gets older", Situation()),
    Cause(
        "engine hung",
        "no results; the picture gets older; it is killed 2 s after its last sign of life (a call that does not return: after "
        "10 s it gives none any more): next line",
        Situation(),
    ),
    Cause(
        "engine dead", "the engine is absent, then starting; the picture gets older", Situation(engine=ENGINE_ABSENT)
    ),
    Cause(
        "result for a frame that has left the ring",
        "nothing: it is not shown, and the picture gets older",
        Situation(),
    ),
    Cause("result torn, or not possible", "nothing: it is not shown, and the picture gets older", Situation()),
    Cause("error in the model", "results say FAILED; the picture gets older", Situation(last_status=FAILED)),
    Cause(
        "NaN or one flat colour from the model",
        "the engine refuses its work: results say FAILED",
        Situation(last_status=FAILED),
    ),
    Cause(
        "out of memory",
        "results say FAILED; where the system ended the engine instead, it is dead",
        Situation(last_status=FAILED),
    ),
    Cause("source's size changed", "no picture, no result: the ring is emptied", _NOTHING),
    Cause("FaceLive camera shows another source", "no picture, no result: the ring is emptied", _NOTHING),
    Cause(
        "scene switched, source inactive, filter or swap off: back within a second",
        "the picture's age, which went on growing",
        Situation(),
    ),
    Cause("the same, back after more than a second", "no picture, no result: the ring is emptied", _NOTHING),
    Cause("swap switched off", "swap is 0", Situation(swap=0)),
    Cause("swap switched off, privacy off", "swap and privacy are 0", Situation(swap=0, privacy=0)),
    Cause("script removed or being reloaded", "nobody supervises; the picture gets older", Situation(supervised=0)),
)
"""Everything that can go wrong, or on. ``docs/states.md`` is made from it, and tests go through it."""
