"""What `obs_facelive.against` measured, for people: a table, how far the pictures are apart, and the pictures side by side."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np

from obs_facelive.against import Pictures
from obs_facelive.frame import Pixels

AROUND: Final = 0.4
"""Of the face's box, that is shown on each side of it."""
HEIGHT: Final = 480
"""Of the pictures side by side, in pixels."""
LOUDER: Final = 4
"""Times that differences are shown."""


def compared(pictures: Pictures) -> dict[str, float]:
    """Mean differences in the face's box, in levels of 0..255."""
    camera, theirs, ours = (_face(each, pictures, 0) for each in (pictures.camera, pictures.theirs, pictures.ours))
    return {
        "insightface_to_facelive": _apart(theirs, ours),
        "camera_to_insightface": _apart(camera, theirs),
        "camera_to_facelive": _apart(camera, ours),
    }


def side_by_side(pictures: Pictures) -> Pixels:
    """(HEIGHT, w, 4) BGRA: the camera's face, insightface's, ours, and how far the last two are apart."""
    parts = [_face(each, pictures, AROUND) for each in (pictures.camera, pictures.theirs, pictures.ours)]
    apart = np.clip(cv2.absdiff(parts[1], parts[2]).astype(np.int32) * LOUDER, 0, 255).astype(np.uint8)
    captions = "camera", "insightface (AI)", "FaceLive (AI)", f"difference x {LOUDER}"
    panels = []
    for part, caption in zip([*parts, apart], captions, strict=True):
        width = max(round(part.shape[1] * HEIGHT / part.shape[0]), 1)
        panel = cv2.resize(part, (width, HEIGHT), interpolation=cv2.INTER_AREA)
        panel[:32] = panel[:32] // 4
        cv2.putText(panel, caption, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,) * 3, 1, cv2.LINE_AA)
        panels.append(panel)
    return np.asarray(cv2.cvtColor(np.hstack(panels), cv2.COLOR_BGR2BGRA), np.uint8)


def table(result: dict[str, Any]) -> str:
    """``result`` for people."""
    theirs, ours = result["insightface_ms"], result["facelive_ms"]
    lines = [f"{'ms a frame':32}{'insightface':>12}{'FaceLive':>12}{'ratio':>8}"]
    for row in dict.fromkeys([*theirs, *ours]):
        one, other = theirs.get(row), ours.get(row)
        cells = "".join(f"{ms:12.2f}" if ms is not None else f"{'-':>12}" for ms in (one, other))
        lines.append(f"{row:32}{cells}" + (f"{other / one:8.2f}" if one and other is not None else ""))
    frame, ratio, apart = result["frame_ms"], result["ratio"], result["levels_apart"]
    lines.append(f"{'together':32}{frame['insightface']:12.2f}{frame['facelive']:12.2f}{ratio['frame']:8.2f}")
    lines.append(f"without the swapper's network, ratio {ratio['without_network']:.2f}")
    lines.append(f"crop, input, output and pasting, ratio {ratio['same_work']:.2f}")
    lines.append(
        f"the face in the last frame: {apart['insightface_to_facelive']:.1f} levels apart (from the camera's: insightface "
        f"{apart['camera_to_insightface']:.1f}, FaceLive {apart['camera_to_facelive']:.1f}); FaceLive matches the light and "
        "keeps what is in front"
    )
    if not result["detector"]:
        lines.append("insightface was given the face: no --detector")
    lines.append(
        f"{result['frames']} frames of {result['size'][0]}x{result['size'][1]}, face {result['face_px']} pixels high; "
        f"{result['swapper']}; {result['device']}, {result['threads']} threads; {result['machine']}"
    )
    return "\n".join(lines)


def _face(picture: Pixels, pictures: Pictures, around: float) -> Pixels:
    """The face's box, grown by the share ``around`` on each side, as far as it lies in the picture."""
    low, high = pictures.box[:2], pictures.box[2:]
    limits = picture.shape[1], picture.shape[0]
    x0, y0 = np.clip(low - (high - low) * around, 0, limits).astype(int)
    x1, y1 = np.clip(high + (high - low) * around, (x0 + 1, y0 + 1), limits).astype(int)
    return np.ascontiguousarray(picture[y0:y1, x0:x1])


def _apart(one: Pixels, other: Pixels) -> float:
    return round(float(np.abs(one.astype(np.int16) - other).mean()), 2)
