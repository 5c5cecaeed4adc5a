"""What the pipeline's steps hand on to each other: a frame that was looked at, swapped, and finished."""

from __future__ import annotations

from dataclasses import dataclass

from obs_facelive.frame import Face, Floats, Frame, Layer, Patch
from obs_facelive.shape.reshape import Reshaped


@dataclass(frozen=True, slots=True)
class Looked:
    """A frame that was looked at.

    Attributes
    ----------
    frame, faces : the chosen faces, with their blendshapes, in the frame that all further steps work on
    turned, enrolled, company : see `Outcome`
    reshaped : how ``frame`` differs from the camera's
    hide : boxes (4,) of faces that nobody may recognise
    """

    frame: Frame
    faces: list[Face]
    turned: bool = False
    reshaped: Reshaped | None = None
    hide: tuple[Floats, ...] = ()
    enrolled: bool = True
    company: bool = False


@dataclass(frozen=True, slots=True)
class Swapped:
    """The swapper's work on one looked-at frame.

    Attributes
    ----------
    layers : one for each of the faces
    """

    looked: Looked
    layers: list[Layer]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one frame.

    Attributes
    ----------
    faces : the chosen faces, in this frame
    patches : finished rectangles; empty if there is no face
    turned : one of the faces cannot be covered, since it looks too far aside, or was there a moment ago and is not found now:
        there are no patches, and the frame must not be shown
    enrolled : False: only the owner is to be swapped, and nobody knows who that is; the frame must not be shown
    company : there are other people in the frame
    """

    faces: list[Face]
    patches: list[Patch]
    turned: bool = False
    enrolled: bool = True
    company: bool = False
