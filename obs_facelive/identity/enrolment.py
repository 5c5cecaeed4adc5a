"""The camera's owner, as the machine remembers them: some vectors, encrypted, in the data folder and nowhere else."""

from __future__ import annotations

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from obs_facelive.files import read_at_most
from obs_facelive.frame import Floats
from obs_facelive.home import Home
from obs_facelive.identity.key import KeyProblem, Place, delete_key, make_key, read_key, write_private
from obs_facelive.identity.recogniser import EMBEDDING

FORMAT: Final = 1
MIN_POSES: Final = 3
MAX_POSES: Final = 64
SAME: Final = 0.48
"""Likeness from which a picture shows the owner, where one picture must do. See `obs_facelive.identity.belief`."""
_FIT: Final = 0.45
"""Least likeness of a pose with all of them together: below, it is somebody else, or no face."""
_MOST_UNFIT: Final = 0.25
"""Share of the poses that may be so and are left out."""

_FILE: Final = "owner"
_MAGIC: Final = b"FACELIVE OWNER"
_PLACES: Final[tuple[Place, ...]] = ("file", "store")
_HEADER: Final = struct.Struct(f"<{len(_MAGIC)}sBB")
_BODY: Final = struct.Struct("<dH")
_NONCE: Final = 12
_MAX_BYTES: Final = _HEADER.size + _NONCE + _BODY.size + MAX_POSES * EMBEDDING * 4 + 16


class EnrolmentError(Exception):
    """There is no enrolment to be had, or none can be made; the text says why and what to do, for people."""


@dataclass(frozen=True, eq=False)
class Enrolment:
    """What the owner's face is like.

    Attributes
    ----------
    poses : (n, 128) float32, unit vectors of `obs_facelive.identity.recogniser.Recogniser`
    made : seconds since 1970
    place : where its key is kept; "" before it is saved
    """

    poses: Floats
    made: float
    place: Place | None = None

    @classmethod
    def of(cls, poses: list[Floats]) -> Enrolment:
        """An enrolment out of looks at one person. Raises `EnrolmentError` if they are too few, or not one person's."""
        if len(poses) < MIN_POSES:
            raise EnrolmentError(
                f"{MIN_POSES} good looks at your face are the least, and there were {len(poses)}: look into the camera, in "
                "good light, and turn your head a little"
            )
        chosen = np.stack(poses)[np.linspace(0, len(poses) - 1, min(len(poses), MAX_POSES)).astype(int)]
        # The middle one of all: a few strangers do not move it, as they would move the mean.
        likeness = chosen @ chosen.T
        fits = likeness[int(np.argmax(np.median(likeness, axis=0)))] >= _FIT
        if int(fits.sum()) < max(MIN_POSES, (1 - _MOST_UNFIT) * len(chosen)):
            raise EnrolmentError("more than one person was seen: be alone before the camera, and try again")
        return cls(chosen[fits].astype(np.float32), time.time())

    @property
    def template(self) -> Floats:
        """(128,) float32, the mean of all poses, of length 1."""
        mean = self.poses.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean), np.float32)

    @property
    def spread(self) -> float:
        """Least likeness of one of the poses with their mean: how different the face was seen."""
        return float((self.poses @ self.template).min())

    def likeness(self, vector: Floats) -> float:
        """-1..1, how much ``vector`` ((128,), of a `Recogniser`) is like the owner's face."""
        return float(self.template @ vector)


def enrolment_file(home: Home) -> Path:
    """Where the enrolment is, if there is one."""
    return home.identity / _FILE


def save(home: Home, enrolment: Enrolment) -> Enrolment:
    """Keeps ``enrolment`` instead of any other; what is kept. Raises `EnrolmentError`."""
    folder = home.identity
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key, place = make_key(folder)
        header = _HEADER.pack(_MAGIC, FORMAT, _PLACES.index(place))
        nonce = os.urandom(_NONCE)
        poses = np.ascontiguousarray(enrolment.poses, "<f4")
        body = _BODY.pack(enrolment.made, len(poses)) + poses.tobytes()
        write_private(enrolment_file(home), header + nonce + AESGCM(key).encrypt(nonce, body, header))
    except KeyProblem as problem:
        raise EnrolmentError(f"your face cannot be remembered: {problem}") from problem
    except OSError as error:
        raise EnrolmentError(f"your face cannot be remembered: {folder}: {error.strerror}") from error
    return Enrolment(enrolment.poses, enrolment.made, place)


def load(home: Home) -> Enrolment | None:
    """The enrolment of ``home``; None if there is none.

    Raises `EnrolmentError` where there is one that cannot be read: by another program, damaged, or without its key.
    """
    file = enrolment_file(home)
    try:
        content = read_at_most(file, _MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _broken(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise _broken(str(error)) from error
    if len(content) < _HEADER.size + _NONCE:
        raise _broken("its file is cut short")
    magic, version, place = _HEADER.unpack_from(content)
    if magic != _MAGIC or place >= len(_PLACES):
        raise _broken("its file is not one of FaceLive's")
    if version != FORMAT:
        raise _broken(f"its file has format {version}, and this FaceLive knows {FORMAT}")
    nonce, sealed = content[_HEADER.size : _HEADER.size + _NONCE], content[_HEADER.size + _NONCE :]
    try:
        key = read_key(home.identity, _PLACES[place])
        body = AESGCM(key).decrypt(nonce, sealed, content[: _HEADER.size])
    except KeyProblem as problem:
        raise _broken(str(problem)) from problem
    except InvalidTag as error:
        raise _broken("its file was changed, or its key is another one") from error
    return _opened(body, _PLACES[place])


def delete(home: Home) -> bool:
    """Forgets the owner and the key. True if there was anything to forget. Raises `EnrolmentError`."""
    there = enrolment_file(home).exists()
    try:
        enrolment_file(home).unlink(missing_ok=True)
        delete_key(home.identity)
    except (OSError, KeyProblem) as error:
        raise EnrolmentError(f"not all of it could be deleted: {error}") from error
    return there


def _opened(body: bytes, place: Place) -> Enrolment:
    """What only somebody with the key can have written; checked all the same."""
    if len(body) < _BODY.size:
        raise _broken("its content is cut short")
    made, count = _BODY.unpack_from(body)
    values = np.frombuffer(body, "<f4", offset=_BODY.size) if (len(body) - _BODY.size) % 4 == 0 else np.zeros(0)
    if not MIN_POSES <= count <= MAX_POSES or values.size != count * EMBEDDING or not np.isfinite(made):
        raise _broken("its content does not fit together")
    poses = values.reshape(count, EMBEDDING).astype(np.float32)
    if not np.allclose(np.linalg.norm(poses, axis=1), 1, atol=1e-3):
        raise _broken("its content is no face")
    return Enrolment(poses, made, place)


def _broken(why: str) -> EnrolmentError:
    return EnrolmentError(f"the face that FaceLive remembers cannot be used: {why}. Run 'facelive enrol' again")


class Enrolled:
    """The enrolment as it is now: one that is made, renewed or deleted meanwhile is noticed.

    Attributes
    ----------
    problem : why there is none, for people; empty if there is one
    """

    _EVERY: Final = 0.5
    _AGAIN: Final = 10.0
    """Seconds until one that could not be read is tried again: the key store may be unlocked by then."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._looked = -np.inf
        self._stamp: tuple[int, int, int] | None = None
        self._known: Enrolment | None = None
        self.problem = "not enrolled"

    def current(self) -> Enrolment | None:
        """None where nobody is enrolled, or the enrolment cannot be read."""
        now = time.monotonic()
        if now - self._looked >= self._EVERY:
            self._looked = now
            try:
                found = enrolment_file(self._home).stat()
                stamp = found.st_mtime_ns, found.st_size, found.st_ino
            except OSError:
                stamp = None
            if stamp is None:
                self._known, self.problem = None, "not enrolled"
            elif stamp != self._stamp:
                try:
                    self._known, self.problem = load(self._home), ""
                except EnrolmentError as error:
                    self._known, self.problem = None, str(error)
                    self._looked, stamp = now + self._AGAIN, None
            self._stamp = stamp
        return self._known
