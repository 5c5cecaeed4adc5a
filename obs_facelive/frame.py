"""The nouns that flow through the pipeline. Struct of arrays, validated once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""Picture, shape (h, w, 4) BGRA or (h, w, 3) BGR, sRGB values 0..255, rows top down."""
Plane: TypeAlias = npt.NDArray[np.uint8]
"""One channel, shape (h, w), 0..255."""
Floats: TypeAlias = npt.NDArray[np.float32]
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom of a rectangle of pixels; right and bottom do not belong to it."""

LANDMARKS = 478
"""MediaPipe Face Mesh: 468 surface points, then 5 for each iris (468..472 the person's right, 473..477 the left)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the camera.

    Attributes
    ----------
    pixels : (h, w, 4) uint8, BGRA, read-only for the pipeline
    id : counts up by one for every picture that OBS rendered (offline: the picture's number)
    time : seconds on a monotonic clock (offline: the presentation time)
    """

    pixels: Pixels
    id: int
    time: float

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 4 or self.pixels.dtype != np.uint8:
            raise ValueError(f"a frame is (h, w, 4) uint8 BGRA, not {self.pixels.shape} {self.pixels.dtype}")

    @property
    def width(self) -> int:
        """Pixels per row."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])


@dataclass(frozen=True, slots=True)
class Detections:
    """What a detector found.

    Attributes
    ----------
    boxes : (n, 4) float32, x0 y0 x1 y1 in pixels, may reach over the picture's edge
    scores : (n,) float32, 0..1, falling
    eyes : (n, 2, 2) float32, centres of the eye on the picture's left and of the one on its right for an upright face
        (the person's right eye first), in pixels
    """

    boxes: Floats
    scores: Floats
    eyes: Floats

    def __post_init__(self) -> None:
        n = len(self.scores)
        if self.boxes.shape != (n, 4) or self.eyes.shape != (n, 2, 2):
            raise ValueError(f"shapes disagree: boxes {self.boxes.shape}, eyes {self.eyes.shape}, scores {n}")

    def __len__(self) -> int:
        return len(self.scores)


@dataclass(frozen=True, slots=True)
class Roi:
    """A square, turned region of the picture that holds one face.

    Attributes
    ----------
    x, y : its centre in pixels
    size : length of its side in pixels
    angle : radians; the direction of the face's left-to-right axis, clockwise on the screen (y grows downwards)
    """

    x: float
    y: float
    size: float
    angle: float


@dataclass(frozen=True, slots=True)
class Landmarks:
    """A landmarker's answer for one region.

    Attributes
    ----------
    points : (478, 3) float32; x, y in picture pixels (pixel centres at .5: OpenCV's coordinates plus one half),
        z in the same scale, smaller is nearer to the camera
    score : 0..1, how sure it is that there is a face
    """

    points: Floats
    score: float

    def __post_init__(self) -> None:
        if self.points.shape != (LANDMARKS, 3):
            raise ValueError(f"landmarks are ({LANDMARKS}, 3), not {self.points.shape}")


@dataclass(frozen=True, slots=True)
class Surface:
    """A live face laid out flat, in the canonical face's texture coordinates.

    Attributes
    ----------
    live : (s, s, 3) uint8 BGR, 0 where the face has no surface
    hidden : (t, t) uint8, 255 where something lies in front of the face
    """

    live: Pixels
    hidden: Plane


@dataclass(frozen=True, slots=True)
class Face:
    """One tracked face in one frame.

    Attributes
    ----------
    track : the same number for the same face over time
    points : (478, 3) float32 as in `Landmarks`, smoothed over time
    blendshapes : (52,) float32 0..1, ARKit names as in `obs_facelive.landmark.BLENDSHAPES`; zeros where not computed
    score : 0..1
    surface : what the face looks like now, and what hides it; None where nobody looked
    """

    track: int
    points: Floats
    blendshapes: Floats
    score: float
    surface: Surface | None = None

    def __post_init__(self) -> None:
        if self.points.shape != (LANDMARKS, 3) or self.blendshapes.shape != (52,):
            raise ValueError(
                f"a face has ({LANDMARKS}, 3) points and 52 blendshapes, not {self.points.shape}, {self.blendshapes.shape}"
            )


@dataclass(frozen=True, slots=True)
class Layer:
    """A swapper's picture of one face, laid on the frame's own pixel grid, not yet blended.

    Attributes
    ----------
    x, y : the frame's pixel that the layer's top left pixel lies on; the layer lies wholly inside the frame
    pixels : (h, w, 3) uint8 BGR
    mask : (h, w) uint8, 255 where `pixels` is the persona, 0 where the swapper has nothing
    grain : standard deviation, in levels, of the noise that the camera's picture has and `pixels` has not
    """

    x: int
    y: int
    pixels: Pixels
    mask: Plane
    grain: float = 0.0


@dataclass(frozen=True, slots=True)
class Patch:
    """A finished rectangle of the frame, to be drawn over it as it is.

    Attributes
    ----------
    x, y : the frame's pixel that the patch's top left pixel lies on; the patch lies wholly inside the frame
    pixels : (h, w, 4) uint8 BGRA
    """

    x: int
    y: int
    pixels: Pixels
