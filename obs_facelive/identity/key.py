"""The key that the enrolment is encrypted with: in the operating system's key store, else in a file that only its owner reads.

The key store is what the package ``keyring`` finds: the Credential Locker of Windows, the Keychain of macOS, the Secret
Service or KWallet of a Linux desktop.
"""

from __future__ import annotations

import base64
import binascii
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias, TypeVar

import keyring
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from keyring.errors import KeyringError, PasswordDeleteError

from obs_facelive.files import read_at_most

Place: TypeAlias = Literal["store", "file"]

BYTES: Final = 32
_SERVICE: Final = "FaceLive"
_FILE: Final = "key"
_PATIENCE: Final = 5.0
"""Seconds that a key store gets to answer: it may wait for a person to unlock it."""

_T = TypeVar("_T")


class KeyProblem(Exception):
    """The key cannot be had; the text says why, for people."""


def store_name() -> str:
    """What the operating system's key store calls itself; empty where there is none."""
    try:
        backend = _asked(keyring.get_keyring)
        usable = float(backend.priority) >= 1  # fail, null and plain text are below; `keyring.backend`
    except (KeyProblem, TypeError, ValueError, AttributeError, RuntimeError):
        return ""
    return str(backend.name) if usable else ""


def read_key(folder: Path, place: Place) -> bytes:
    """The key of ``folder``. Raises `KeyProblem` where it is not at its ``place``."""
    if place == "store":
        text = _asked(lambda: keyring.get_password(_SERVICE, str(folder))) or ""
    else:
        try:
            text = read_at_most(folder / _FILE, 1024).decode("ascii", "replace")
        except (OSError, ValueError) as error:
            raise KeyProblem(f"its key {folder / _FILE} cannot be read: {error}") from error
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != BYTES:
        raise KeyProblem("its key is gone from the key store" if place == "store" else f"{folder / _FILE} is no key")
    return key


def make_key(folder: Path) -> tuple[bytes, Place]:
    """A new key for ``folder``, kept in the key store where there is one. Raises `KeyProblem`."""
    key = AESGCM.generate_key(BYTES * 8)
    text = base64.b64encode(key).decode()
    if store_name():
        try:
            _asked(lambda: keyring.set_password(_SERVICE, str(folder), text))
            if read_key(folder, "store") == key:
                (folder / _FILE).unlink(missing_ok=True)
                return key, "store"
        except KeyProblem:
            pass  # locked, or nobody there to unlock it: the file is the next best place
    try:
        write_private(folder / _FILE, text.encode())
    except OSError as error:
        raise KeyProblem(f"its key cannot be written to {folder}: {error.strerror}") from error
    return key, "file"


def delete_key(folder: Path) -> None:
    """Forgets the key, wherever it is. Raises `KeyProblem` where the key store will not."""
    (folder / _FILE).unlink(missing_ok=True)
    if store_name():
        try:
            _asked(lambda: keyring.delete_password(_SERVICE, str(folder)))
        except KeyProblem as problem:
            if not isinstance(problem.__cause__, PasswordDeleteError):  # it was never there
                raise


def write_private(path: Path, content: bytes) -> None:
    """Replaces ``path`` in one step by a file that nobody else can read. Raises `OSError`."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _asked(question: Callable[[], _T]) -> _T:
    """The key store's answer, if it comes in time. Raises `KeyProblem`."""
    answers: list[_T] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            answers.append(question())
        except Exception as error:  # each backend has its own
            errors.append(error)

    asking = threading.Thread(target=ask, name="key store", daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    if answers:
        return answers[0]
    if errors:
        words = "says no" if isinstance(errors[0], KeyringError) else "does not work"
        raise KeyProblem(f"the operating system's key store {words}: {errors[0]}") from errors[0]
    raise KeyProblem("the operating system's key store does not answer; unlock it, and try again")
