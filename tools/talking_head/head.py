"""The geometry of the talking head: a portrait as a mesh in space, its expressions and its pose.

Lengths are pixels of the portrait (`SIZE` square, the face about 440 wide). x grows to the right, y down, z away from the
viewer, as Face Mesh has it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Floats
from obs_facelive.geometry import similarity
from obs_facelive.topology import CHIN, FACE_OVAL, LIPS_INNER, RIGID, CanonicalFace, Indices
from tools.talking_head.motion import Motion
from tools.talking_head.person import SIZE, Person

Vertices = npt.NDArray[np.float64]

MARGIN = 160
"""How far the mesh goes on beyond the portrait's edges: the shoulders of somebody who sits farther away."""
_STEP = 26
"""Between the vertices outside of the face."""
_SIDE_DEPTH = (50.0, 0.7)
"""Behind the first depth, Face Mesh's cheeks and temples run back too steeply; they are pressed together by the second."""

_UPPER_LIDS = ((246, 161, 160, 159, 158, 157, 173), (466, 388, 387, 386, 385, 384, 398))
_LOWER_LIDS = ((7, 163, 144, 145, 153, 154, 155), (249, 390, 373, 374, 380, 381, 382))
_CREASES = ((247, 30, 29, 27, 28, 56, 190), (467, 260, 259, 257, 258, 286, 414))
_UPPER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
_LOWER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)
_EYE_CORNERS = (33, 263)
_CHEEKBONES = (50, 280)
_EARS = (234, 454)
_EAR_LOBES = (132, 361)
_JAW_ANGLES = (172, 397)
_BROW_BONE = 9
_NOSE_BRIDGE = 168

_DISTANCE = 2500.0
"""From the camera to the face: six face widths, about arm's length."""
_BODY_SHARE = np.radians([0.16, 0.10, 0.08])
"""How much of the head's yaw, pitch and roll the shoulders take part in."""


def smoothstep(low: float, high: float, x: npt.NDArray[np.floating]) -> Vertices:
    """0 up to ``low``, 1 from ``high`` on (which may be the smaller one), smooth between."""
    t = np.clip((x.astype(np.float64) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


class Head:
    """The mesh of one person.

    Attributes
    ----------
    rest : (n, 3), the neutral face's 478 points first, then hair, neck and shoulders
    triangles : (m, 3) int32, the mouth left open
    face : (k, 3) int32, those of them that make the face
    skull : (s, 3) and skull_triangles, the back of the head, that comes into view when the head turns
    """

    def __init__(self, person: Person, canonical: CanonicalFace, opacity: Floats) -> None:
        points = person.portrait.points.astype(np.float64)
        start, share = _SIDE_DEPTH
        points[:, 2] = np.minimum(points[:, 2], start) + np.maximum(points[:, 2] - start, 0) * share
        self._middle = float(points[[_BROW_BONE, CHIN, _NOSE_BRIDGE], 0].mean())
        self._ellipsoid = _ellipsoid(points, opacity, self._middle)
        outside = self._outside(points)
        reach = np.linalg.norm(outside[:, None, :2] - points[None, FACE_OVAL, :2], axis=2)
        near = 1 / (reach + 8) ** 3
        near /= near.sum(axis=1, keepdims=True)
        outside[:, 2] += (near @ self._depth_gap(points)) * np.exp(-reach.min(axis=1) / 60) * self._is_head(outside)
        self.rest: Vertices = np.concatenate([points, outside])
        self._drag = near * np.exp(-((reach.min(axis=1) / 45) ** 2))[:, None]
        inside_mouth = np.isin(canonical.triangles, LIPS_INNER).all(axis=1)
        self.face: Indices = canonical.triangles[~inside_mouth]
        self.triangles = _same_way_round(self.rest, np.concatenate([self.face, _surroundings(self.rest)]))
        neck_top, neck_base = points[list(_JAW_ANGLES), 1].mean() + 10, points[CHIN, 1] + 130
        self._turning = np.concatenate([np.ones(len(points)), smoothstep(neck_base, neck_top, outside[:, 1])])
        self._pivot = np.array([self._middle, points[list(_EAR_LOBES), 1].mean() + 40, self._ellipsoid[0][2] + 20])
        self._expressions = _expressions(person, points)
        gap = points[list(_LOWER_LIP)] - points[list(_UPPER_LIP)]
        self._closed_lips = points.copy()
        self._closed_lips[list(_UPPER_LIP)] += gap / 2
        self._closed_lips[list(_LOWER_LIP)] -= gap / 2
        self.skull, self.skull_triangles = self._back_of_head()

    @property
    def points(self) -> Vertices:
        """(478, 3) the neutral face."""
        return self.rest[:478]

    def shape(self, motion: Motion) -> Vertices:
        """The vertices with ``motion``'s expression, the head still straight."""
        face = self._closed_lips.copy()
        for name in ("smile", "jaw", "brows"):
            face += self._expressions[name] * getattr(motion, name)
        mouth = face[LIPS_INNER].mean(axis=0)
        near = motion.round * np.exp(-((face[:, :2] - mouth[:2]) ** 2).sum(axis=1) / (2 * 70**2))
        face[:, 0] -= (face[:, 0] - mouth[0]) * 0.28 * near
        face[:, 2] -= 16 * near
        for upper, lower, crease in zip(_UPPER_LIDS, _LOWER_LIDS, _CREASES, strict=True):
            gap = face[list(lower)] - face[list(upper)]
            face[list(upper)] += gap * 0.92 * motion.blink
            face[list(lower)] -= gap * 0.08 * motion.blink
            face[list(crease)] += gap * 0.30 * motion.blink
        shaped = self.rest.copy()
        shaped[:478] = face
        shaped[478:] += self._drag @ (face - self.points)[FACE_OVAL]
        return shaped

    def pose(self, vertices: Vertices, motion: Motion, turning: Vertices | None = None) -> Vertices:
        """``vertices`` (n, 3) turned and moved, then seen by a camera before the face: x and y from the picture's middle.

        ``turning`` (n,) is 1 for what turns with the head, 0 for the shoulders; `rest`'s own by default.
        """
        share = (self._turning if turning is None else turning)[:, None]
        angles = np.array([-motion.yaw, motion.pitch, motion.roll])
        (sy, sp, sr), (cy, cp, cr) = _sin_cos(np.radians(angles) * share + _BODY_SHARE * angles * (1 - share))
        x, y, z = (vertices - self._pivot).T
        x, y = cr * x - sr * y, sr * x + cr * y
        y, z = cp * y - sp * z, sp * y + cp * z
        x, z = cy * x + sy * z, cy * z - sy * x
        moved = np.stack([x, y, z], axis=1) + self._pivot + [motion.x, motion.y, motion.z]
        moved -= [self._middle, self.points[_NOSE_BRIDGE, 1], 0]
        moved[:, :2] *= _DISTANCE / (_DISTANCE + moved[:, 2:])
        return np.asarray(moved, np.float64)

    def _is_head(self, vertices: Vertices) -> Vertices:
        return smoothstep(self._chin - 20, self._jaw - 60, vertices[:, 1])

    def _outside(self, points: Vertices) -> Vertices:
        """A grid of vertices around the face's oval, on an ellipsoid (hair), a cylinder (neck) and a barrel (shoulders)."""
        self._jaw, self._chin = float(points[list(_JAW_ANGLES), 1].mean()), float(points[CHIN, 1])
        along = np.arange(-MARGIN, SIZE + MARGIN + 1, _STEP, dtype=np.float64)
        grid = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
        oval = points[FACE_OVAL, :2].astype(np.float32)
        inside = np.array([cv2.pointPolygonTest(oval, (float(x), float(y)), True) for x, y in grid])
        grid = grid[inside < -_STEP / 2]
        back = self._ellipsoid[0][2]
        across = grid[:, 0] - self._middle
        neck = back + 10 - 155 * np.sqrt(np.clip(1 - (across / 155) ** 2, 0, 1))
        shoulders = back - 40 - 60 * np.clip(1 - (across / 500) ** 2, -1, 1)
        low = smoothstep(self._chin + 10, self._chin + 150, grid[:, 1])
        is_head = self._is_head(grid)
        depth = self._front(grid) * is_head + (neck * (1 - low) + shoulders * low) * (1 - is_head)
        return np.column_stack([grid, depth])

    def _front(self, vertices: Vertices) -> Vertices:
        """Depth of the ellipsoid's front at x, y."""
        (x, y, z), (a, b, c) = self._ellipsoid
        down = np.where(vertices[:, 1] < y, b, 1.15 * b)
        inside = 1 - ((vertices[:, 0] - x) / a) ** 2 - ((vertices[:, 1] - y) / down) ** 2
        return np.asarray(z - c * np.sqrt(np.clip(inside, 0, 1)), np.float64)

    def _depth_gap(self, points: Vertices) -> Vertices:
        return np.asarray(points[FACE_OVAL, 2] - self._front(points[FACE_OVAL]), np.float64)

    def _back_of_head(self) -> tuple[Vertices, Indices]:
        (x, y, z), (a, b, c) = self._ellipsoid
        rows, columns = 24, 48
        down, around = np.meshgrid(
            np.linspace(0, np.pi, rows + 1), np.linspace(0, 2 * np.pi, columns + 1), indexing="ij"
        )
        height = np.where(np.cos(down) > 0, 0.985 * b, 0.5 * b)
        ball = np.stack(
            [
                x + 0.97 * a * np.sin(down) * np.cos(around),
                y - height * np.cos(down),
                z + 30 + 0.95 * c * np.sin(down) * np.sin(around),
            ],
            axis=-1,
        )
        first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
        below = first + columns + 1
        triangles = np.concatenate(
            [np.stack([first, first + 1, below], axis=1), np.stack([first + 1, below + 1, below], axis=1)]
        )
        return ball.reshape(-1, 3), triangles.astype(np.int32)


def _sin_cos(angles: Vertices) -> tuple[Vertices, Vertices]:
    return np.sin(angles.T), np.cos(angles.T)


def _ellipsoid(points: Vertices, opacity: Floats, middle: float) -> tuple[Vertices, Vertices]:
    """Centre and half axes of the head with its hair."""
    above_ears = opacity[: int(points[list(_EARS), 1].min())] > 0.5
    columns, rows = np.flatnonzero(above_ears.any(axis=0)), np.flatnonzero(above_ears.any(axis=1))
    y, z = points[list(_EYE_CORNERS), 1].mean(), points[list(_EARS), 2].mean() + 10
    axes = np.array([(columns[-1] - columns[0]) / 2, y - rows[0], z - points[_BROW_BONE, 2]])
    return np.array([middle, y, z]), axes


def _surroundings(rest: Vertices) -> Indices:
    """Triangles (Delaunay) between the face's oval and the vertices outside of it."""
    corner, side = -MARGIN - _STEP, SIZE + 2 * (MARGIN + _STEP)
    plane = cv2.Subdiv2D((corner, corner, side, side))
    place = rest[:, :2].astype(np.float32)
    used = [*(int(i) for i in FACE_OVAL), *range(478, len(rest))]
    number = {(float(place[i, 0]), float(place[i, 1])): i for i in used}
    plane.insert(list(number))
    corners = [
        [number.get((float(x), float(y)), -1) for x, y in t] for t in np.reshape(plane.getTriangleList(), (-1, 3, 2))
    ]
    triangles = np.array([t for t in corners if min(t) >= 0], np.int32)
    oval = place[FACE_OVAL]
    middles = place[triangles].mean(axis=1)
    outside = [cv2.pointPolygonTest(oval, (float(x), float(y)), False) < 0 for x, y in middles]
    return np.asarray(triangles[outside], np.int32)


def _same_way_round(vertices: Vertices, triangles: Indices) -> Indices:
    """``triangles`` with negative area on the screen, as `obs_facelive.swap.raster` draws them."""
    a, b, c = (vertices[triangles[:, k], :2] for k in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    return np.where(area[:, None] < 0, triangles, triangles[:, ::-1]).astype(np.int32)


def _expressions(person: Person, points: Vertices) -> dict[str, Vertices]:
    """How far each point moves for a smile, an open mouth, raised brows: (478, 3) each."""
    neutral = person.expressions["neutral"].points
    scale = np.linalg.norm(np.subtract(*points[list(_EYE_CORNERS), :2])) / np.linalg.norm(
        np.subtract(*neutral[list(_EYE_CORNERS), :2])
    )
    upper = upper_face(points, points[:, 1])[:, None]

    def moved(name: str) -> Vertices:
        seen = person.expressions[name].points
        matrix = similarity(seen[RIGID], neutral[RIGID])
        offset = (seen @ matrix[:, :3].T + matrix[:, 3] - neutral) * scale
        return np.asarray(offset * [1, 1, 0.8], np.float64)

    return {
        "smile": moved("happy"),
        "jaw": moved("surprised") * (1 - upper) * 1.35,
        "brows": moved("surprised") * upper,
    }


def upper_face(points: Vertices, rows: npt.NDArray[np.floating]) -> Vertices:
    """1 for ``rows`` (y) above the eyes of ``points``, 0 below the cheekbones."""
    return smoothstep(points[list(_CHEEKBONES), 1].mean(), points[list(_EYE_CORNERS), 1].mean(), rows)
