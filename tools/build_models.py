"""Builds the embedded models from pinned wheels: ``python -m tools.build_models --out DIR``.

Skips what is there, whole, and built by the same recipe. Writes under a temporary name first, so that a run that was cut
off leaves nothing half-done.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import sys
import tempfile
import zipfile
from pathlib import Path

import msgspec
import numpy as np

from obs_facelive.catalog import (
    MANIFEST,
    Built,
    Model,
    ModelError,
    Source,
    catalog_folder,
    load_catalog,
    read_manifest,
    status,
)
from tools import block_int8
from tools.canonical_face import canonical_face
from tools.tflite_graph import UnsupportedError, read_graph
from tools.tflite_onnx import convert
from tools.wheels import FetchError, fetch_wheel, read_member


def build(source: Source, model: Model, wheels: Path) -> bytes:
    """The content of ``model``'s file, made from ``source``, whose wheel is downloaded into ``wheels`` unless it is there."""
    if not source.package:
        return _own(catalog_folder() / source.member, source.member_sha256)
    wheel = fetch_wheel(source.package, source.version, source.wheel_sha256, wheels)
    content = read_member(wheel, source.member, source.member_sha256)
    if model.part:
        with zipfile.ZipFile(io.BytesIO(content)) as bundle:
            content = bundle.read(model.part)
    if model.file.endswith(".npz"):
        arrays = io.BytesIO()
        np.savez(arrays, allow_pickle=False, **canonical_face(content))
        return arrays.getvalue()
    if source.member.endswith(".onnx"):
        made = block_int8.convert(content, model.rename)
    else:
        made = convert(read_graph(content), model.rename)
    return bytes(made.SerializeToString(deterministic=True))


def _own(path: Path, sha256: str) -> bytes:
    """A file that lies beside the catalog. Raises `FetchError` where it is not the one that the catalog means."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FetchError(f"{path} was changed or damaged. Fetch all of FaceLive again.")
    return content


def build_all(out: Path, wheels: Path) -> int:
    """Builds what is not ready in ``out``; returns how many files were made."""
    out.mkdir(parents=True, exist_ok=True)
    catalog = [(source, model) for source in load_catalog() for model in source.models]
    manifest = {file: built for file, built in read_manifest(out).items() if any(m.file == file for _, m in catalog)}
    made = 0
    for number, (source, model) in enumerate(catalog, 1):
        progress = f"[{number}/{len(catalog)}] {model.file}"
        if status(source, model, out) == "ready":
            print(f"{progress}: ready", flush=True)
            continue
        origin = f"{source.package} {source.version}" if source.package else source.member
        print(f"{progress}: building from {origin} ...", flush=True)
        content = build(source, model, wheels)
        _write(out / model.file, content)
        manifest[model.file] = Built(source.recipe(model), hashlib.sha256(content).hexdigest())
        _write(out / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2))
        print(f"{progress}: built, {len(content) / 1e6:.1f} MB", flush=True)
        made += 1
    return made


def _write(path: Path, content: bytes) -> None:
    """Replaces ``path`` in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description="Builds FaceLive's embedded models from pinned wheels.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the models folder")
    parser.add_argument("--wheels", type=Path, metavar="DIR", help="keep downloaded wheels here (default: throw away)")
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            made = build_all(options.out, options.wheels or Path(temporary))
    except (FetchError, ModelError, UnsupportedError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {error.strerror}: {error.filename}", file=sys.stderr)
        return 1
    print(f"models: {made} built, in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
