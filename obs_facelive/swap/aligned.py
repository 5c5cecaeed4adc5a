"""Swappers that are networks with a square picture in and one out: the face is laid into it, and the answer back over it."""

from __future__ import annotations

from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.catalog import ModelError
from obs_facelive.frame import Face, Frame, Layer, Pixels, Plane
from obs_facelive.settings import Settings
from obs_facelive.swap.align import crop, five_points, placement

FEATHER: Final = 0.08
"""Share of the crop's side over which it fades out towards its edge: the networks are not sure of themselves there."""
AROUND: Final = 4
"""Pixels around the face's points that a layer has."""
LEAST_MASK: Final = 0.5
"""Share of the middle of the face that a network's own mask must show, or the person is seen."""
LEAST_CHANGE: Final = 2.0
"""Levels that a network must change there in the mean: one that gives back what it got changes up to one, by rounding."""


class CropNetwork(Protocol):
    """A network that swaps the face in an aligned crop.

    Attributes
    ----------
    size : side of its picture in pixels
    template : where it wants the face, one of `obs_facelive.swap.align.TEMPLATES`
    """

    size: int
    template: str

    def run(self, picture: Pixels) -> tuple[Pixels, Plane | None]:
        """The persona, (size, size, 3) uint8 BGR, and its mask (size, size), if it has one, for a crop like the former."""
        ...


class AlignedSwapper:
    """Puts a network's face on live ones."""

    def __init__(self, network: CropNetwork) -> None:
        self._network = network
        self._edges: dict[int, Plane] = {}

    def swap(self, frame: Frame, face: Face, settings: Settings) -> Layer:
        """The network's face in place of ``face``, as far as its crop and the face lie in the frame.

        Raises `ModelError` where the network leaves the face bare.
        """
        network, boost = self._network, settings.pixel_boost
        size = network.size * boost
        five = five_points(face.points)
        matrix = placement(five, network.template, size)
        given = crop(frame.pixels, matrix, size)
        picture, mask = boosted(network, given, boost)
        if _bare(given, picture, mask, five @ matrix[:, :2].T + matrix[:, 2]):
            raise ModelError("the network left the face as it is, so it is not shown. Choose another engine.")
        edge = self._edge(size)
        mask = edge if mask is None else np.minimum(mask, edge)

        # The crop's corners in the frame; only what is inside them is looked at.
        back = cv2.invertAffineTransform(matrix)
        ends = np.array([[0, 0], [size, 0], [0, size], [size, size]]) - 0.5
        corners = ends @ back[:, :2].T + back[:, 2]
        limits = np.array([frame.width, frame.height])
        # Mergers show nothing beyond the face's outline.
        low = np.maximum(corners.min(0), face.points[:, :2].min(0) - AROUND)
        high = np.minimum(corners.max(0), face.points[:, :2].max(0) + AROUND)
        low = np.clip(np.floor(low), 0, limits).astype(int)
        high = np.clip(np.ceil(high), low, limits).astype(int)
        width, height = (high - low).tolist()
        if not width or not height:
            return Layer(
                int(low[0]), int(low[1]), np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
            )
        back[:, 2] -= low
        pixels = cv2.warpAffine(picture, back, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        shown = cv2.warpAffine(mask, back, (width, height), flags=cv2.INTER_LINEAR)
        return Layer(int(low[0]), int(low[1]), np.asarray(pixels, np.uint8), np.asarray(shown, np.uint8))

    def _edge(self, size: int) -> Plane:
        """(size, size): 255 in the middle, 0 at the edge."""
        if size not in self._edges:
            apart = np.minimum(np.arange(size), np.arange(size)[::-1]) / (size * FEATHER)
            ramp = np.clip(apart, 0, 1) ** 2 * (3 - 2 * np.clip(apart, 0, 1))
            self._edges[size] = np.asarray(np.round(np.outer(ramp, ramp) * 255), np.uint8)
        return self._edges[size]


def _bare(given: Pixels, picture: Pixels, mask: Plane | None, five: npt.NDArray[np.float64]) -> bool:
    """Whether the live person is still to be seen between their eyes and mouth, the ``five`` points in the crop ``given``."""
    middle = np.zeros(given.shape[:2], np.uint8)
    cv2.fillConvexPoly(middle, cv2.convexHull(np.round(five).astype(np.int32)), 255)
    change = np.mean(cv2.mean(cv2.absdiff(given, picture), middle)[:3])
    shown = 1.0 if mask is None else cv2.mean(mask, middle)[0] / 255
    return bool(change < LEAST_CHANGE or shown < LEAST_MASK)


def boosted(network: CropNetwork, picture: Pixels, boost: int) -> tuple[Pixels, Plane | None]:
    """The network's answer to a crop ``boost`` times as large as its own: every ``boost``-th pixel makes one of its pictures.

    All of them are run and woven together again (the field calls it pixel boost): ``boost`` squared runs.
    """
    if boost == 1:
        return network.run(picture)
    woven, woven_mask = np.empty_like(picture), np.empty(picture.shape[:2], np.uint8)
    masks = 0
    for row in range(boost):
        for column in range(boost):
            part, mask = network.run(np.ascontiguousarray(picture[row::boost, column::boost]))
            woven[row::boost, column::boost] = part
            if mask is not None:
                woven_mask[row::boost, column::boost] = mask
                masks += 1
    return woven, woven_mask if masks else None
