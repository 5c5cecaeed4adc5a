"""Compiles what numba compiles, so that neither OBS's first start nor the first swap waits: ``python -m tools.warm``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from obs_facelive.engine.stages import Stages
from obs_facelive.frame import Face, Frame
from obs_facelive.home import Home
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import read_word, write_word
from obs_facelive.mask.occlusion import Occlusion
from obs_facelive.obs.filter import warm
from obs_facelive.provenance.mark import Mark
from obs_facelive.settings import Settings
from obs_facelive.shape.reshape import Reshape
from obs_facelive.swap.rewarp import rewarp
from obs_facelive.topology import load_canonical_face
from obs_facelive.track.registration import Registration


def warm_engine(home: Home) -> None:
    """One swap of a face with the canonical shape in an empty picture: every kernel of the engine is compiled."""
    stages = Stages(home, "cpu")
    settings = Settings()
    pipeline = stages.pipeline(settings)
    pixels = np.full((480, 640, 4), 128, np.uint8)
    pixels.flags.writeable = False  # as OBS's pictures are: numba compiles for that, too
    frame = Frame(pixels, 0, 0.0)
    pipeline.process(frame, settings)
    canonical = load_canonical_face(home.models)
    xyz = canonical.xyz
    points = np.zeros((478, 3), np.float32)
    points[:468] = np.array([320, 240, 0]) + xyz * np.array([12, -12, -12])
    eyes = np.array([[0, 5, 0], [6, 5, 0], [0, -1, 0], [-6, 5, 0], [0, 11, 0]])
    points[468:473], points[473:] = points[159] + eyes, points[386] + eyes
    face = Face(1, points, np.zeros(52, np.float32), 1.0)
    registration, occlusion, skin = Registration(canonical), Occlusion(home.models, canonical), None
    for number in range(3):
        moved = replace(frame, id=number, time=number / 30)
        _, skin = registration(moved, points, skin)
        face = replace(face, surface=occlusion.look(moved, face))
        for scale in (0.1, 4.0):  # faces that are drawn out, and such that are averaged first
            occlusion.look(moved, replace(face, track=2, points=points * np.float32(scale)))
    assert face.surface
    face = replace(face, surface=replace(face.surface, hidden=np.full_like(face.surface.hidden, 255)))
    reshaped = Reshape(xyz * np.float32(1.05), canonical)(frame, [face], 1.0)
    frame, face = reshaped.frame, reshaped.faces[0]
    layer = pipeline.swapper.swap(frame, face, settings)
    Mark(canonical)([face], [pipeline.merger.merge(frame, face, layer, settings)])
    rewarp(layer, points, points, frame.width, frame.height)
    word = np.zeros(at.HEADER_WORDS, np.int64)
    write_word(word.ctypes.data, 1)
    assert read_word(word.ctypes.data) == 1


if __name__ == "__main__":
    home = Home.find()
    warm(home)
    print("callbacks compiled", flush=True)
    warm_engine(home)
    print("engine compiled")
