"""A loop of crashes is slowed down; an engine that had worked comes back at once, however often it is ended."""

from __future__ import annotations

from obs_facelive.obs.restarts import LONGEST, Restarts


def test_a_loop_of_crashes_is_slowed_down_more_and_more() -> None:
    restarts = Restarts()

    waits = [restarts.died(float(second), 0.1) for second in range(8)]

    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, LONGEST, LONGEST]


def test_an_engine_that_had_worked_comes_back_at_once() -> None:
    restarts = Restarts()

    assert [restarts.died(4.0 * n, 3.0) for n in range(12)] == [0.0] * 12


def test_work_ends_a_loop_of_crashes() -> None:
    restarts = Restarts()
    for second in range(5):
        restarts.died(float(second), 0.0)

    assert restarts.died(20.0, 10.0) == 0.0
    assert restarts.died(21.0, 0.0) == 0.0
    assert restarts.died(22.0, 0.0) > 0


def test_three_deaths_in_a_minute_step_down_and_a_minute_forgives() -> None:
    restarts = Restarts()
    for second in (0.0, 20.0, 40.0):
        assert restarts.device == "auto"
        restarts.died(second, 19.0)
    assert restarts.device == "cpu"

    assert not restarts.forgive(100.0)
    restarts.died(79.9, 19.0)  # the first one was longer ago than a minute
    assert len(restarts) == 3
    assert restarts.forgive(140.0)
    assert restarts.device == "auto"
    assert not restarts.forgive(300.0)


def test_a_person_who_asks_for_an_engine_gets_a_fresh_start() -> None:
    restarts = Restarts()
    for second in range(5):
        restarts.died(float(second), 0.0)

    restarts.forget()

    assert (len(restarts), restarts.device, restarts.died(9.0, 0.0)) == (0, "auto", 0.0)
