"""Room for one, the newest wins, nobody waits for ever."""

from __future__ import annotations

import threading

from obs_facelive.engine.mailbox import Mailbox


def test_the_newest_wins_and_the_other_comes_back() -> None:
    box = Mailbox[int]()
    assert box.put(1) is None
    assert box.put(2) == 1
    assert box.take() == 2


def test_who_takes_waits() -> None:
    box, taken = Mailbox[int](), list[int | None]()
    thread = threading.Thread(target=lambda: taken.append(box.take()))
    thread.start()
    assert not taken
    box.put(7)
    thread.join(10)
    assert taken == [7]


def test_waiting_for_room_ends_when_it_is_taken() -> None:
    box, free = Mailbox[int](), list[bool]()
    assert box.wait_empty()
    box.put(1)
    thread = threading.Thread(target=lambda: free.append(box.wait_empty()))
    thread.start()
    assert not free
    box.take()
    thread.join(10)
    assert free == [True]


def test_closing_wakes_everybody_and_gives_back_what_is_left() -> None:
    box, empty = Mailbox[int](), Mailbox[int]()
    box.put(1)
    answers: list[object] = []
    threads = [threading.Thread(target=lambda f=f: answers.append(f())) for f in (box.wait_empty, empty.take)]
    for thread in threads:
        thread.start()
    assert box.close() == 1
    assert empty.close() is None
    for thread in threads:
        thread.join(10)
    assert sorted(answers, key=str) == [False, None]
    assert box.put(2) == 2
    assert box.take() is None
