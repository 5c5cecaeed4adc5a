"""The models that a person brought: ONNX and .dfm files in the models folder, and the list of what each of them is."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

import msgspec

from obs_facelive.catalog import ModelError, load_catalog
from obs_facelive.contracts import Contract, Kind, KnownFile, Matched, load_contracts, match, recognise
from obs_facelive.download import DownloadError, Tell, fetch_pinned
from obs_facelive.files import read_at_most, replace_file, sha256_at_most
from obs_facelive.home import BROUGHT_FILE, MAX_BROUGHT_BYTES, MAX_TITLE, Home
from obs_facelive.runtime.graph import read_graph
from obs_facelive.runtime.onnx_file import MAX_BYTES, read_model
from obs_facelive.words import plain

OWN_CONTRACTS: Final = "contracts"
"""In the models folder: contracts of the person's own."""
SUFFIXES: Final = (".onnx", ".dfm")
_FILE: Final = re.compile(r"\w[\w .()+-]{0,95}\.(onnx|dfm)", re.IGNORECASE | re.ASCII)


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What the list says of a file.

    Attributes
    ----------
    contract, kind : which one it keeps, and of what kind that is
    sha256 : of its content, in hex
    names : role → name of the tensor
    size : side of the picture that it takes, in pixels; 0 where it takes none
    title : what it is called in panels, one line
    """

    contract: str
    kind: Kind
    sha256: str
    names: dict[str, str]
    size: int
    title: str


class Brought(_Entry, frozen=True, kw_only=True):
    """A model in the models folder, as it was when it was added, with what the list says of it.

    Attributes
    ----------
    path : where it is; it may be gone or changed meanwhile, see `read`
    """

    path: Path

    @property
    def file(self) -> str:
        """Its name in the models folder, by which commands and settings know it."""
        return self.path.name

    def read(self) -> bytes:
        """Its content. Raises `ModelError` where that is not what was added."""
        content = read_model(self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise ModelError(f"{self.file} is not the file that was added: it was changed or damaged. Add it again.")
        return content

    def matched(self) -> Matched:
        """What it takes and gives. Raises `ModelError` where its contract is not there any more, or is another one now."""
        for contract in _contracts(self.path.parent):
            if contract.name == self.contract and {*contract.inputs, *contract.outputs} == set(self.names):
                return Matched(contract, self.names, self.size)
        raise ModelError(
            f"{self.file} was added for the contract {self.contract}, which is not as it was then. Add it again: "
            f"'facelive model add {self.path}'."
        )


def contracts_of(home: Home) -> list[Contract]:
    """FaceLive's contracts, and those that the person put into the folder `OWN_CONTRACTS`. Raises `ModelError`."""
    return _contracts(home.models)


def _contracts(models: Path) -> list[Contract]:
    ours, own = load_contracts(), load_contracts(models / OWN_CONTRACTS)
    if twice := {contract.name for contract in ours} & {contract.name for contract in own}:
        raise ModelError(f"{models / OWN_CONTRACTS}: FaceLive has a contract {min(twice)} itself; rename yours")
    return [*ours, *own]


def list_models(home: Home) -> list[Brought]:
    """All that were added, by file name. Raises `ModelError` where the list is damaged."""
    return [_brought(home, file, entry) for file, entry in sorted(_read(home).items())]


def find_model(home: Home, file: str) -> Brought:
    """The one of that name. Raises `ModelError` that says which there are."""
    listed = _read(home)
    if file not in listed:
        known = (
            f"There are: {', '.join(sorted(listed))}." if listed else "None was added yet: 'facelive model add FILE'."
        )
        raise ModelError(f"there is no model {file!r}. {known}")
    return _brought(home, file, listed[file])


def find_kind(home: Home, kind: Kind) -> Brought:
    """The first of that kind, by file name, that serves any swapper. Raises `ModelError` that says how to get one."""
    contracts = [contract for contract in contracts_of(home) if contract.kind == kind and not contract.companion]
    return _first(home, contracts, f"no {kind} was added yet")


def find_companion(home: Home, name: str, whose: str) -> Brought:
    """The first model, by file name, that keeps the contract ``name``, which ``whose`` needs.

    Raises `ModelError` that says how to get one.
    """
    contracts = [contract for contract in contracts_of(home) if contract.name == name]
    return _first(home, contracts, f"{whose} needs a second model beside it, {name}, and none was added yet")


def _first(home: Home, contracts: list[Contract], missing: str) -> Brought:
    names = {contract.name for contract in contracts}
    for brought in list_models(home):
        if brought.contract in names:
            return brought
    known = next((file.file for contract in contracts for file in contract.files if file.url), "")
    more = f", or have it fetched: 'facelive model get {known}'" if known else ""
    raise ModelError(f"{missing}. Add one: 'facelive model add FILE'{more}.")


def add_model(home: Home, path: Path, contract: str = "") -> Brought:
    """Copies the model at ``path`` into the models folder and puts it on the list, whole or not at all.

    Where several contracts fit, ``contract`` says which; else a file whose content is known decides, then one whose name is.
    A model that is there and was damaged is made whole. Raises `ModelError`, in words for people.
    """
    file = _own_name(path.name)
    content = read_model(path)
    sha256 = hashlib.sha256(content).hexdigest()
    matched = recognise(path.name, content, sha256, contracts_of(home), contract)
    target = home.models / file
    listed = _read(home)
    there = _sha256(target)
    if (
        there != sha256
        and (target.exists() or target.is_symlink())
        and not (file in listed and listed[file].sha256 == sha256)
    ):
        todo = f"'facelive model remove {file}' takes it away" if file in listed else "Give yours another name"
        raise ModelError(f"there is another {file} in {home.models}. {todo}.")
    title = plain(path.stem, MAX_TITLE).strip() or file
    kept = matched.contract
    entry = _Entry(
        contract=kept.name, kind=kept.kind, sha256=sha256, names=matched.names, size=matched.size, title=title
    )
    try:
        home.models.mkdir(parents=True, exist_ok=True)
        if there != sha256:
            replace_file(target, content)
        try:
            _write_list(home, {**listed, file: entry})
        except BaseException:
            if there != sha256 and file not in listed:
                target.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ModelError(f"{file} could not be put into {home.models}: {error.strerror or error}") from error
    return _brought(home, file, entry)


def remove_model(home: Home, file: str) -> None:
    """Deletes a model and takes it from the list. Raises `ModelError` where there is none of that name, or it stays."""
    path = find_model(home, file).path
    try:
        _write_list(home, {name: entry for name, entry in _read(home).items() if name != file})
        path.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{file} could not be deleted: {error.strerror or error}") from error


def verify_model(home: Home, file: str) -> Brought:
    """The model of that name, if it is what was added, still keeps its contract, and ONNX Runtime opens it.

    Raises `ModelError` that says what is wrong and what to do.
    """
    from obs_facelive.runtime.session import open_session

    brought = find_model(home, file)
    content = brought.read()
    matched = brought.matched()
    try:
        keeps = matched in match(read_graph(content), content, [matched.contract])
    except ValueError:
        keeps = False
    if not keeps:
        raise ModelError(
            f"{file} does not keep the contract {brought.contract} any more. Add it again: 'facelive model add {brought.path}'."
        )
    open_session(brought.path, "cpu")
    return brought


def get_model(home: Home, file: str, accept: bool = False, tell: Tell = lambda *_: None) -> Brought:
    """Fetches a known file, checks it against its pinned hash and adds it; broken off, it goes on where it stopped.

    ``accept``: the person accepts a licence that does not let everybody use it for everything. Raises `ModelError`, in words.
    """
    contract, known = _known(file, contracts_of(home))
    if not known.free and not accept:
        raise ModelError(
            f"{file} may not be used by everybody for everything: {known.licence}. If that suits what you do, say so: "
            f"'facelive model get {file} --accept-licence'."
        )
    cached = home.root / "cache" / "models" / known.file
    if _sha256(home.models / known.file) != known.sha256:
        try:
            fetch_pinned(known.url, cached, known.sha256, known.bytes or MAX_BYTES, "model", tell)
        except DownloadError as error:
            raise ModelError(str(error)) from error
        except OSError as error:
            raise ModelError(f"{file} could not be kept in {cached.parent}: {error.strerror or error}") from error
    brought = add_model(home, cached if cached.exists() else home.models / known.file, contract.name)
    cached.unlink(missing_ok=True)
    return brought


def _known(file: str, contracts: list[Contract]) -> tuple[Contract, KnownFile]:
    known = [(contract, known) for contract in contracts for known in contract.files if known.file == file]
    for contract, found in known:
        if found.url:
            return contract, found
    if known:
        raise ModelError(f"{file} is known, but not where it is. Get it yourself, then 'facelive model add {file}'.")
    fetched = sorted(known.file for contract in contracts for known in contract.files if known.url)
    raise ModelError(f"there is no known model {file!r}. Known: {', '.join(fetched) or 'none'}.")


def _own_name(name: str) -> str:
    """A name that is safe on every system, and is none of FaceLive's own. Raises `ModelError`."""
    if Path(name).suffix.lower() not in SUFFIXES:
        raise ModelError(f"{name} is no model: its name should end in {' or '.join(SUFFIXES)}")
    file = re.sub(r"[^\w .()+-]", "_", name, flags=re.ASCII)
    if not _FILE.fullmatch(file):
        raise ModelError(
            f"{name}: a model's name begins with a letter or a digit and has at most 100 characters; rename it"
        )
    own = {model.file.lower() for source in load_catalog() for model in source.models}
    if file.lower() in own:
        raise ModelError(f"{file} is the name of a model of FaceLive's own; give yours another name")
    return file


def _brought(home: Home, file: str, entry: _Entry) -> Brought:
    return Brought(path=home.models / file, **msgspec.structs.asdict(entry))


def _read(home: Home) -> dict[str, _Entry]:
    path = home.models / BROUGHT_FILE
    try:
        listed = msgspec.json.decode(read_at_most(path, MAX_BROUGHT_BYTES), type=dict[str, _Entry])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read ({error}). Delete it, and add your models again.") from error
    if strange := [file for file in listed if not _FILE.fullmatch(file)]:
        raise ModelError(
            f"{path} lists {strange[0]!r}, which is no model's name. Delete it, and add your models again."
        )
    return listed


def _write_list(home: Home, listed: dict[str, _Entry]) -> None:
    replace_file(home.models / BROUGHT_FILE, msgspec.json.format(msgspec.json.encode(listed, order="sorted"), indent=2))


def _sha256(path: Path) -> str:
    """In hex; empty where there is no such file, or it cannot be read."""
    try:
        return sha256_at_most(path, MAX_BYTES)
    except (OSError, ValueError):
        return ""
