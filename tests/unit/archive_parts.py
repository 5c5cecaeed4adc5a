"""Zips of personas, taken apart and put together again as somebody would who means no good."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import warnings
import zipfile
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.personas.archive import export_persona
from tests.unit.tiny_persona import tiny_persona

Parts = dict[str, bytes]


def whole_archive(folder: Path) -> bytes:
    """A good one, of one persona."""
    export_persona(tiny_persona(folder / "personas"), folder / "tiny.facelive")
    return (folder / "tiny.facelive").read_bytes()


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def parts_of(content: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(parts: Parts | list[tuple[str, bytes]], attributes: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of two parts with one name
        for name, content in parts.items() if isinstance(parts, dict) else parts:
            part = zipfile.ZipInfo(name)
            part.external_attr = attributes << 16
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, content)
    return buffer.getvalue()


def resealed(parts: Parts, name: str, content: bytes) -> Parts:
    """``parts`` with another content, and its hash put right, as somebody would who wants it read."""
    info = json.loads(parts["tiny/persona.json"])
    info["files"][name] = hashlib.sha256(content).hexdigest()
    return {**parts, f"tiny/{name}": content, "tiny/persona.json": json.dumps(info).encode()}


def png(width: int, height: int) -> bytes:
    good, content = cv2.imencode(".png", np.zeros((4, 4, 3), np.uint8))
    assert good
    changed = bytearray(content.tobytes())
    struct.pack_into(">II", changed, 16, width, height)
    return bytes(changed)


def jpeg(width: int, height: int) -> bytes:
    """A JPEG of a few kilobytes whose header promises that much."""
    good, content = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))
    assert good
    changed = bytearray(content.tobytes())
    struct.pack_into(">HH", changed, changed.find(b"\xff\xc0") + 5, height, width)
    return bytes(changed)
