"""A recording beside the clip that was the camera: which picture is which, and was the face swapped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Frame, Pixels
from obs_facelive.geometry import box_of
from obs_facelive.home import Home
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.settings import Settings
from obs_facelive.track.tracker import Tracker
from obs_facelive.video import read_frames

SMALL = (64, 36)
"""Size at which pictures are searched for, without colour."""
HALF = (640, 360)
"""Size at which they are compared."""
SAME = 5.0
"""Mean difference, of 255, up to which two pictures of one thing differ after coding."""
CHANGED = 5.0
"""How many times more than its surroundings a swapped face differs, at the least: a bare one about twice, a swapped one 19."""


@dataclass(frozen=True)
class Pair:
    """A recorded picture and the clip's picture that it was made of.

    Attributes
    ----------
    recorded, clip : their numbers
    face, around : mean difference inside the face and everywhere else (but the badge's corner), of 255
    """

    recorded: int
    clip: int
    face: float
    around: float

    @property
    def swapped(self) -> bool:
        """Whether the face is another one, and the rest is the same."""
        return self.around < SAME and self.face > CHANGED * max(self.around, 1.0)


def compare(home: Home, clip: Path, recording: Path) -> list[Pair]:
    """A pair for each picture of ``recording``."""
    numbers, small, half, boxes = [], [], [], []
    for frame, box in _faces(home, read_frames(clip)):
        numbers.append(frame.id)
        small.append(_grey(frame.pixels))
        half.append(_shrink(frame.pixels, HALF))
        boxes.append(box)
    searched = np.array(small, np.float32)
    outside = np.array([_outside(box, SMALL) for box in boxes], np.float32)
    area = outside.sum(axis=(1, 2))
    pairs = []
    for frame in read_frames(recording):
        cost = (np.abs(searched - _grey(frame.pixels)) * outside).sum(axis=(1, 2)) / area
        best = int(np.argmin(cost))
        difference = np.abs(half[best].astype(np.float32) - _shrink(frame.pixels, HALF)).mean(axis=2)
        face = difference[_inner(boxes[best], HALF)].mean()
        around = difference[_outside(boxes[best], HALF)].mean()
        pairs.append(Pair(frame.id, numbers[best], round(float(face), 2), round(float(around), 2)))
    return pairs


def contact_sheet(clip: Path, recording: Path, pairs: list[Pair], path: Path, moments: int = 5) -> None:
    """Writes some pairs side by side: the clip above, the recording below."""
    chosen = [pairs[i] for i in np.linspace(0, len(pairs) - 1, moments + 2).astype(int)[1:-1]]
    rows = []
    for title, source, numbers in (
        ("camera", clip, [pair.clip for pair in chosen]),
        ("recorded by OBS", recording, [pair.recorded for pair in chosen]),
    ):
        wanted = {frame.id: frame.pixels for frame in read_frames(source) if frame.id in numbers}
        row = np.hstack([_shrink(wanted[number], (480, 270)) for number in numbers])
        cv2.rectangle(row, (0, 242), (20 + 10 * len(title), 270), (0, 0, 0), cv2.FILLED)
        cv2.putText(row, title, (10, 262), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1, cv2.LINE_AA)
        rows.append(row)
    cv2.imwrite(str(path), np.vstack(rows))


def remux(source: Path, target: Path) -> None:
    """``source`` in the container that ``target``'s name says, nothing coded anew."""
    with av.open(str(source)) as old, av.open(str(target), "w", options={"movflags": "+faststart"}) as new:
        streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
        for packet in old.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream.index]
                new.mux(packet)


def _faces(home: Home, frames: Iterable[Frame]) -> Iterator[tuple[Frame, npt.NDArray[np.float32]]]:
    """Each frame with the box of its face, x0 y0 x1 y1 in parts of width and height."""
    tracker, detector, landmarker = Tracker(), BlazeFace(home.models), FaceMesh(home.models)
    for frame in frames:
        faces = tracker.follow(frame, Settings(), detector.detect, landmarker.landmarks)
        if faces:
            sides = np.array([frame.width, frame.height, frame.width, frame.height], np.float32)
            yield frame, np.asarray(box_of(faces[0].points) / sides, np.float32)


def _shrink(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    return np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)[..., :3])


def _grey(pixels: Pixels) -> npt.NDArray[np.float32]:
    return np.asarray(_shrink(pixels, SMALL).mean(axis=2), np.float32)


def _inside(box: npt.NDArray[np.float32], grow: float, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    width, height = size
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * grow
    y, x = (np.mgrid[:height, :width] + 0.5) / np.array([height, width]).reshape(2, 1, 1)
    return np.asarray((abs(x - centre[0]) < half[0]) & (abs(y - centre[1]) < half[1]))


def _inner(box: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where surely the persona's skin is."""
    return _inside(box, 0.7, size)


def _outside(box: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Where surely nothing was changed: neither the face nor the badge in the top right corner."""
    badge = _inside(np.array([0.85, 0.0, 1.0, 0.15], np.float32), 1.0, size)
    return ~_inside(box, 1.2, size) & ~badge
