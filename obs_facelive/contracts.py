"""Kinds of models that a person may bring: what each takes and gives, as data, and which of them a graph is.

A contract is a file in ``models/brought/``. A model is known by its graph, never by its file's name: one name stands for many
layouts, and one layout goes by many names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec

from obs_facelive.catalog import ModelError, catalog_folder
from obs_facelive.runtime.graph import Graph, Value, last_initializer, read_graph
from obs_facelive.words import plain

Kind: TypeAlias = Literal["swapper", "recogniser", "converter", "dfm", "enhancer"]
Identity: TypeAlias = Literal["emap", "unit", "raw", "image", ""]
Scale: TypeAlias = float | Annotated[list[float], msgspec.Meta(min_length=3, max_length=3)]

ANY: Final = "*"
"""In a port's shape: any size, for itself."""
SIZE: Final = "S"
"""In a port's shape: the side of the picture."""
SIZES: Final = (32, 2048)
"""Least and greatest side of a picture that is believed, in pixels."""
EMAP_SHAPE: Final = (512, 512)

_HALF: Final = {"float32": "float16"}
_PICTURE: dict[Kind, str] = {"swapper": "target", "recogniser": "picture", "dfm": "face", "enhancer": "picture"}
# Roles that a kind must have, of inputs and of outputs, and the one that it may have besides.
_INPUTS: dict[Kind, tuple[set[str], set[str]]] = {
    "swapper": ({"target", "source"}, set()),
    "recogniser": ({"picture"}, set()),
    "converter": ({"embedding"}, set()),
    "dfm": ({"face"}, {"morph"}),
    "enhancer": ({"picture"}, {"weight"}),
}
_OUTPUTS: dict[Kind, tuple[set[str], set[str]]] = {
    "swapper": ({"output"}, {"mask"}),
    "recogniser": ({"embedding"}, set()),
    "converter": ({"converted"}, set()),
    "dfm": ({"face_mask", "celeb", "celeb_mask"}, set()),
    "enhancer": ({"output"}, set()),
}


class Port(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input or an output.

    Attributes
    ----------
    shape : sizes; a name stands for any size, the same wherever it stands (`SIZE`: the picture's side), `ANY` for any
    dtype : as numpy calls it; where it is float32, a graph may have float16 instead
    names : what the tensor is called in the files there are; empty: its name says nothing
    """

    shape: list[int | str]
    dtype: str = "float32"
    names: list[str] = []

    def side(self, size: int) -> int:
        """Of the picture in it, in pixels, where `SIZE` stands for ``size``."""
        return size if SIZE in self.shape else max((side for side in self.shape if isinstance(side, int)), default=0)


class KnownFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file that is known to keep a contract. One without an address has to be brought by the person.

    Attributes
    ----------
    file : what it is called in the models folder
    licence : of the weights, in words
    free : whether the licence lets anybody use it for anything; if not, the person has to accept it
    url, sha256, bytes : where it is, the hash of its content and its length; no address without a hash, 0: not known
    """

    file: Annotated[str, msgspec.Meta(pattern=r"^\w[\w .()+-]*\Z")]
    licence: str
    free: bool
    url: str = ""
    sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    bytes: int = 0

    def __post_init__(self) -> None:
        if self.url and not (self.url.startswith("https://") and self.sha256):
            raise ValueError(f"{self.file} has an address, so it needs https and its sha256")


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One kind of model.

    Attributes
    ----------
    name, what : what it is called in commands, and one line for people
    inputs, outputs : role → port. Roles of a swapper: target, source, output, mask (which not all have); of a recogniser:
        picture, embedding; of a converter: embedding, converted; of a dfm, which is one person's face: face, morph (not all),
        face_mask, celeb, celeb_mask; of an enhancer: picture, weight (not all: 0..1, how like the person it stays), output
    more_outputs : its graph may give further outputs, which nobody looks at
    template : a key of `obs_facelive.swap.align.TEMPLATES`: where the five points lie in the crop
    mean, std : the network takes (x - mean) / std of x in 0..1, RGB (a dfm: BGR); one number, or three
    out_mean, out_std : its picture is y * out_std + out_mean, in 0..1
    identity : what the source takes of an embedding e: "raw" e; "unit" u = e / |e|; "emap" u times the last weights of the file
        (512x512), again made of length one; "image": the persona's photo itself, RGB 0..1, laid out by ``source_template``
    source_template : see ``identity``; else empty
    recognisers : contracts of those that e is of: the sum of their unit vectors; empty: the one that people bring
    converter : contract of the model through which e goes before it is a source; empty: none
    companion : only its known files are taken for it, unless the person says so; it serves the swappers that name it
    not_first : operators that do not all stand among the graph's first nodes (there it would scale its input itself)
    files : those that are known
    """

    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9_]+$")]
    what: str
    kind: Kind
    inputs: dict[str, Port]
    outputs: dict[str, Port]
    template: str = ""
    mean: Scale = 0.0
    std: Scale = 1.0
    out_mean: Scale = 0.0
    out_std: Scale = 1.0
    identity: Identity = ""
    source_template: str = ""
    recognisers: list[str] = []
    converter: str = ""
    companion: bool = False
    not_first: list[str] = []
    more_outputs: bool = False
    files: list[KnownFile] = []

    def __post_init__(self) -> None:
        for what, ports, (needed, more) in (
            ("inputs", self.inputs, _INPUTS[self.kind]),
            ("outputs", self.outputs, _OUTPUTS[self.kind]),
        ):
            if not needed <= set(ports) <= needed | more:
                raise ValueError(f"a {self.kind} has the {what} {', '.join(sorted(needed))}, not {', '.join(ports)}")
        if (self.kind == "swapper") != bool(self.identity):
            raise ValueError("a swapper, and nothing else, says what identity it takes")
        if (self.identity == "image") != bool(self.source_template):
            raise ValueError("a swapper that takes an image, and nothing else, has a source_template")
        if (self.converter or self.recognisers) and self.identity in ("image", ""):
            raise ValueError("only a swapper that takes an embedding names recognisers and a converter")


@dataclass(frozen=True, slots=True)
class Matched:
    """A graph that keeps a contract.

    Attributes
    ----------
    names : role → name of the tensor in the graph
    size : side of the picture that it takes, in pixels; 0 where it takes none
    """

    contract: Contract
    names: dict[str, str]
    size: int


def load_contracts(folder: Path | None = None) -> list[Contract]:
    """All contracts, by name. Raises `ModelError` where a file is malformed, or two have one name."""
    contracts: dict[str, Contract] = {}
    for path in sorted((folder or catalog_folder() / "brought").glob("*.toml")):
        try:
            contract = msgspec.toml.decode(path.read_bytes(), type=Contract)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ModelError(f"{path}: {error}") from error
        if contract.name in contracts:
            raise ModelError(f"{path}: there is a contract {contract.name} already")
        contracts[contract.name] = contract
    return [contracts[name] for name in sorted(contracts)]


def match(graph: Graph, content: bytes, contracts: Iterable[Contract]) -> list[Matched]:
    """Every contract that ``graph`` keeps; ``content`` is the file that it was read from, asked for its last weights."""
    found = [matched for contract in contracts if (matched := _matched(graph, contract))]
    if any(matched.contract.identity == "emap" for matched in found):
        weights = last_initializer(content)
        if weights is None or weights.shape != EMAP_SHAPE:
            found = [matched for matched in found if matched.contract.identity != "emap"]
    return found


def recognise(name: str, content: bytes, sha256: str, contracts: list[Contract], wanted: str = "") -> Matched:
    """The one contract that the model in ``content`` keeps: the ``wanted`` one, if it has a name.

    Where several fit, a known file's ``sha256`` (in hex) decides, then a known file's ``name``, then which of them says more of
    such a graph. Raises `ModelError`, in words.
    """
    names = sorted(contract.name for contract in contracts)
    if wanted and wanted not in names:
        raise ModelError(f"there is no contract {wanted!r}. There are: {', '.join(names)}.")
    try:
        graph = read_graph(content)
        fits = match(graph, content, [contract for contract in contracts if wanted in ("", contract.name)])
    except ValueError as error:
        raise ModelError(f"{name} is not an ONNX file, or is cut short ({error})") from error
    if not wanted:
        fits = _likeliest(fits, name, sha256, len(graph.outputs))
    if not fits:
        what = f"does not keep the contract {wanted}" if wanted else "is no kind of model that FaceLive knows"
        raise ModelError(
            f"{name} {what}. It takes {_told(graph.inputs)} and gives {_told(graph.outputs)}. "
            "docs/models.md says what can be added."
        )
    if len(fits) > 1:
        several = ", ".join(matched.contract.name for matched in fits)
        raise ModelError(f"{name} may be several kinds of model: {several}. Say which: --contract NAME")
    return fits[0]


def _likeliest(fits: list[Matched], name: str, sha256: str, outputs: int) -> list[Matched]:
    """Those of ``fits`` that are not less likely than others, for a graph with so many ``outputs``."""

    def by_hash(contract: Contract) -> bool:
        return any(known.sha256 == sha256 for known in contract.files)

    def by_name(contract: Contract) -> bool:
        return any(known.file == name for known in contract.files)

    def by_matrix(contract: Contract) -> bool:
        return contract.identity == "emap"

    def by_names(contract: Contract) -> bool:
        return all(port.names for port in contract.inputs.values())

    def by_outputs(contract: Contract) -> bool:
        return len(contract.outputs) == outputs

    fits = [m for m in fits if not m.contract.companion or by_hash(m.contract) or by_name(m.contract)]
    for decides in (by_hash, by_name, by_matrix, by_names, by_outputs):
        fits = [matched for matched in fits if decides(matched.contract)] or fits
    return fits


def _told(values: tuple[Value, ...]) -> str:
    sizes = (", ".join("?" if side is None else str(side) for side in value.shape[:8]) for value in values)
    told = [f"{plain(value.name, 40)} {value.dtype} [{shape}]" for value, shape in zip(values[:8], sizes, strict=False)]
    return (", ".join(told) or "nothing") + (" …" if len(values) > 8 else "")


def _matched(graph: Graph, contract: Contract) -> Matched | None:
    if contract.not_first and set(contract.not_first) <= set(graph.first):
        return None
    picture = contract.inputs[_PICTURE[contract.kind]] if contract.kind in _PICTURE else None
    for inputs, sizes in _orders(graph.inputs, contract.inputs, {}):
        for outputs, all_sizes in _orders(graph.outputs, contract.outputs, sizes, contract.more_outputs):
            size = picture.side(all_sizes.get(SIZE, 0)) if picture else 0
            if not picture or SIZES[0] <= size <= SIZES[1]:
                return Matched(contract, {**inputs, **outputs}, size)
    return None


def _orders(
    values: tuple[Value, ...], ports: dict[str, Port], sizes: dict[str, int], more: bool = False
) -> Iterator[tuple[dict[str, str], dict[str, int]]]:
    """Each way in which ``values`` are ``ports`` (role → name), with the sizes it gives; the graph's own order comes first.

    ``more``: there may be further values.
    """
    if len(values) < len(ports) or (len(values) > len(ports) and not more):
        return
    for order in permutations(values, len(ports)):
        bound: dict[str, int] | None = sizes
        for value, port in zip(order, ports.values(), strict=True):
            bound = _bound(value, port, bound) if bound is not None else None
        if bound is not None:
            yield {role: value.name for role, value in zip(ports, order, strict=True)}, bound


def _bound(value: Value, port: Port, sizes: dict[str, int]) -> dict[str, int] | None:
    """``sizes`` and those that ``value`` adds; None where it is no such port."""
    if value.dtype not in (port.dtype, _HALF.get(port.dtype)) or (port.names and value.name not in port.names):
        return None
    if not value.shape and port.names:  # some exporters leave the shape out; the name has to do
        return sizes
    if len(value.shape) != len(port.shape):
        return None
    bound = dict(sizes)
    for side, wanted in zip(value.shape, port.shape, strict=True):
        if side is None or wanted == ANY:
            continue
        if side != (bound.setdefault(wanted, side) if isinstance(wanted, str) else wanted):
            return None
    return bound
