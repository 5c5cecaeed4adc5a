"""Files out of pinned wheels of PyPI: fetched by pip, checked by SHA-256 before anything is read from them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path


class FetchError(Exception):
    """A wheel could not be had, or is not the one that was pinned; the text says what to do."""


class UnavailableError(FetchError):
    """There is no such wheel to be had: no connection, or none for this system."""


def fetch_wheel(package: str, version: str, sha256: str, folder: Path, *options: str) -> Path:
    """The wheel ``package==version`` in ``folder``, downloaded unless it is there; refused unless its hash is ``sha256``.

    ``options`` go to ``pip download``: a wheel for another Python than this one needs ``--python-version``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    if not any(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--dest", str(folder), *options, f"{package}=={version}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            raise UnavailableError(
                f"pip could not download {package}=={version}: {' '.join(reason)}\n"
                "Is this computer online, and may it reach pypi.org? Behind a proxy, set HTTPS_PROXY and run this again."
            )
    wheel = next(folder.glob(pattern))
    content = wheel.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        wheel.unlink()
        raise FetchError(f"{wheel.name} is not the file that was pinned: sha256 {found}, expected {sha256}. Refused.")
    return wheel


def read_member(wheel: Path, member: str, sha256: str) -> bytes:
    """The bytes of ``member`` of ``wheel``; refused unless their hash is ``sha256``."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(member)
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise FetchError(f"{member} in {wheel.name} has sha256 {found}, expected {sha256}. Refused.")
    return content
