"""Giving consent to wear a persona of a real person: the record is made, one's own face compared, and written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from obs_facelive.frame import Floats
from obs_facelive.personas.consent import BASIS_WORDS, Consent, ConsentError, stated, write_consent
from obs_facelive.personas.info import load_info
from obs_facelive.personas.library import stored_persona


def permit(
    folder: Path,
    is_owner: Callable[[Floats], bool | None],
    *,
    by: str = "",
    purpose: str = "",
    when: str = "",
    signed: Path | None = None,
) -> Consent:
    """Records what somebody states about the persona in ``folder``, and gives the record.

    ``is_owner``: see `obs_facelive.engine.stages.Stages.is_owner`; the others: see `stated` and `write_consent`.

    Raises `PersonaError`, in words for people: nobody's consent is needed, or what was stated is not enough.
    """
    info, own = load_info(folder), None
    if not info.real:
        raise ConsentError(f"{info.name} does not exist: nobody's consent is needed.")
    if info.kind == "self":
        embedding = stored_persona(folder).embedding
        own = is_owner(embedding) if embedding.size else None
    return write_consent(folder, stated(info, by=by, purpose=purpose, when=when, own=own), signed)


def told(record: Consent) -> list[str]:
    """``record`` for people, in lines."""
    parts = [f"{BASIS_WORDS[record.kind]}; by {record.by}, on {record.when}, for: {record.purpose}"]
    if record.checked:
        parts.append("compared with the enrolled face: it matches")
    if record.signed:
        parts.append(f"signed paper: {record.signed} (SHA-256 {record.signed_sha256})")
    if record.withdrawn:
        parts.append(f"withdrawn {record.withdrawn}")
    return parts
