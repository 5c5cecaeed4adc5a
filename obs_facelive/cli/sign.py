"""``facelive sign``, and what ``facelive swap`` does once its file is there: the sidecar, and the signature if wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.markup import escape

from obs_facelive.cli.console import MISUSE, end, say

if TYPE_CHECKING:
    from obs_facelive.provenance.c2pa import Signer
    from obs_facelive.provenance.sidecar import Sidecar


def sign_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What FaceLive made: it lies beside its .facelive.json.")
    ],
    certificate: Annotated[
        Path, typer.Option(metavar="CERT.pem", help="Your own certificate, and then those that it was issued by.")
    ],
    key: Annotated[Path, typer.Option(metavar="KEY.pem", help="The certificate's private key, without a password.")],
) -> None:
    """Sign a recording or another file that FaceLive made, so that it says itself that AI changed it (C2PA).

    The signature goes into the file. It says what the .facelive.json beside it says, and that you say so.
    """
    from obs_facelive.provenance import sidecar
    from obs_facelive.video import VideoError

    if not file.is_file():
        end(f"{file} is no file", MISUSE)
    signer = signer_of(certificate, key, file)
    try:
        note = _note_of(file)
    except (sidecar.SidecarError, VideoError) as error:
        end(str(error))
    except OSError as error:
        end(f"{file} cannot be read: {error.strerror}")
    if note.signed:
        end(f"{file.name} is signed already")
    note_and_sign(file, [file], note, signer)
    say(f"{escape(str(file))}: signed")


def _note_of(file: Path) -> Sidecar:
    """The sidecar that says what is in ``file``: its own, or that of the recording that OBS made it of ("remux").

    Raises `SidecarError` where the file is another one now; `VideoError` or `OSError` where that cannot be told.
    """
    from obs_facelive.provenance import sidecar
    from obs_facelive.video import SUFFIXES, pictures_hash

    made = file
    if not sidecar.beside(file).exists() and file.suffix.lower() in SUFFIXES:
        recorded = (file.with_suffix(suffix) for suffix in (".mkv", ".mov", ".mp4"))
        made = next((path for path in recorded if path.exists() and sidecar.beside(path).exists()), file)
    note = sidecar.read(made)
    known = note.files.get(made.name)
    if known is None or (known.sha256 and known != sidecar.content(made)):
        words = (
            f"{made.name} is not the file that its {sidecar.beside(made).name} was written for: it was changed since"
        )
        raise sidecar.SidecarError(words)
    if made != file and pictures_hash(made) != pictures_hash(file):
        raise sidecar.SidecarError(f"{file.name} has no sidecar, and its pictures are not those of {made.name}")
    return note


def signer_of(certificate: Path | None, key: Path | None, target: Path) -> Signer | None:
    """The signer that is asked for, if any. Ends the command where it cannot sign ``target``: before any work is done."""
    if certificate is None and key is None:
        return None
    from obs_facelive.provenance.c2pa import CredentialsError, Signer, refuse

    if certificate is None or key is None:
        end("a certificate signs with its key: give both --sign CERT.pem and --key KEY.pem", MISUSE)
    try:
        if target.suffix:
            refuse(target)
        return Signer(certificate, key)
    except CredentialsError as error:
        end(str(error), MISUSE)


def note_and_sign(target: Path, written: Sequence[Path], note: Sidecar, signer: Signer | None) -> None:
    """Signs the ``written`` files, then writes the sidecar of ``target``: the file itself, or the folder that they are in.

    Ends the command where either fails: what was written stays there.
    """
    from obs_facelive.provenance import c2pa, sidecar

    failed = ""
    if signer:
        try:
            for path in written:
                signer.sign(path, note)
        except c2pa.CredentialsError as error:
            failed = str(error)
    signed = signer is not None and not failed
    try:
        files = {path.name: sidecar.content(path) for path in written}
        sidecar.write(target, msgspec.structs.replace(note, files=files, signed=signed))
    except OSError as error:
        end(f"{sidecar.beside(target)} cannot be written: {error.strerror}")
    if failed:
        end(f"{failed} The file itself is there, without a signature.")
