"""A session that keeps its memory gives what the session gives. On the CPU: no CUDA can be had here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from obs_facelive.catalog import ModelError
from obs_facelive.runtime.bound import Bound
from obs_facelive.runtime.choice import sample
from obs_facelive.runtime.session import open_session
from tests.unit.test_providers import pads
from tools.stand_ins.build import write


def test_it_gives_the_same_to_the_bit_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    session = open_session(write(tmp_path, "hyperswap_1a_256.onnx", 0.0625), "cpu")
    bound = Bound(session, "cpu")
    names = [entry.name for entry in session.get_outputs()]
    given = sample(session, 256)
    darker = {name: array / 2 for name, array in given.items()}
    first = bound.run(None, given)
    second = bound.run(names[::-1], darker)
    assert len(names) > 1 and not np.array_equal(first[0], second[-1]), "the second run changed the first one's answer"
    for got, wanted in zip(first, session.run(None, given), strict=True):
        np.testing.assert_array_equal(got, wanted)
    for got, wanted in zip(second, session.run(names[::-1], darker), strict=True):
        np.testing.assert_array_equal(got, wanted)
    assert [entry.name for entry in bound.get_inputs()] == list(given)


def test_what_has_free_sizes_cannot_be_bound(tmp_path: Path) -> None:
    path = tmp_path / "pads.onnx"
    path.write_bytes(pads())
    with pytest.raises(ModelError, match="sizes that are not fixed"):
        Bound(open_session(path, "cpu"), "cpu")
