"""Content Credentials: written with a person's own certificate, read back and verified by C2PA's own reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import cv2
import msgspec
import numpy as np
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from obs_facelive.home import Home
from obs_facelive.provenance import sidecar
from obs_facelive.provenance.c2pa import SOURCE_TYPE, SUFFIXES, CredentialsError, Signer, read
from tests.unit.certificates import issue, write
from tests.unit.test_cli import facelive, image  # noqa: F401
from tests.unit.test_sidecar import note

ROOT = issue("Root")
ME = issue("Me", ROOT)
DOCUMENT_SIGNING = ObjectIdentifier("1.3.6.1.5.5.7.3.36")


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return Signer(*write(tmp_path, ME, ROOT))


def make(path: Path, seed: int = 2) -> Path:
    """A file of the kind that the name says."""
    picture = np.random.default_rng(seed).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    if path.suffix in (".mp4", ".m4v", ".mov", ".mkv"):
        with av.open(str(path), "w") as file:
            stream: Any = file.add_stream("libx264", rate=10, options={"bf": "0"})  # the simple way to remux needs it
            stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
            for _ in range(10):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            file.mux(stream.encode(None))
    else:
        cv2.imwrite(str(path), picture)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_signed_file_says_what_it_is(tmp_path: Path, signer: Signer, suffix: str) -> None:
    path = make(tmp_path / f"made{suffix}")
    assert read(path) is None
    signer.sign(path, note())
    said = read(path)
    assert said and said.intact and said.by == "Me" and said.source_types == (SOURCE_TYPE,)
    assert said.facts["cameras"][0]["pictures"]["swapped"] == 3
    assert said.facts["cameras"][0]["worn"][0]["kind"] == "self"
    assert sorted(p.suffix for p in tmp_path.iterdir()) == sorted([".pem", ".pem", suffix])
    if suffix in (".mp4", ".mov"):
        with av.open(str(path)) as file:
            assert len(list(file.decode(video=0))) == 10


@pytest.mark.parametrize("suffix", [".mp4", ".png", ".jpg"])
def test_a_change_afterwards_shows(tmp_path: Path, signer: Signer, suffix: str) -> None:
    path = make(tmp_path / f"made{suffix}")
    signer.sign(path, note())
    changed = bytearray(path.read_bytes())
    changed[-200 if suffix != ".mp4" else -40] ^= 1
    path.write_bytes(changed)
    said = read(path)
    assert said is not None and not said.intact


def test_what_cannot_be_signed_is_said_and_stays_as_it_was(tmp_path: Path, signer: Signer) -> None:
    film = make(tmp_path / "made.mkv")
    before = film.read_bytes()
    with pytest.raises(CredentialsError, match="Remux"):
        signer.sign(film, note())
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    with pytest.raises(CredentialsError, match=r"broken\.mp4 cannot be signed"):
        signer.sign(broken, note())
    with pytest.raises(CredentialsError, match="nothing to declare"):
        signer.sign(make(tmp_path / "made.png"), note(0))
    assert film.read_bytes() == before and broken.read_bytes() == b"no video"
    assert not list(tmp_path.glob(".*"))


def test_certificates_that_c2pa_does_not_want_are_refused_before_any_work(tmp_path: Path) -> None:
    for own, words in (
        (ROOT, "self-signed"),
        (issue("Me", ROOT, None), "cannot sign"),
        (issue("Me", ROOT, ExtendedKeyUsageOID.SERVER_AUTH), "cannot sign"),
        (issue("Me", ROOT, DOCUMENT_SIGNING), "missing required EKU"),
    ):
        with pytest.raises(CredentialsError, match=words):
            Signer(*write(tmp_path, own, ROOT))
    certificates, key = write(tmp_path, ME, ROOT)
    other = key.read_bytes()
    write(tmp_path, issue("Other", ROOT), ROOT)
    key.write_bytes(other)
    with pytest.raises(CredentialsError, match="does not match"):
        Signer(certificates, key)
    with pytest.raises(CredentialsError, match="has a password"):
        Signer(*write(tmp_path, ME, ROOT, password=b"secret"))
    key.write_text("nothing")
    with pytest.raises(CredentialsError, match="no private key"):
        Signer(certificates, key)
    with pytest.raises(CredentialsError, match="cannot be read"):
        Signer(tmp_path / "missing.pem", key)


def test_without_the_package_the_way_to_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates = write(tmp_path, ME, ROOT)
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    with pytest.raises(CredentialsError, match="pip install c2pa-python"):
        Signer(*certificates)


def test_swap_signs_and_notes(image: Path, tmp_path: Path) -> None:  # noqa: F811
    certificates, key = write(tmp_path, ME, ROOT)
    persona, out = Home.find().persona_names()[0], tmp_path / "out.jpg"
    swap = ("swap", image, out, "--persona", persona)
    assert facelive(*swap, "--sign", certificates)[0] == 2
    assert facelive("swap", image, out.with_suffix(".bmp"), *swap[3:], "--sign", certificates, "--key", key)[0] == 2
    code, text = facelive(*swap, "--sign", certificates, "--key", key)
    assert code == 0, text
    said, beside = read(out), sidecar.read(out)
    assert said and said.intact and beside.signed and beside.swapped == 1
    assert beside.files == {out.name: sidecar.content(out)}
    assert beside.cameras[0].worn[0].origin == "shipped" and beside.cameras[0].worn[0].name
    assert said.facts["cameras"][0]["settings"] == beside.cameras[0].settings


def test_a_file_is_signed_later_but_only_the_one_that_was_made(image: Path, tmp_path: Path) -> None:  # noqa: F811
    certificates, key = write(tmp_path, ME, ROOT)
    out = tmp_path / "out.png"
    sign = ("sign", out, "--certificate", certificates, "--key", key)
    assert facelive(*sign)[0] == 2
    assert facelive("swap", image, out, "--persona", Home.find().persona_names()[0])[0] == 0
    assert read(out) is None and not sidecar.read(out).signed
    made = out.read_bytes()
    out.write_bytes(made + b"more")
    code, text = facelive(*sign)
    assert (code, "was changed since" in text) == (1, True), text
    out.write_bytes(made)
    assert facelive(*sign)[0] == 0
    said = read(out)
    assert said and said.intact and sidecar.read(out).signed
    code, text = facelive(*sign)
    assert (code, "signed already" in text) == (1, True)
    sidecar.beside(out).unlink()
    code, text = facelive(*sign)
    assert (code, "there is no out.png.facelive.json" in text) == (1, True)


def test_a_remuxed_recording_is_signed_by_its_first_ones_note(tmp_path: Path) -> None:
    certificates, key = write(tmp_path, ME, ROOT)
    recorded, remuxed = make(tmp_path / "film.mkv"), tmp_path / "film.mp4"
    with av.open(str(recorded)) as source, av.open(str(remuxed), "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    sign = ("sign", remuxed, "--certificate", certificates, "--key", key)
    assert facelive(*sign)[0] == 1  # nobody wrote a note
    sidecar.write(recorded, msgspec.structs.replace(note(), files={recorded.name: sidecar.content(recorded)}))
    remuxed.rename(tmp_path / "kept.mp4")
    make(remuxed, seed=3)
    code, text = facelive(*sign)
    assert (code, "its pictures are not those of film.mkv" in text) == (1, True), text
    (tmp_path / "kept.mp4").rename(remuxed)
    code, text = facelive(*sign)
    assert code == 0, text
    said, beside = read(remuxed), sidecar.read(remuxed)
    assert said and said.intact and beside.signed and beside.files == {remuxed.name: sidecar.content(remuxed)}
    assert not sidecar.read(recorded).signed


def test_a_folder_has_one_note(image: Path, tmp_path: Path) -> None:  # noqa: F811
    pictures, out = tmp_path / "in", tmp_path / "out"
    pictures.mkdir()
    for name in ("a.png", "b.jpg"):
        (pictures / name).write_bytes(image.read_bytes())
    assert facelive("swap", pictures, out, "--persona", Home.find().persona_names()[0])[0] == 0
    beside = sidecar.read(out)
    assert beside.files == {name: sidecar.content(out / name) for name in ("a.png", "b.jpg")}
    assert sorted(p.name for p in out.iterdir()) == ["a.png", "b.jpg"] and beside.swapped == 2
