"""Which offsets `Sound` sets on which sources, and the panel's ticks: over a libobs that is only a table of sources."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from obs_facelive.fields import IN_STEP, in_step_key, in_step_names
from obs_facelive.home import Home
from obs_facelive.in_step import MILLISECOND, Follower, Offset
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.audio import IDLE, PERIOD, Sound
from obs_facelive.obs.instances import Instance
from obs_facelive.obs.panel import Panel

MIC, DESK = 1, 2


class Studio:
    """Rows of filters, and sources with sound, as `Sound` sees them.

    Attributes
    ----------
    names, offsets : of the sources, ns
    late : by row: how late OBS draws its pictures, ms; a filter without an entry is not drawn
    """

    def __init__(self) -> None:
        self.rows = r.Rows()
        self.libobs = self
        self.scenes = self
        self.names = {MIC: "mic", DESK: "desk"}
        self.offsets = {MIC: 0, DESK: 0}
        self.late: dict[int, float] = {}
        self.disabled: set[int] = set()
        self.instances: list[Instance] = []
        self.sets = 0
        self.now = 100.0
        self.sound = Sound(self)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name in abi.FUNCTIONS:
            return lambda *arguments: 0
        raise AttributeError(name)

    @property
    def obs_source_get_sync_offset(self) -> Any:
        return lambda source: self.offsets[source]

    @property
    def obs_source_set_sync_offset(self) -> Any:
        def change(source: int, ns: int) -> None:
            self.offsets[source] = ns
            self.sets += 1

        return change

    @property
    def obs_source_enabled(self) -> Any:
        return lambda source: source not in self.disabled

    def strong_source(self, address: int) -> int:
        """A filter's source is called by its row's address."""
        return address

    @contextmanager
    def sounding(self) -> Iterator[dict[int, str]]:
        yield dict(self.names)

    def change_settings(self, source: int, change: dict[str, bool]) -> None:
        row = (source - self.rows.words.ctypes.data) // (8 * r.ROW_WORDS)
        self.tell(row, **{key: on for key, on in change.items()})

    def tell(self, row: int, **settings: bool) -> None:
        """Changes a filter's settings, as OBS tells them."""
        whole = json.loads(self.rows.json(row) or b"{}") | settings
        text = json.dumps(whole).encode() + b"\0"
        self.rows._json[row, : len(text)] = list(text)
        self.rows.words[row, r.JSON_SEQ] += 1

    def add(self, row: int, late: float | None, *names: str) -> None:
        """A filter that ticks some sources."""
        self.instances.append(Instance(row, serial=row + 7))
        self.tell(row, **{in_step_key(name): True for name in names})
        if late is not None:
            self.late[row] = late

    def ticks(self, row: int) -> set[str]:
        return set(in_step_names(self.rows.json(row)) or ())

    def run(self, seconds: float) -> list[int]:
        """Time goes by. Gives the microphone's offsets, ns, as they were set."""
        seen = [self.offsets[MIC]]
        for _ in range(round(seconds / PERIOD)):
            self.now += PERIOD + 1e-6
            for row, late in self.late.items():
                self.rows.words[row, r.AGE_NS] += int(3 * late * MILLISECOND)
                self.rows.words[row, r.AGED] += 3
            self.sound.tend(self.instances, self.now)
            if self.offsets[MIC] != seen[-1]:
                seen.append(self.offsets[MIC])
        return seen


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_a_ticked_source_follows_the_delay_on_top_of_its_own_offset(studio: Studio) -> None:
    studio.offsets[MIC] = -50 * MILLISECOND
    studio.add(0, 80, "mic")
    set_to = studio.run(10)
    assert set_to[1] == Offset(-50, 0).ns  # the mark comes before the first step
    assert set_to[-1] == Offset(-50, 80).ns
    assert max(b - a for a, b in pairwise(set_to[1:])) <= Follower.STEP * MILLISECOND
    assert studio.offsets[DESK] == 0
    assert studio.sound.report(0) == {"late_ms": 80.0, "sound": {"mic": 80}}
    sets = studio.sets
    studio.run(10)
    assert studio.sets == sets


def test_unticked_gives_the_own_offset_back(studio: Studio) -> None:
    studio.offsets[MIC] = 30 * MILLISECOND
    studio.add(0, 80, "mic")
    studio.run(5)
    studio.tell(0, **{in_step_key("mic"): False})
    assert studio.run(PERIOD)[-1] == 30 * MILLISECOND
    assert studio.sound.report(0)["sound"] == {}


def test_a_filter_that_goes_gives_it_back(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    studio.run(5)
    studio.instances.clear()
    assert studio.run(PERIOD)[-1] == 0


def test_the_script_that_goes_gives_it_back(studio: Studio) -> None:
    studio.add(0, 80, "mic", "desk")
    studio.run(5)
    studio.sound.restore()
    assert studio.offsets == {MIC: 0, DESK: 0}


def test_what_a_crash_left_behind_is_put_back(studio: Studio) -> None:
    studio.offsets = {MIC: Offset(-20, 95).ns, DESK: 123_456}
    studio.run(IDLE + PERIOD)
    assert studio.offsets == {MIC: -20 * MILLISECOND, DESK: 123_456}


def test_what_is_still_ticked_after_a_crash_goes_on_from_there(studio: Studio) -> None:
    studio.offsets[MIC] = Offset(-20, 95).ns
    studio.add(0, None, "mic")
    assert studio.run(5) == [Offset(-20, 95).ns]
    studio.late[0] = 60
    set_to = studio.run(15)
    assert set_to[-1] == Offset(-20, 60).ns
    assert max(a - b for a, b in pairwise(set_to)) <= Follower.STEP * MILLISECOND


def test_a_copy_of_a_source_in_step_gets_its_own_offset(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    studio.run(5)
    studio.names[3], studio.offsets[3] = "mic 2", studio.offsets[MIC]
    studio.run(PERIOD)
    assert studio.offsets[3] == 0
    assert Offset.read(studio.offsets[MIC])


@pytest.mark.parametrize("by_hand", [0, 300 * MILLISECOND, 80 * MILLISECOND + 2 * MILLISECOND])
def test_whoever_changes_it_by_hand_takes_it_over(studio: Studio, by_hand: int) -> None:
    studio.add(0, 80, "mic", "desk")
    studio.add(1, 60, "mic")
    studio.run(5)
    studio.offsets[MIC] = by_hand
    studio.run(5)
    assert studio.offsets[MIC] == by_hand
    assert studio.ticks(0) == {"desk"} and studio.ticks(1) == set()


def test_ticked_again_after_that_it_counts_on_top(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    studio.run(5)
    studio.offsets[MIC] = -10 * MILLISECOND
    studio.run(1)
    studio.tell(0, **{in_step_key("mic"): True})
    assert studio.run(5)[-1] == Offset(-10, 80).ns


def test_a_dialog_that_rounds_to_milliseconds_takes_nothing_over(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    before = studio.run(5)[-1]
    studio.offsets[MIC] = before // MILLISECOND * MILLISECOND
    assert studio.run(PERIOD)[-1] == before


def test_the_largest_delay_of_those_that_are_drawn_counts(studio: Studio) -> None:
    studio.add(0, 60, "mic")
    studio.add(1, 120, "mic")
    assert Offset.read(studio.run(10)[-1]) == Offset(0, 120)
    del studio.late[1]  # another scene
    assert Offset.read(studio.run(15)[-1]) == Offset(0, 60)
    studio.tell(0, **{in_step_key("mic"): False})  # the other one still ticks it
    assert Offset.read(studio.run(5)[-1]) == Offset(0, 60)
    studio.tell(1, **{in_step_key("mic"): False})
    assert studio.run(1)[-1] == 0


def test_a_filter_that_is_switched_off_delays_nothing(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    studio.run(5)
    del studio.late[0]
    studio.disabled.add(studio.rows.words[0].ctypes.data)
    assert studio.run(15)[-1] == Offset(0, 0).ns


def test_nothing_moves_while_nothing_is_drawn(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    before = studio.run(5)[-1]
    del studio.late[0]
    assert studio.run(20) == [before]


def test_a_renamed_source_keeps_its_tick(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    before = studio.run(5)[-1]
    studio.names[MIC] = "microphone"
    assert studio.run(5) == [before]
    assert studio.ticks(0) == {"microphone"}
    assert studio.sound.report(0)["sound"] == {"microphone": 80}


def test_another_source_with_the_name_starts_anew(studio: Studio) -> None:
    studio.add(0, 80, "mic")
    studio.run(5)
    del studio.names[MIC]
    studio.run(1)
    studio.names[3], studio.offsets[3] = "mic", 0
    studio.run(5)
    assert studio.offsets[3] == Offset(0, 80).ns and studio.ticks(0) == {"mic"}


def test_an_offset_too_far_away_to_be_remembered_is_left_alone(studio: Studio) -> None:
    studio.offsets[MIC] = -5000 * MILLISECOND
    studio.add(0, 80, "mic")
    assert studio.run(5) == [-5000 * MILLISECOND]


def test_settings_that_are_no_json_tick_nothing(studio: Studio) -> None:
    studio.add(0, 80)
    for bad in (b"", b"[1]", b"{", b'{"in_step:mic": 1, "in_step:desk": "yes"}', b"[" * 60000):
        studio.rows._json[0, : len(bad) + 1] = [*bad, 0]
        studio.rows.words[0, r.JSON_SEQ] += 1
        assert studio.run(2) == [0]


class Properties:
    """libobs as the panel sees it: notes what is added."""

    def __init__(self) -> None:
        self.added: list[tuple[str, ...]] = []

    def __getattr__(self, name: str) -> Any:
        if name not in abi.FUNCTIONS:
            raise AttributeError(name)

        def call(*arguments: Any) -> int:
            texts = [a.value.decode() for a in arguments if isinstance(a, ctypes.c_char_p) and a.value is not None]
            self.added.append((name.removeprefix("obs_"), *texts))
            return len(self.added)

        return call


def test_the_panel_has_a_tick_for_each_source_with_sound(tmp_path: Path) -> None:
    libobs = Properties()
    panel = Panel(libobs, Home(tmp_path))  # type: ignore[arg-type]
    panel.sound_sources = lambda: ["Mic/Aux", "desk {0} ☃"]
    make = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(panel.filter_address)
    assert make(None)
    ticks = [texts for name, *texts in libobs.added if name == "properties_add_bool" and "in_step:" in texts[0]]
    assert ticks == [
        ["in_step:Mic/Aux", "Keep Mic/Aux in step"],
        ["in_step:desk {0} ☃", "Keep desk {0} ☃ in step"],
    ]
    assert ("property_set_long_description", IN_STEP.help) in libobs.added
    assert libobs.added[-1] == ("properties_add_group", "group_sound", "Sound")


def test_a_panel_without_any_has_no_such_group(tmp_path: Path) -> None:
    libobs = Properties()
    panel = Panel(libobs, Home(tmp_path))  # type: ignore[arg-type]
    ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(panel.filter_address)(None)
    assert "Sound" not in [text for call in libobs.added for text in call]
