"""What is written beside OBS's recordings, with OBS's frontend and the engine played."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs_facelive.home import Home
from obs_facelive.obs import recordings as module
from obs_facelive.obs import rows as r
from obs_facelive.obs.abi import LOG_WARNING
from obs_facelive.obs.instances import Instance
from obs_facelive.obs.recordings import PERIOD, Recordings
from obs_facelive.obs.status import Report
from obs_facelive.provenance import sidecar
from obs_facelive.provenance.sidecar import Content


class Frontend:
    """OBS's, played."""

    def __init__(self) -> None:
        self.file, self.on = "", False
        self.replay, self.buffering = "", False

    def recording(self) -> bool:
        return self.on

    def last_recording(self) -> str:
        return self.file

    def replay_buffer(self) -> bool:
        return self.buffering

    def last_replay(self) -> str:
        return self.replay


class Block:
    """A block whose memory nobody reads."""

    memory = None


class World:
    """One filter (row 0) and one camera (row 1), and what OBS does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows, self.frontend, self.logged = folder, r.Rows(), Frontend(), list[tuple[int, str]]()
        self.rows.words[1, r.KIND] = r.KIND_CAMERA
        home = Home.find()
        self.watched = Recordings(self.rows, self.frontend, home, lambda *line: self.logged.append(line))  # type: ignore[arg-type]
        self.instances = [Instance(0, 1, block=Block()), Instance(1, 2)]  # type: ignore[arg-type]
        self._now = 0.0

    def record(self, name: str) -> Path:
        """OBS records into that file from now on."""
        path = self.folder / name
        path.write_bytes(b"v" * 1000)
        self.frontend.file, self.frontend.on = str(path), True
        self.look()
        return path

    def swap(self, row: int, pictures: int) -> None:
        """A filter shows so many swapped pictures, and one more without a face."""
        for word, more in ((r.RENDERS, pictures + 1), (r.WITH_FACE, pictures), (r.SWAPPED_FRAMES, pictures)):
            self.rows.words[row, word] += more
        self.look()

    def look(self) -> None:
        self._now += 2 * PERIOD
        self.watched.tend(self.instances, self._now)

    def save(self, name: str) -> Path:
        """OBS saves its replay buffer, and what belongs to it is written."""
        path = self.folder / name
        path.write_bytes(b"r" * 500)
        self.frontend.replay = str(path)
        self.stop()
        return path

    def stop(self) -> None:
        """The recording ends, and everything is written."""
        self.frontend.on = False
        self.look()
        for thread in self.watched._threads:
            thread.join(10)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def persona(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine says it wears: the last one."""
    wearing = [Home.find().persona_names()[0]]
    monkeypatch.setattr(module, "engine_report", lambda memory: Report(persona=wearing[-1]))
    return wearing


def test_a_recording_gets_its_sidecar(world: World, persona: list[str]) -> None:
    world.swap(0, 100)
    film = world.record("film.mkv")
    world.swap(0, 7)
    persona.append(Home.find().persona_names()[1])
    world.swap(0, 5)
    world.stop()

    note = sidecar.read(film)
    assert note.files == {"film.mkv": sidecar.content(film)} and note.what == sidecar.CHANGED and not note.signed
    (camera,) = note.cameras  # the other one was not drawn
    assert (camera.kind, camera.pictures.shown, camera.pictures.swapped, camera.pictures.bare) == ("filter", 14, 12, 0)
    folders = [Home.find().personas / name for name in persona]
    assert camera.worn == (sidecar.worn_from(folders[0], 7), sidecar.worn_from(folders[1], 5))
    assert camera.worn[0].kind == "synthetic" and camera.worn[0].digest


def test_each_that_was_drawn_is_listed(world: World, persona: list[str]) -> None:
    film = world.record("film.mkv")
    world.swap(0, 3)
    world.swap(1, 4)
    world.instances.pop(0)  # the filter is taken away in the middle
    world.swap(1, 4)
    world.stop()
    cameras = sidecar.read(film).cameras
    assert [(c.kind, c.pictures.swapped) for c in cameras] == [("filter", 3), ("camera", 8)]
    assert cameras[1].worn[0].kind == "unknown"  # nobody said who that was


def test_without_a_swapped_face_there_is_none(world: World, persona: list[str]) -> None:
    world.swap(0, 50)
    film = world.record("film.mkv")
    world.rows.words[0, r.RENDERS] += 20
    world.look()
    world.stop()
    assert list(world.folder.iterdir()) == [film]


def test_of_a_recording_in_parts_each_has_its_own(world: World, persona: list[str]) -> None:
    first = world.record("a.mkv")
    world.swap(0, 3)
    second = world.record("b.mkv")
    world.swap(0, 4)
    world.stop()
    assert [sidecar.read(path).swapped for path in (first, second)] == [3, 4]


def test_an_end_in_the_middle_leaves_a_sidecar_without_a_hash(world: World, persona: list[str]) -> None:
    film = world.record("film.mkv")
    world.swap(0, 3)
    world.watched.close()
    assert sidecar.read(film).files == {"film.mkv": Content(bytes=1000)}
    world.watched.close()


def test_each_replay_tells_what_was_worn_since_the_buffer_was_switched_on(world: World, persona: list[str]) -> None:
    old = world.folder / "old.mkv"
    world.frontend.replay = str(old)  # of the time before the script was loaded
    world.swap(0, 9)
    world.frontend.buffering = True
    world.look()
    world.swap(0, 3)
    first = world.save("one.mkv")
    world.swap(0, 4)
    second = world.save("two.mkv")
    assert [sidecar.read(path).swapped for path in (first, second)] == [3, 7]
    assert sidecar.read(first).files == {"one.mkv": sidecar.content(first)}
    assert not sidecar.beside(old).exists()
    world.frontend.buffering = False
    world.swap(0, 5)
    world.frontend.buffering = True
    world.look()
    world.swap(0, 2)
    assert sidecar.read(world.save("three.mkv")).swapped == 2


def test_a_replay_without_a_swapped_face_has_none(world: World, persona: list[str]) -> None:
    world.frontend.buffering = True
    world.look()
    assert not sidecar.beside(world.save("bare.mkv")).exists()


def test_what_cannot_be_written_is_said_in_the_log(world: World, persona: list[str]) -> None:
    film = world.record("film.mkv")
    film.unlink()
    world.swap(0, 3)
    world.stop()
    ((level, words),) = world.logged
    assert level == LOG_WARNING and "film.mkv cannot be written" in words


def test_a_name_that_is_no_personas_is_not_looked_for(world: World, persona: list[str]) -> None:
    persona.append("../../secrets")
    film = world.record("film.mkv")
    world.swap(0, 3)
    world.stop()
    assert sidecar.read(film).cameras[0].worn[0].kind == "unknown"


def test_without_a_frontend_nothing_happens(world: World) -> None:
    Recordings(world.rows, None, Home.find(), lambda level, text: None).tend(world.instances, 1.0)
