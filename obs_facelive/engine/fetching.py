"""Where known models are fetched that the panel asks for: beside the frames and beside what is loaded; says how it goes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeAlias

import msgspec

from obs_facelive.brought import Brought, contracts_of, get_model, list_models
from obs_facelive.catalog import ModelError
from obs_facelive.download import Tell
from obs_facelive.engine.desk import Desk
from obs_facelive.files import replace_file
from obs_facelive.home import Home, KnownModel
from obs_facelive.link.wanted import Wanted, accept_key, read_wanted

Fetch: TypeAlias = Callable[[Wanted, Tell], Brought]


class FetchingDesk(Desk):
    """One filter's.

    Parameters
    ----------
    fetch : gets the model; takes minutes. Raises `ModelError`
    """

    def __init__(self, fetch: Fetch, worker: Executor) -> None:
        super().__init__("No model was fetched", worker)
        self._fetch = fetch

    def open(self, settings: bytes) -> None:
        """Begins with the model that ``settings`` speak of, unless another is in hand."""
        if self.busy:
            return
        try:
            wanted = read_wanted(settings)
        except ValueError as error:
            self.refuse(f"{error}.")
            return
        self.begin(f"Getting {wanted.file} …", lambda: self._got(wanted))

    def _got(self, wanted: Wanted) -> str:
        def tell(done: int, total: int) -> None:
            of = f" of {total / 1e6:.0f}" if total else ""
            self.words = f"Getting {wanted.file}: {done / 1e6:.0f}{of} MB …"

        model = self._fetch(wanted, tell)
        use = "choose it as the engine" if model.kind in ("swapper", "dfm") else f"it is a {model.kind}"
        return f"{model.file} is in the library: {use}."


def fetch(home: Home, wanted: Wanted, tell: Tell) -> Brought:
    """Gets the model that is ``wanted``; see `obs_facelive.brought.get_model`.

    Raises `ModelError`, in words for people, also where its licence was not accepted.
    """
    known = next((known for known in known_models(home) if known.file == wanted.file), None)
    if known and not known.free and accept_key(known.licence) not in wanted.accepted:
        raise ModelError(
            f"{known.file} may not be used by everybody for everything. Tick that you accept: {known.licence}."
        )
    model = get_model(home, wanted.file, known is not None, tell)
    publish_known(home)
    return model


def known_models(home: Home) -> list[KnownModel]:
    """Those that can be fetched, of each name the one that `get_model` takes. Raises `ModelError`."""
    found: dict[str, KnownModel] = {}
    for contract in contracts_of(home):
        for file in contract.files:
            if file.url and file.file not in found:
                found[file.file] = KnownModel(file.file, contract.kind, file.licence, file.free, file.bytes)
    return [found[name] for name in sorted(found)]


def publish_known(home: Home) -> None:
    """Writes down, for the panel, which known models are not here yet. Raises `ModelError` or `OSError`."""
    here = {model.file for model in list_models(home)}
    left = [known for known in known_models(home) if known.file not in here]
    replace_file(home.known_models_file, msgspec.json.encode(left))
