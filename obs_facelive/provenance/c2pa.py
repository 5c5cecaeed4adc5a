"""Content Credentials (C2PA): a signed manifest inside a finished file that says that AI changed it.

Needs the package ``c2pa-python`` (the optional extra ``c2pa``), which is imported late. Nothing is asked of any host: there is
no time stamp of a third party in the signature.
"""

from __future__ import annotations

import io
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from obs_facelive import __version__
from obs_facelive.files import read_at_most
from obs_facelive.provenance.sidecar import Sidecar

SUFFIXES = (".mp4", ".m4v", ".mov", ".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff")
"""Files that can hold a manifest, of those that FaceLive and OBS write."""
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for a picture that was taken, with parts in it that a trained model made."""
ASSERTION = "facelive.sidecar"
"""Holds what the sidecar says, but for the files' hashes: those change when the manifest goes in."""
MAX_PEM = 1 << 20
ADVICE = (
    "C2PA wants your own certificate, issued by another one, for signing (key usage: digital signature; extended key usage: "
    "e-mail protection), and its own key, both PEM"
)


class CredentialsError(Exception):
    """Nothing was signed; the text says why, for people."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a file's manifest says, as its own reader sees it.

    Attributes
    ----------
    intact : file and manifest are as they were signed. Not: that anybody trusts the signer's certificate
    by : name in the signer's certificate
    source_types : IPTC's terms of what was done
    facts : the sidecar's, as it was when it was signed; empty if that is missing
    """

    intact: bool
    by: str
    source_types: tuple[str, ...]
    facts: dict[str, Any]


class Signer:
    """A person's own certificate and key.

    Parameters
    ----------
    certificates : PEM, the person's certificate and then those that it was issued by
    key : PEM, its private key, without a password

    Raises `CredentialsError` where that cannot sign.
    """

    def __init__(self, certificates: Path, key: Path) -> None:
        self._c2pa = _library()
        self._certificates, self._key = _pem(certificates), _pem(key)
        self._algorithm = _algorithm(self._key, key)
        _, blank = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))
        with (
            self._saying(f"{certificates.name} and {key.name} cannot sign"),
            self._signer() as signer,
            self._c2pa.Builder(_manifest("blank", None)) as builder,
        ):
            builder.sign(signer, "image/png", io.BytesIO(blank.tobytes()), io.BytesIO())

    def sign(self, path: Path, sidecar: Sidecar) -> None:
        """Puts a manifest into the file at ``path``; it is as it was before if that fails.

        Raises `CredentialsError`, also for a file of a kind that holds none and for one in which nothing was swapped.
        """
        refuse(path)
        if not sidecar.swapped:
            raise CredentialsError(f"no face was swapped in {path.name}, so there is nothing to declare")
        fresh = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}{path.suffix}")
        try:
            with (
                self._saying(f"{path.name} cannot be signed"),
                self._signer() as signer,
                self._c2pa.Builder(_manifest(path.name, sidecar)) as builder,
            ):
                builder.sign_file(path, fresh, signer)
            fresh.replace(path)
        except OSError as error:
            raise CredentialsError(f"{path} cannot be written: {error.strerror}") from error
        finally:
            fresh.unlink(missing_ok=True)

    def _signer(self) -> Any:
        """The library's own; each signs once."""
        lib = self._c2pa
        return lib.Signer.from_info(lib.C2paSignerInfo(self._algorithm, self._certificates, self._key, None))

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._c2pa.C2paError as error:
            raise CredentialsError(f"{what}: {error}. {ADVICE}.") from error


def refuse(path: Path) -> None:
    """Raises `CredentialsError` for a file of a kind that holds no manifest."""
    if path.suffix.lower() in SUFFIXES:
        return
    way_out = (
        " Make an MP4 of it first: in OBS, File → Remux Recordings." if path.suffix.lower() in (".mkv", ".flv") else ""
    )
    raise CredentialsError(f"{path.name}: C2PA signs {', '.join(SUFFIXES)}.{way_out}")


def read(path: Path) -> Credentials | None:
    """What the manifest in a file says; None if there is none. Raises `CredentialsError`."""
    lib = _library()
    try:
        reader = lib.Reader.try_create(path)
        if reader is None:
            return None
        with reader:
            state, manifest = reader.get_validation_state(), reader.get_active_manifest() or {}
    except (lib.C2paError, OSError) as error:
        raise CredentialsError(f"{path.name}: its manifest cannot be read: {error}") from error
    assertions = {entry.get("label", ""): entry.get("data", {}) for entry in manifest.get("assertions", [])}
    actions = [a for label, data in assertions.items() if label.startswith("c2pa.actions") for a in data["actions"]]
    signature = manifest.get("signature_info", {})
    return Credentials(
        intact=state in ("Valid", "Trusted"),
        by=str(signature.get("common_name") or signature.get("issuer") or ""),
        source_types=tuple(a["digitalSourceType"] for a in actions if "digitalSourceType" in a),
        facts=assertions.get(ASSERTION, {}),
    )


def _manifest(title: str, sidecar: Sidecar | None) -> str:
    generator = {"name": "FaceLive", "version": __version__}
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE, "softwareAgent": generator}
    assertions: list[Any] = [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]
    if sidecar:
        facts = msgspec.to_builtins(msgspec.structs.replace(sidecar, files={}, signed=True))
        assertions.append({"label": ASSERTION, "data": facts})
    return json.dumps({"claim_generator_info": [generator], "title": title, "assertions": assertions})


def _library() -> Any:
    try:
        import c2pa
    except ImportError as error:
        raise CredentialsError(
            f"signing needs the package c2pa-python, and it is not here ({error}): install it into FaceLive's environment "
            "with 'env/bin/python -m pip install c2pa-python'"
        ) from error
    return c2pa


def _pem(path: Path) -> bytes:
    try:
        return read_at_most(path, MAX_PEM)
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise CredentialsError(f"{path} is no PEM file: {error}") from error


def _algorithm(pem: bytes, path: Path) -> str:
    """C2PA's name of the way in which a key signs."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except TypeError as error:
        raise CredentialsError(f"the key in {path} has a password; C2PA wants it without one") from error
    except ValueError as error:
        raise CredentialsError(f"{path} holds no private key in PEM") from error
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size in (256, 384, 521):
        return {256: "es256", 384: "es384", 521: "es512"}[key.curve.key_size]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    raise CredentialsError(f"the key in {path} is of a kind that C2PA does not know")
