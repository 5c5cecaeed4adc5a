"""What stages remember about faces."""

from __future__ import annotations

from obs_facelive.known_faces import KnownFaces


def test_what_is_kept_is_recalled_with_its_age() -> None:
    known = KnownFaces[int, str](1.0)
    assert known.recall(1, 5.0) is None
    known.keep(1, 5.0, "a face")
    assert known.recall(1, 5.0) == ("a face", 0.0)
    assert known.recall(1, 5.5) == ("a face", 0.5)
    assert known.recall(2, 5.5) is None


def test_what_is_too_old_is_gone_and_so_is_what_lies_in_the_future() -> None:
    known = KnownFaces[int, str](1.0)
    known.keep(1, 5.0, "a face")
    assert known.recall(1, 6.0) is None
    assert known.recall(1, 4.9) is None


def test_keeping_one_face_drops_those_that_are_too_old() -> None:
    known = KnownFaces[int, str](1.0)
    known.keep(1, 5.0, "old")
    known.keep(2, 5.9, "young")
    known.keep(3, 6.5, "new")
    assert set(known._known) == {2, 3}
