"""Adding FaceLive's script to OBS's scene collections, and taking it out again. Standard library only.

A scene collection lists its scripts in ``modules → scripts-tool``, an array of ``{"path": …, "settings": …}``
(``plugins/frontend-tools/scripts.cpp``). OBS writes the file anew whenever it saves, so it must not run meanwhile.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from obs_facelive.files import replace_file
from obs_facelive.in_step import MILLISECOND, Offset
from obs_facelive.obs_home import Configuration, read_ini, set_ini
from obs_facelive.obs_program import running

SCRIPT = PurePath("obs_facelive", "script", "facelive.py")
"""The script's place inside the environment's packages. Whatever lies at such a path is FaceLive's script."""

# Not `.json`: OBS takes every such file in the folder for a scene collection.
_BACKUP = ".before-facelive"


class RegistrationError(Exception):
    """A file of OBS's was left as it is; the text says why and what to do."""


@dataclass(frozen=True)
class Note:
    """What was done, or could not be, in words. ``bad``: the person has to do something and try again."""

    text: str
    bad: bool = False


def add_everywhere(
    configurations: Iterable[Configuration], script: Path, python: Path | None, receipt: Path
) -> Iterator[Note]:
    """`add_script` in every scene collection of every configuration that FaceLive can work in.

    ``python`` (Windows, macOS) is the folder of the Python that OBS shall load where the person has chosen none; that
    it was set is noted in the file ``receipt``, for `remove_everywhere`.
    """
    for configuration in configurations:
        if stop := _stop(configuration):
            yield stop
            continue
        try:
            if set_python(configuration, python, receipt):
                yield Note(f"Python path set in {configuration.ini}: {python}")
        except RegistrationError as error:
            yield Note(str(error), bad=True)
        if not configuration.collections:
            yield Note(f"{configuration.root} has no scene collection yet: start OBS once, close it, run this again.")
        for collection in configuration.collections:
            try:
                done = "added to" if add_script(collection, script) else "is in"
                yield Note(f"script {done} {collection}")
            except RegistrationError as error:
                yield Note(str(error), bad=True)


def set_python(configuration: Configuration, python: Path | None, receipt: Path) -> bool:
    """Sets OBS's Python path to ``python`` where the person has chosen none; see `add_everywhere`. Raises `RegistrationError`.

    Returns whether it had to be set.
    """
    if not python or configuration.python_path:
        return False
    _change_ini(configuration.ini, python.as_posix())
    _write(receipt, json.dumps({**_receipts(receipt), str(configuration.ini): python.as_posix()}).encode())
    return True


def remove_everywhere(configurations: Iterable[Configuration], env: Path, receipt: Path) -> Iterator[Note]:
    """Takes back what `add_everywhere` did for the environment ``env``."""
    for configuration in configurations:
        if stop := _stop(configuration):
            yield stop
            continue
        try:
            ours = _receipts(receipt).get(str(configuration.ini))
            if ours and read_ini(configuration.ini, "Python", "Path64bit") == ours:
                _change_ini(configuration.ini, None)
                yield Note(f"Python path taken out of {configuration.ini}")
        except RegistrationError as error:
            yield Note(str(error), bad=True)
        for collection in configuration.collections:
            try:
                if remove_script(collection, env):
                    yield Note(f"script taken out of {collection}")
            except RegistrationError as error:
                yield Note(str(error), bad=True)


def _stop(configuration: Configuration) -> Note | None:
    if configuration.obstacle:
        return Note(f"{configuration.root}: {configuration.obstacle}")
    if running(configuration):
        return Note(
            "OBS is running, and would write over what is changed now. Close it, then run this again.", bad=True
        )
    return None


def _receipts(file: Path) -> dict[str, str]:
    """Ini file → the Python path that we set in it."""
    try:
        return dict(json.loads(file.read_bytes()))
    except (OSError, ValueError):
        return {}


def scripts(collection: Path) -> list[Path]:
    """The FaceLive scripts that the scene collection lists. Raises `RegistrationError` where the file is unreadable."""
    return [Path(entry["path"]) for entry in _entries(_load(collection), collection) if _is_facelive(entry)]


def add_script(collection: Path, script: Path) -> bool:
    """Makes ``script`` the one FaceLive script of the scene collection; returns whether the file had to be changed.

    The file as it was before is kept beside it. An entry that points to another copy of FaceLive is pointed to
    ``script`` and keeps its settings. Raises `RegistrationError`, and changes nothing, where the file is not as expected.
    """
    data = _load(collection)
    entries = _entries(data, collection)
    ours = [entry for entry in entries if _is_facelive(entry)]
    path = script.as_posix()
    if [entry["path"] for entry in ours] == [path]:
        return False
    _refuse_read_only(collection)
    if not ours:
        _write(_backup(collection), collection.read_bytes())
        ours = [{"path": path, "settings": {}}]
        entries.append(ours[0])
    ours[0]["path"] = path
    kept = [entry for entry in entries if entry is ours[0] or not _is_facelive(entry)]
    data.setdefault("modules", {})["scripts-tool"] = kept
    _write(collection, _dump(data))
    return True


def remove_script(collection: Path, env: Path) -> bool:
    """Takes the script that lies in the environment ``env`` out of the scene collection; returns whether it was there.

    Sources whose sound FaceLive kept in step get their own sync offsets back.

    Where nothing else changed since `add_script`, the file gets back its old bytes. Raises `RegistrationError`, and
    changes nothing, where the file is not as expected.
    """
    data = _load(collection)
    entries = _entries(data, collection)
    kept = [entry for entry in entries if not (_is_facelive(entry) and _inside(Path(entry["path"]), env))]
    backup = _backup(collection)
    if len(kept) < len(entries):
        _refuse_read_only(collection)
        data["modules"]["scripts-tool"] = kept
        _put_back_offsets(data)
        unchanged = backup.is_file() and _bare(_load(backup)) == _bare(data)
        _write(collection, backup.read_bytes() if unchanged else _dump(data))
    if not any(_is_facelive(entry) for entry in kept):
        backup.unlink(missing_ok=True)
    return len(kept) < len(entries)


def _put_back_offsets(data: dict[str, Any]) -> None:
    sources = data.get("sources", [])
    # OBS keeps its global audio devices beside the others, each under a name of its own.
    for source in (*data.values(), *(sources if isinstance(sources, list) else ())):
        if isinstance(source, dict) and isinstance(source.get("sync"), int):
            offset = Offset.read(source["sync"])
            if offset:
                source["sync"] = offset.own * MILLISECOND


def _change_ini(file: Path, value: str | None) -> None:
    _refuse_read_only(file)
    _write(file, set_ini(file.read_bytes().decode(), "Python", "Path64bit", value).encode())


def _load(collection: Path) -> dict[str, Any]:
    try:
        data = json.loads(collection.read_bytes().decode("utf-8-sig"))
        # OBS's reader refuses NaN and half a surrogate pair; Python's takes them in, but cannot write them again.
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except OSError as error:
        raise RegistrationError(f"{collection} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise RegistrationError(
            f"{collection} is not a whole scene collection ({error}); it was left as it is. "
            "Open it in OBS once (OBS mends it from its own backup), close OBS, and run this again."
        ) from error
    if not isinstance(data, dict):
        raise RegistrationError(f"{collection} is not a scene collection (no JSON object); it was left as it is.")
    return data


def _entries(data: dict[str, Any], collection: Path) -> list[Any]:
    modules = data.get("modules", {})
    entries = modules.get("scripts-tool", []) if isinstance(modules, dict) else None
    if not isinstance(entries, list):
        raise RegistrationError(f"{collection} lists its scripts in a way that FaceLive does not know; left as it is.")
    return entries


def _is_facelive(entry: Any) -> bool:
    path = entry.get("path") if isinstance(entry, dict) else None
    return isinstance(path, str) and PurePath(path).parts[-3:] == SCRIPT.parts


def _inside(path: Path, folder: Path) -> bool:
    outer, inner = (os.path.normcase(os.path.realpath(p)) for p in (folder, path))
    return os.path.commonprefix([outer + os.sep, inner]) == outer + os.sep


def _bare(data: dict[str, Any]) -> dict[str, Any]:
    """A scene collection without an empty list of scripts, which may be there or not."""
    modules = {name: value for name, value in data.get("modules", {}).items() if name != "scripts-tool" or value}
    rest = {name: value for name, value in data.items() if name != "modules"}
    return {**rest, "modules": modules} if modules else rest


def _backup(collection: Path) -> Path:
    return collection.with_name(collection.name + _BACKUP)


def _dump(data: dict[str, Any]) -> bytes:
    """As OBS writes it: indented by four, UTF-8."""
    return (json.dumps(data, indent=4, ensure_ascii=False) + "\n").encode()


def _refuse_read_only(file: Path) -> None:
    if not file.stat().st_mode & 0o222 or not os.access(file, os.W_OK):
        raise RegistrationError(f"{file} is read-only; it was left as it is. Make it writable and run this again.")


def _write(file: Path, content: bytes) -> None:
    try:
        replace_file(file, content)
    except OSError as error:
        raise RegistrationError(f"{file} cannot be written: {error.strerror}; it was left as it is.") from error
