"""The embedded swapper: a persona's texture on the live face's mesh, in the live light."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from obs_facelive.frame import Face, Floats, Frame, Layer, Pixels
from obs_facelive.known_faces import KnownFaces
from obs_facelive.personas.library import Persona
from obs_facelive.settings import Settings
from obs_facelive.surface import Unwrapper
from obs_facelive.swap.camera import Camera, Textures, look
from obs_facelive.swap.expression import QUICK, ExpressionBank, activity, follow
from obs_facelive.swap.folds import LiveFolds, RestingFace
from obs_facelive.swap.light import LUMA, Light, LightReader, log_odds, skin_points, texture_light
from obs_facelive.swap.mouth import mix_mouths, mouth_gap, mouth_layout, mouth_triangles
from obs_facelive.swap.raster import draw, empty_depth, facing
from obs_facelive.topology import FACE_OVAL, CanonicalFace

FORGET = 1.0
"""Seconds after which a face that was not seen starts afresh."""
LIGHT_QUICK = 0.25
"""Seconds in which the persona's light follows the room's."""
LIPS_APART = 0.05
"""Gap between the lips, by width of the mouth, from which on something is seen between them."""
DARK = 0.8
"""Share of its skin's brightness below which a part of a persona is no skin, and does not change its hue with it."""
CAMERA_QUICK = 1.0
"""The same for what the camera does."""
LIGHT_AGAIN = 0.05
"""Seconds after which the light is read anew: at 30 frames a second, in every other one."""
LOOK_AGAIN = 0.1
"""Seconds after which that is measured anew."""


@dataclass(frozen=True, slots=True)
class _Room:
    """What the room and the camera do to one face; read at the time ``lit``, the camera's ways at ``looked``."""

    lit: float
    looked: float
    camera: Camera
    light: Light
    hair: Floats


@dataclass(frozen=True, slots=True)
class _Wearer:
    """What is remembered about one tracked face."""

    room: _Room
    weights: Floats
    resting: RestingFace
    folds: Floats | None


class MeshSwapper:
    """Puts one persona on live faces; remembers each face's light and expression to keep them steady."""

    def __init__(self, persona: Persona, canonical: CanonicalFace) -> None:
        self.persona = persona
        self._canonical = canonical
        self._reader = LightReader(canonical)
        self._bank = ExpressionBank(persona)
        self._folds = LiveFolds(canonical)
        self._wearers = KnownFaces[int, _Wearer](FORGET)
        self._dark = DARK * 255 / (1 + math.exp(-float(persona.skin @ LUMA)))
        self._textures = Textures(persona.texture, _bare(persona.texture, canonical))
        inside = mouth_triangles(canonical)
        self._around_mouth = np.ascontiguousarray(canonical.triangles[~inside])
        self._mouth_uv, self._mouth = mouth_layout(canonical)
        self._across = float(np.ptp(canonical.uv[:, 0]))
        # Towards the outline the persona takes on the colours that are there.
        outline = canonical.uv[FACE_OVAL]
        apart = np.linalg.norm(canonical.uv[:, None] - outline[None], axis=2).min(1)
        self._own = texture_light(persona.texture, canonical, self._reader).field
        self._edge = np.exp(-((apart / 0.19) ** 2)).astype(np.float32)[:, None]

        u, v = np.abs(canonical.uv[:, 0] - 0.5), canonical.uv[:, 1]
        forehead = np.clip((0.245 - v) / 0.03, 0, 1)
        temples = np.clip((u - 0.26) / 0.06, 0, 1) * np.clip((0.62 - v) / 0.06, 0, 1)
        self._hair_grows = np.maximum(forehead, temples) * (skin_points(canonical) > 0)
        # The far side of a turned head fades out; the far side of the nose has the cheek behind it.
        self._middle = np.clip((apart - 0.17) / 0.08, 0, 1).astype(np.float32)

    def swap(self, frame: Frame, face: Face, settings: Settings) -> Layer:
        """The persona in place of ``face``, as large as the part of the face that lies in the frame."""
        points = face.points[: len(self._canonical.uv)]
        low = np.clip(np.floor(points[:, :2].min(0)), 0, [frame.width, frame.height]).astype(int)
        high = np.clip(np.ceil(points[:, :2].max(0)), low, [frame.width, frame.height]).astype(int)
        width, height = high - low
        pixels, mask, grain = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8), 0.0
        if width and height:
            visible = facing(points, self._canonical.triangles)
            wearer = self._wearer(frame, face, visible)
            room = wearer.room
            vertices = np.empty((len(points), 6), np.float32)
            vertices[:, :2] = self._canonical.uv
            vertices[:, 2:5] = np.exp(self._relight(room, settings.colour_match / 100, settings.match_neck / 100))
            vertices[:, 5] = np.maximum(_smooth_step((visible + 0.02) / 0.14), self._middle) * (1 - room.hair)
            local = points - np.array([low[0], low[1], 0], np.float32)
            depth = empty_depth(height, width)
            gap = mouth_gap(face.points)
            opened = not settings.keep_mouth and gap > LIPS_APART
            side = float(np.ptp(points[:, 0])) / self._across
            texture = self._textures.at(side, room.camera)
            grain = math.sqrt(max(room.camera.grain**2 - texture.grain**2, 0.0))
            draw(
                local,
                self._around_mouth if opened else self._canonical.triangles,
                vertices,
                texture.pixels,
                self._bank.lines(
                    wearer.weights,
                    max(16, round(len(texture.pixels) * (1 - 0.4 * room.camera.softness))),
                    wearer.folds,
                ),
                room.camera.haze,
                self._dark,
                pixels,
                mask,
                depth,
            )
            # Without a picture of the persona's mouth there is nothing to show between the lips: the live mouth stays.
            if opened and len(self.persona.gaps):
                vertices[:, :2] = self._mouth_uv
                mouth = mix_mouths(self.persona.mouths, self.persona.gaps, gap)
                plain = np.ones((2, 2), np.float32)
                draw(local, self._mouth, vertices, mouth, plain, room.camera.haze, 0.0, pixels, mask, depth)
        return Layer(int(low[0]), int(low[1]), pixels, mask, grain)

    def _wearer(self, frame: Frame, face: Face, visible: Floats) -> _Wearer:
        old, elapsed = self._wearers.recall(face.track, frame.time) or (None, 0.0)
        weights = self._bank.weights(face.blendshapes - self.persona.neutral)
        resting = RestingFace()
        if old:
            resting = old.resting
            weights = follow(old.weights, weights, elapsed, QUICK)
        room = self._room(frame, face, visible, old.room if old else None)
        folds = None
        if face.surface:
            folds = resting.folds(self._folds, face.surface, visible, activity(face.blendshapes), elapsed)
        wearer = _Wearer(room, weights, resting, folds)
        self._wearers.keep(face.track, frame.time, wearer)
        return wearer

    def _room(self, frame: Frame, face: Face, visible: Floats, old: _Room | None) -> _Room:
        now = frame.time
        if old and now - old.lit < LIGHT_AGAIN:
            return old
        if old and now - old.looked < LOOK_AGAIN:
            camera, looked = old.camera, old.looked
        else:
            camera, looked = look(frame.pixels, face.points), now
            if old:
                camera = old.camera.towards(camera, now - old.looked, CAMERA_QUICK)
        colours = self._reader.sample(frame.pixels, face.points, camera.haze)
        light = self._reader.read(colours, np.clip(visible, 0, 1) * self._free(face))
        hair = self._hair(colours, light)
        if old:
            elapsed = now - old.lit
            hair = follow(old.hair, hair, elapsed, QUICK)
            light = Light(
                follow(old.light.mean, light.mean, elapsed, LIGHT_QUICK),
                follow(old.light.field, light.field, elapsed, LIGHT_QUICK),
            )
        return _Room(now, looked, camera, light, hair)

    def _free(self, face: Face) -> Floats:
        """(468,) float32 0..1: how far each point is not hidden."""
        if face.surface is None:
            return np.ones(len(self._canonical.uv), np.float32)
        hidden = face.surface.hidden
        columns, rows = np.clip((self._canonical.uv * len(hidden)).astype(int), 0, len(hidden) - 1).T
        return np.asarray(1 - hidden[rows, columns] * np.float32(1 / 255), np.float32)

    def _hair(self, colours: Floats, light: Light) -> Floats:
        """(468,) float32 0..1: where hair lies over forehead, temples and upper cheeks, far darker than the skin there."""
        darker = np.asarray((light.mean + light.field - colours) @ LUMA, np.float32)
        return np.asarray(_smooth_step((darker - 0.9) / 0.6) * self._hair_grows, np.float32)

    def _relight(self, room: _Room, match: float, neck: float) -> Floats:
        """(468, 3) float32 log-odds to be added to the persona's skin.

        The room's smooth light always falls on the persona, and its darkness. Of the rest of the difference between the two
        skins' mean colours ``match`` (0..1) goes over: more of the hue (it is mostly the room's) than of the brightness (it
        is mostly the persona's own). At the outline nearly all of it does, so that no edge is seen; less of it as the skin
        beyond takes on the persona's tone (``neck``, 0..1).
        """
        edge = self._edge * np.float32(1 - 0.85 * neck)
        light, exposure = room.light, room.camera.exposure
        difference = light.mean - self.persona.skin - np.float32(exposure)
        brightness = difference @ LUMA
        hue = difference - brightness
        share = match**0.6
        share = share + (1 - share) * edge
        # A large difference of brightness is the skin's, not the light's: it goes over ever less.
        brightness = brightness * edge + 1.6 * math.tanh(brightness / 1.6) * (1 - edge)
        shift = exposure + brightness * share + hue * (0.3 + 0.7 * share)
        field = np.clip(light.field, -2, 2) * np.maximum(0.35 + 0.65 * min(1.0, match * 1.2), self._edge)
        return np.asarray(np.clip(shift + field - self._own * self._edge, -4, 4), np.float32)


def _bare(texture: Pixels, canonical: CanonicalFace) -> Floats:
    """(s, s) float32 0..1: where ``texture`` (s, s, 3) is bare skin, and no beard."""
    size = len(texture)
    skin = np.clip(Unwrapper(canonical, size).spread(skin_points(canonical)) * 1.6 - 0.6, 0, 1)
    bright = cv2.GaussianBlur(log_odds(texture @ LUMA), (0, 0), size * 0.01)
    skin *= np.clip(1.5 + (bright - np.median(bright[skin > 0.5])) * 2.2, 0, 1)
    return np.asarray(cv2.GaussianBlur(skin, (0, 0), size * 0.004), np.float32)


def _smooth_step(x: Floats) -> Floats:
    x = np.clip(x, 0, 1)
    return np.asarray(x * x * (3 - 2 * x), np.float32)
