"""Audio in step, in a running OBS: measured in what it records; and the own sync offset comes back, whatever happens.

The recording shows the bare clip beside the swapped one: how late that one is can be read from every picture. The tests share a
configuration and go from its beginning to its end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import obsws_python
import pytest

from obs_facelive.fields import in_step_key
from obs_facelive.in_step import MILLISECOND, Follower, Offset
from tests.obs.conftest import SCRIPT
from tests.obs.driving import add_filter, fresh, is_live, remove_filter
from tools import flash_beep
from tools.obs_config import Collection, Item, Scene, Video, camera, media
from tools.obs_session import ObsSession
from tools.waiting import wait_for

CAMERA, OURS, MIC = "camera", "FaceLive", "mic"
WIDTH, HEIGHT, FPS = 480, 270, 30
OWN = 40
"""The person's own sync offset, in ms."""
NEAR = 15.0
"""Milliseconds, as promised."""
LIGHT = {"privacy": False, "occlusion": 0, "shape": 0, "match_neck": 0}
"""What costs time and has no sound: OBS draws with the same two cores, and a picture that comes unevenly proves nothing."""
VIDEO = Video(2 * WIDTH, HEIGHT, FPS)
WINDOW = Follower.WINDOW
"""Seconds that the filter's own figure is a mean of."""


def _beside(area: flash_beep.Area) -> list[flash_beep.Area]:
    """Where the bare and the swapped picture have that area of the clip's, in the recording."""
    x0, y0, x1, y1 = area
    return [(x0 / 2 + left, y0, x1 / 2 + left, y1) for left in (0, 0.5)]


@pytest.fixture(scope="module")
def clip(camera_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Longer than the recording: a player that starts again is not in step at once."""
    out = tmp_path_factory.mktemp("clips") / "flash_beep.mkv"
    flash_beep.make(camera_clip, out, WIDTH, HEIGHT, rounds=15)
    return out


def collection(clip: Path) -> Collection:
    """The bare clip on the left, the swapped one on the right."""
    sources = [media(CAMERA, clip), camera(CAMERA, OURS, LIGHT)]
    return Collection("Audio", sources, [Scene("Scene", [Item(CAMERA), Item(OURS, x=WIDTH)])], [SCRIPT])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audio")


@pytest.fixture(scope="module")
def obs(folder: Path, clip: Path, obs_env: dict[str, str]) -> Iterator[ObsSession]:
    with ObsSession(folder, [collection(clip)], video=VIDEO, env=obs_env) as session:
        prepare(session)
        yield session


def prepare(obs: ObsSession) -> None:
    """Wait for the swapped face, and set the person's own offset."""
    obs.client.set_input_audio_sync_offset(CAMERA, OWN)
    obs.wait_status("the swapped face", is_live, seconds=60)
    fresh(obs, 30)


def offset(obs: ObsSession, source: str = CAMERA) -> int:
    """The sync offset that OBS shows, in ms."""
    return int(obs.client.get_input_audio_sync_offset(source).input_audio_sync_offset)


def tick(obs: ObsSession, on: bool = True) -> None:
    """Tick the camera's sound in the FaceLive camera's panel."""
    obs.client.set_input_settings(OURS, {in_step_key(CAMERA): on}, True)


def own_again(obs: ObsSession, source: str = CAMERA) -> bool:
    """Wait until a source has its own offset again."""
    return wait_for("the own offset", lambda: offset(obs, source) == OWN, 10)


@dataclass(frozen=True)
class Told:
    """What OBS and the filter said at one moment of a recording: seconds recorded, ms late, ms the sound is delayed for it."""

    seconds: float
    late: float
    sound: int | None


class Watched:
    """A recording that is going on, with notes.

    Attributes
    ----------
    told : the notes
    steps : every sync offset of the camera, as OBS told the world about it, ms
    """

    def __init__(self, obs: ObsSession) -> None:
        self._obs = obs
        self.told: list[Told] = []
        self.steps: list[int] = []

        def on_input_audio_sync_offset_changed(data: Any) -> None:
            self.steps.append(data.input_audio_sync_offset)

        self._events = obsws_python.EventClient(host="127.0.0.1", port=obs.port, password="")
        self._events.callback.register(on_input_audio_sync_offset_changed)
        obs.start_recording()

    def until(self, what: str, test: Callable[[], bool], seconds: float) -> Told:
        """Records on until then; gives the last note."""
        wait_for(what, lambda: self._note() and test(), seconds, every=0.1)
        return self.told[-1]

    def _note(self) -> bool:
        recorded = self._obs.client.get_record_status().output_duration / 1000
        status = self._obs.status(OURS)
        if status:
            self.told.append(Told(recorded, status["late_ms"], status["sound"].get(CAMERA)))
        return bool(self.told)

    def end(self) -> Path:
        """The recording's file."""
        self._events.disconnect()
        return self._obs.stop_recording()

    def last(self, seconds: float) -> list[Told]:
        """The notes of so many last seconds of the recording; none if it is shorter."""
        since = self.told[-1].seconds - seconds
        return [note for note in self.told if note.seconds > since] if self.told[0].seconds <= since else []

    def steady(self, seconds: float) -> bool:
        """Whether the sound has stood still so long, as late as the picture is said to be."""
        sounds, now = {note.sound for note in self.last(seconds)}, self.told[-1]
        return len(sounds) == 1 and now.sound is not None and abs(now.late - now.sound) < NEAR - 5


def judge(recording: Path, apart: list[Told], in_step: list[Told]) -> None:
    """The recording must show what was told of two parts of it.

    That needs a machine with nothing else to do: where the delay jumps by whole pictures, the filter's mean, without the
    highest and lowest fifth, is not the plain one.
    """
    times, numbers = flash_beep.numbers(recording, _beside(flash_beep.NUMBER))
    ages = np.where((numbers >= 0).all(axis=1), (numbers[:, 0] - numbers[:, 1]) % 360 * 1000 / FPS, np.nan)
    heard = flash_beep.beeps(recording)
    lit = [flash_beep.flashes(recording, area) for area in _beside(flash_beep.CORNER)]
    bare, swapped = _after(heard, lit[0], -0.9), _after(heard, lit[1], -0.3)
    figures: dict[str, Any] = {}
    for name, told in (("apart", apart), ("in step", in_step)):
        late, sound = float(_part(times, ages, told).mean()), float(-np.median(_part(heard, bare, told)))
        # OBS moves sound that plays already only when an offset changes that was not zero: until then the sound lies
        # where it happened to begin, some ten milliseconds off, and only the bare flash says where that is.
        before = sound if name == "apart" else OWN
        flashes, sound = _part(heard, swapped, told) + before, sound - before
        figures[name] = {"told": told[-1], "late": late, "sound": sound, "flashes": np.round(flashes, 1).tolist()}
        print(name, figures[name])
        seconds = told[-1].seconds - told[0].seconds
        assert len(flashes) >= seconds - 3 and np.isfinite(ages).mean() > 0.9, figures

        # What the filter says of the picture, and what OBS did to the sound, is what is recorded.
        # Each note is a mean of the window before it: those that follow one another tell the whole time.
        ends = np.arange(told[-1].seconds, told[0].seconds + WINDOW - 0.5, -WINDOW)
        said = [min(told, key=lambda note: abs(note.seconds - end)).late for end in ends]
        lately = ages[(times > ends[-1] - WINDOW) & (times < ends[0]) & np.isfinite(ages)]
        assert abs(lately.mean() - np.mean(said)) < NEAR, figures
        assert abs(sound - (told[-1].sound or 0)) < 5, figures
        assert late > 2 * NEAR
        wanted = late if name == "apart" else 0.0
        assert abs(late - sound - wanted) < NEAR, figures
        assert abs(np.mean(flashes) - wanted) < NEAR, figures
        assert abs(np.median(flashes) - wanted) < NEAR, figures


def _part(when: npt.NDArray[np.float64], what: npt.NDArray[np.float64], told: list[Told]) -> npt.NDArray[np.float64]:
    return what[(when > told[0].seconds) & (when < told[-1].seconds) & np.isfinite(what)]


def _after(heard: npt.NDArray[np.float64], lit: npt.NDArray[np.float64], earliest: float) -> npt.NDArray[np.float64]:
    """By how much the flash comes after each beep, in ms; NaN where none comes from ``earliest`` seconds on."""
    apart = lit[None] - heard[:, None]
    apart = np.where((apart >= earliest) & (apart < earliest + flash_beep.EVERY), apart, np.nan)
    nearest = [row[np.isfinite(row)][:1] for row in apart]
    return np.array([row[0] * 1000 if len(row) else np.nan for row in nearest])


@pytest.mark.slow
def test_they_are_in_step_for_a_minute(tmp_path: Path, clip: Path, obs_env: dict[str, str]) -> None:
    with ObsSession(tmp_path / "obs", [collection(clip)], video=VIDEO, env=obs_env) as session:
        prepare(session)
        judge(*recorded(session, 30))
        session.quit()


def recorded(obs: ObsSession, seconds: float) -> tuple[Path, list[Told], list[Told]]:
    """A recording, and what was told of its parts without and with the sound in step, each so long."""
    watched = Watched(obs)
    watched.until("some of it", lambda: bool(watched.last(seconds)), seconds + 60)
    apart = watched.last(seconds)
    tick(obs)
    watched.until("the sound to be in step", lambda: watched.steady(seconds), seconds + 90)
    in_step = watched.last(seconds)
    tick(obs, False)
    assert own_again(obs)
    recording = watched.end()

    on_the_way = [OWN, *watched.steps[:-1]]
    assert watched.steps[-1] == OWN and len(on_the_way) > 5
    assert max(abs(b - a) for a, b in pairwise(on_the_way)) <= Follower.STEP
    return recording, apart, in_step


def in_step(obs: ObsSession, name: str = OURS, source: str = CAMERA) -> None:
    """Wait until a filter has delayed a source by a good deal."""
    obs.wait_status("the sound", lambda s: s["sound"].get(source, 0) > 2 * NEAR, name=name)


def test_a_filter_that_is_removed_gives_the_own_offset_back(obs: ObsSession) -> None:
    add_filter(obs, CAMERA, "On it", {in_step_key(CAMERA): True})
    in_step(obs, "On it")
    assert offset(obs) > OWN
    remove_filter(obs, CAMERA, "On it")
    assert own_again(obs)


def test_whoever_changes_it_by_hand_takes_it_over(obs: ObsSession) -> None:
    tick(obs)
    in_step(obs)
    obs.client.set_input_audio_sync_offset(CAMERA, OWN)

    def unticked() -> bool:
        return obs.client.get_input_settings(OURS).input_settings[in_step_key(CAMERA)] is False

    assert wait_for("the tick to go", unticked, 5)
    fresh(obs)
    assert offset(obs) == OWN


def test_a_renamed_source_stays_in_step(obs: ObsSession) -> None:
    tick(obs)
    in_step(obs)
    obs.client.set_input_name(CAMERA, MIC)
    in_step(obs, source=MIC)
    obs.client.set_input_name(MIC, CAMERA)
    in_step(obs)


def saved(folder: Path) -> dict[str, Any]:
    """The collection, as OBS saved it last; it is away for a moment while OBS saves it anew."""

    def text() -> str:
        return "".join(file.read_text() for file in folder.rglob("scenes/Audio.json"))

    return dict(json.loads(wait_for("the saved collection", text, 5)))


def saved_offset(collection: dict[str, Any]) -> int:
    """The camera's, in ns."""
    return next(int(source["sync"]) for source in collection["sources"] if source["name"] == CAMERA)


def saved_with_ours(folder: Path) -> dict[str, Any]:
    """The collection, once it was saved with an offset of ours."""

    def ours() -> dict[str, Any] | None:
        found = saved(folder)
        return found if Offset.read(saved_offset(found)) else None

    return wait_for("an offset of ours to be saved", ours, 10)


@dataclass(frozen=True)
class Saved(Collection):
    """A collection as OBS saved it, with or without the FaceLive camera."""

    saved: dict[str, Any] | None = None
    ticked: bool = True

    def json(self) -> dict[str, Any]:
        whole = dict(self.saved or {})
        whole["sources"] = [s for s in whole["sources"] if self.ticked or s["name"] != OURS]
        return whole


def test_it_comes_back_after_a_crash_and_after_the_end(obs: ObsSession, folder: Path, obs_env: dict[str, str]) -> None:
    in_step(obs)
    wait_for("the camera's name", lambda: obs.client.get_input_settings(OURS).input_settings["camera"] == CAMERA, 10)
    obs.client.create_scene("Another")  # OBS saves
    scenes = Saved("Audio", [], [], saved=saved_with_ours(folder))  # before: its end may come while it saves
    obs.kill()

    with ObsSession(folder, [scenes], video=obs.video, env=obs_env) as again:
        # Still ticked: it goes on from there.
        again.wait_status("the sound", lambda s: s["sound"].get(CAMERA, 0) > 2 * NEAR)
        assert offset(again) > OWN
        again.quit()
        assert again.leaks() == 0

    # OBS saves before it tells scripts of its end.
    scenes = Saved("Audio", [], [], saved=saved_with_ours(folder), ticked=False)
    with ObsSession(folder, [scenes], video=obs.video, env=obs_env) as without:
        assert own_again(without)
        without.quit()
        assert without.leaks() == 0
    assert saved_offset(saved(folder)) == OWN * MILLISECOND
