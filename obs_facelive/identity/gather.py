"""Looks at the owner out of pictures, videos and a camera, for an enrolment on the command line."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from obs_facelive import video
from obs_facelive.detect.blazeface import BlazeFace
from obs_facelive.frame import Floats, Frame
from obs_facelive.geometry import roi_of_detection
from obs_facelive.identity.collector import LONGEST, Collector
from obs_facelive.identity.enrolment import Enrolment, EnrolmentError
from obs_facelive.identity.recogniser import Recogniser
from obs_facelive.image import IMAGES, ImageError, read_image
from obs_facelive.landmark.facemesh import FaceMesh
from obs_facelive.settings import Settings
from obs_facelive.topology import load_canonical_face
from obs_facelive.track.tracker import Tracker, look_closely
from obs_facelive.video import VideoError

_VIDEO_SECONDS: Final = 20.0
"""Of a video that are looked at."""
_VIDEO_EVERY: Final = 0.4
_WARM_UP: Final = 10
"""Pictures that a camera gets to find its exposure."""


class Gatherer:
    """Enrols from files and cameras."""

    def __init__(self, models: Path) -> None:
        """Opens the networks in the folder ``models``. Raises `obs_facelive.catalog.ModelError`."""
        self._recogniser, self._canonical = Recogniser(models), load_canonical_face(models)
        self._detector, self._landmarker = BlazeFace(models), FaceMesh(models)

    def files(self, paths: Iterable[Path]) -> Enrolment:
        """Out of pictures and videos of one person, alone in them. Raises `EnrolmentError`."""
        poses: list[Floats] = []
        for path in paths:
            try:
                poses += self._picture(path) if path.suffix.lower() in IMAGES else self._video(path)
            except (ImageError, VideoError) as error:
                raise EnrolmentError(str(error)) from error
        return Enrolment.of(poses)

    def camera(self, number: int) -> Enrolment:
        """Out of two seconds of the camera ``number``, counted from 0 by the operating system. Raises `EnrolmentError`."""
        collector = Collector(lambda: self._recogniser)
        with closing(_camera(number)) as frames:
            self._watch(frames, collector)
        return collector.enrolment()

    def _picture(self, path: Path) -> list[Floats]:
        pixels = read_image(path)
        found = self._detector.detect(pixels)
        if not len(found):
            raise EnrolmentError(f"no face was found in {path}")
        if len(found) > 1:
            raise EnrolmentError(f"there are {len(found)} faces in {path}: choose pictures with you alone")
        seen = look_closely(pixels, roi_of_detection(found.boxes[0], found.eyes[0]), self._landmarker.landmarks)
        if seen is None:
            raise EnrolmentError(f"the face in {path} is not seen well enough")
        return [self._recogniser.embed(pixels, seen.points)]

    def _video(self, path: Path) -> list[Floats]:
        collector = Collector(lambda: self._recogniser, _VIDEO_SECONDS, _VIDEO_EVERY)
        self._watch(video.read_frames(path), collector)
        return collector.poses

    def _watch(self, frames: Iterable[Frame], collector: Collector) -> None:
        tracker = Tracker()
        for frame in frames:
            faces = tracker.follow(frame, Settings(), self._detector.detect, self._landmarker.landmarks)
            collector.look(frame, faces, self._canonical)
            if collector.finished:
                break


def _camera(number: int) -> Generator[Frame, None, None]:
    """A camera's pictures, for as long as an enrolment may take. Raises `EnrolmentError`."""
    camera = cv2.VideoCapture(number)
    try:
        began = 0.0
        for count in range(round((LONGEST + 2) * 60)):
            good, picture = camera.read()
            if not good:
                raise EnrolmentError(
                    f"camera {number} gives no picture: another program may use it (OBS?). Use the button in OBS's panel then"
                )
            now = cv2.getTickCount() / cv2.getTickFrequency()
            began = began or now
            if count < _WARM_UP:
                continue
            if now - began > LONGEST + 2:
                break
            yield Frame(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA), np.uint8), count, now)
    finally:
        camera.release()
