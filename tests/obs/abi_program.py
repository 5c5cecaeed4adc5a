"""Run by `test_abi` in a process of its own: FaceLive in a libobs without OBS, from registration to the leak count.

    python -m tests.obs.abi_program FOLDER FILES

FOLDER has ``face.png``, ``noise.png``, ``small.png`` and ``clip.mp4``; ``report.json`` and pictures (``*.npy``) are written
into it. FILES is a `LibobsFiles` as JSON. This program only does and writes down; `test_abi` judges.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

from obs_facelive.home import Home
from obs_facelive.obs import abi, entry
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import ID
from obs_facelive.obs.states import REASONS
from tests.obs.libobs import Libobs
from tools.libobs32 import LibobsFiles
from tools.waiting import wait_for

_SECONDS = 60.0
_STATES = ("starting", "live", "hold", "cover", "bypass")


class Worn:
    """Our filter on a source.

    Attributes
    ----------
    filter : what libobs calls it
    """

    def __init__(self, obs: Libobs, source: int, name: str, settings: dict[str, Any] | None = None) -> None:
        self._obs, self._source, self._name = obs, source, name
        self.filter = obs.add_filter(source, ID, name, settings)
        self.address = obs.call.obs_obj_get_data(self.filter)
        self._row = (ctypes.c_int64 * r.ROW_WORDS).from_address(self.address)

    def __getitem__(self, word: int) -> int:
        return self._row[word]

    @property
    def state(self) -> str:
        """What it shows."""
        return _STATES[self[r.STATE]]

    def wait(self, state: str, reason: str = "") -> None:
        """Wait until it shows that, for that reason."""
        try:
            wait_for(
                f"{self._name}: {state} ({reason})",
                lambda: self.state == state and (not reason or REASONS[self[r.REASON]] == reason),
                _SECONDS,
            )
        except TimeoutError as late:
            raise TimeoutError(f"{late}; it is {self.note()}") from late

    def update(self, settings: dict[str, Any]) -> None:
        """Change settings; wait until libobs has told the filter."""
        before = self[r.JSON_SEQ]
        self._obs.update(self.filter, settings)
        wait_for(f"{self._name}: {settings}", lambda: self[r.JSON_SEQ] > before, _SECONDS)

    def status(self) -> dict[str, Any]:
        """What the supervisor says about it."""
        return wait_for(f"{self._name}: a status", self._status, _SECONDS)

    def _status(self) -> dict[str, Any] | None:
        for file in Path(os.environ["FACELIVE_STATUS_DIR"]).glob("*.json"):
            status: dict[str, Any] = json.loads(file.read_text())
            if status["name"] == self._name:
                return status
        return None

    def wait_applied(self) -> None:
        """Wait until pictures are shown that the engine made with the newest settings."""

        def applied() -> bool:
            status = self.status()
            return bool(status["settings_seq"] > 0 and status["applied_seq"] >= status["settings_seq"])

        wait_for(f"{self._name}: settings in the engine", applied, _SECONDS)
        results = self[r.RESULTS]
        wait_for(f"{self._name}: new results", lambda: self[r.RESULTS] > results + 3, _SECONDS)

    def note(self) -> dict[str, Any]:
        """Its row in words."""
        return {
            "state": self.state,
            "reason": REASONS[self[r.REASON]],
            "size": [self[r.WIDTH], self[r.HEIGHT]],
            "raw_shown": self[r.RAW_SHOWN],
            "torn": self[r.TORN],
            "bad_results": self[r.BAD_RESULTS],
        }


class Program:
    """The chapters of the story, in their order; each gives what goes into the report."""

    def __init__(self, folder: Path, obs: Libobs) -> None:
        self._folder, self._obs = folder, obs

    def _save(self, name: str, source: int) -> None:
        np.save(self._folder / f"{name}.npy", self._obs.picture(source))

    def _save_with_and_without(self, name: str, source: int, worn: Worn) -> None:
        self._save(name, source)
        self._obs.call.obs_source_set_enabled(worn.filter, False)
        self._save(f"{name}_bare", source)
        self._obs.call.obs_source_set_enabled(worn.filter, True)

    def registration(self) -> dict[str, Any]:
        """FaceLive comes into libobs; beside it, a struct that no libobs can take, so that we see that errors are seen."""
        call = self._obs.call
        before = self._obs.filter_types()
        entry.load()
        refused = (ctypes.c_char * 4096)()
        info = abi.SourceInfo.from_buffer(refused)
        info.id, info.type, info.output_flags = b"facelive_too_large", abi.SOURCE_TYPE_FILTER, abi.SOURCE_VIDEO
        call.obs_register_source_s(refused, len(refused))
        return {
            "version": call.obs_get_version_string(),
            "struct_bytes": ctypes.sizeof(abi.SourceInfo),
            "before": before,
            "after": self._obs.filter_types(),
            "display_name": call.obs_source_get_display_name(ID),
            "output_flags": call.obs_get_source_output_flags(ID),
            "defaults": self._obs.defaults(call.obs_get_source_defaults(ID)),
        }

    def panel(self, worn: Worn) -> dict[str, Any]:
        """The panel of the kind, and of one filter, whose button is pressed: the engines before and after that."""
        obs, call = self._obs, self._obs.call
        of_kind, of_filter = call.obs_get_source_properties(ID), call.obs_source_properties(worn.filter)
        noted: dict[str, Any] = {"kind": obs.properties(of_kind), "filter": obs.properties(of_filter)}
        before = worn.status()["engine_pid"]
        call.obs_property_button_clicked(call.obs_properties_get(of_filter, "restart"), worn.filter)
        after = wait_for("another engine", lambda: {0, before, worn.status()["engine_pid"]} - {0, before}, _SECONDS)
        for panel in (of_kind, of_filter):
            call.obs_properties_destroy(panel)
        return noted | {"engines": [before, *after]}

    def still(self) -> dict[str, Any]:
        """A picture without a face: every choice of what may be seen, other sizes, no size, the eye button, a new canvas."""
        obs, folder = self._obs, self._folder
        noted: dict[str, Any] = {}
        picture = obs.source("image_source", "picture", {"file": str(folder / "noise.png")})
        self._save("noise", picture)
        worn = Worn(obs, picture, "FaceLive picture", {"badge": "off"})
        noted["flags"] = obs.call.obs_source_get_output_flags(worn.filter)
        noted["type"] = obs.call.obs_source_get_type(worn.filter)
        noted["defaults"] = obs.defaults(obs.call.obs_source_get_settings(worn.filter))
        noted["settings"] = obs.settings(worn.filter)
        worn.wait("cover", "no face")
        for name, settings, state, reason in (
            ("no_face", {}, "cover", "no face"),
            ("off", {"swap": False}, "cover", "swap is off"),
            ("open", {"privacy": False}, "bypass", ""),
            ("camera", {"swap": True, "privacy": True, "no_face": "camera"}, "bypass", "no face"),
        ):
            worn.update(settings)
            worn.wait(state, reason)
            self._save(name, picture)
            noted[name] = worn.note()

        obs.update(picture, {"file": str(folder / "small.png")})
        wait_for("the other size", lambda: worn[r.WIDTH] == 320, _SECONDS)
        worn.wait("bypass", "no face")
        self._save_with_and_without("small", picture, worn)
        noted["small"] = worn.note()

        obs.update(picture, {"file": ""})
        wait_for("no size", lambda: obs.picture(picture).size == 0, _SECONDS)
        captures, renders = worn[r.CAPTURES], worn[r.RENDERS]
        wait_for("frames of no size", lambda: worn[r.RENDERS] > renders + 3, _SECONDS)
        noted["captures_of_nothing"] = worn[r.CAPTURES] - captures
        obs.update(picture, {"file": str(folder / "noise.png")})
        wait_for("the first size", lambda: worn[r.WIDTH] == 640 and worn[r.CAPTURES] > captures + 3, _SECONDS)
        worn.wait("bypass", "no face")
        self._save("back", picture)

        obs.call.obs_source_set_enabled(worn.filter, False)
        obs.picture(picture)  # no frame that was begun before is still being drawn after this
        renders = worn[r.RENDERS]
        self._save("disabled", picture)
        noted["renders_while_disabled"] = worn[r.RENDERS] - renders
        obs.call.obs_source_set_enabled(worn.filter, True)

        obs.reset_video(960, 540)
        captures = worn[r.CAPTURES]
        wait_for("frames on the new canvas", lambda: worn[r.CAPTURES] > captures + 10, _SECONDS)
        worn.wait("bypass", "no face")
        self._save("new_canvas", picture)
        obs.reset_video(1280, 720)
        noted["end"] = worn.note()
        obs.remove_filter(picture, worn.filter)
        obs.remove_source(picture)
        return noted

    def face(self) -> dict[str, Any]:
        """A face: live, another persona, hotkeys, the panel, saved and loaded, and the script taken out and put in again."""
        obs = self._obs
        noted: dict[str, Any] = {}
        face = obs.source("image_source", "face", {"file": str(self._folder / "face.png")})
        worn = Worn(obs, face, "FaceLive face", {"badge": "off"})
        worn.wait("live")
        worn.wait_applied()
        self._save_with_and_without("face", face, worn)
        worn.wait("live")
        noted["live"] = worn.note() | {key: worn.status()[key] for key in ("provider", "persona", "engine_pid")}
        noted["personas"] = Home.find().persona_names()
        worn.update({"persona": noted["personas"][-1]})
        worn.wait_applied()
        self._save("other_persona", face)

        noted["hotkeys"] = wait_for("hotkeys", lambda: sorted(obs.hotkeys("facelive.")), _SECONDS)
        swap = dict(noted["hotkeys"])["facelive.swap"]
        for state in ("cover", "live"):
            obs.press(swap)
            worn.wait(state)
            noted[f"swap_after_{state}"] = obs.settings(worn.filter)["swap"]

        noted["panel"] = self.panel(worn)
        worn.wait("live")

        engine = worn.status()["engine_pid"]
        entry.unload()
        worn.wait("cover", "script is missing")
        noted["engine_outlives_script"] = Path(f"/proc/{engine}").exists()
        noted["hotkeys_without_script"] = obs.hotkeys("facelive.")
        entry.load()
        worn.wait("live")
        noted["again"] = worn.note()

        saved = obs.call.obs_save_source(face)
        noted["saved"] = json.loads(obs.call.obs_data_get_json(saved))["filters"]
        obs.remove_filter(face, worn.filter)
        obs.remove_source(face)
        obs.drain()
        loaded = obs.call.obs_load_source(saved)
        obs.call.obs_data_release(saved)
        found = obs.call.obs_source_get_filter_by_name(loaded, "FaceLive face")
        noted["loaded"] = obs.settings(found)
        obs.call.obs_source_release(found)
        obs.call.obs_source_release(loaded)
        return noted

    def several(self) -> dict[str, Any]:
        """A running clip with two filters, one more on the scene, copies on another source; one by one they go."""
        obs = self._obs
        clip = obs.source("ffmpeg_source", "clip", {"local_file": str(self._folder / "clip.mp4"), "looping": True})
        other = obs.source("image_source", "other", {"file": str(self._folder / "noise.png")})
        all_worn = [
            Worn(obs, clip, "FaceLive first"),
            Worn(obs, clip, "FaceLive second", {"opacity": 50}),
            Worn(obs, obs.scene, "FaceLive scene"),
        ]
        for worn in all_worn:
            worn.wait("live")
        obs.call.obs_source_copy_filters(other, clip)
        self._save("clip", clip)
        noted = {
            "rows": len({worn.address for worn in all_worn}),
            "copies": obs.call.obs_source_filter_count(other),
            "engines": len({worn.status()["engine_pid"] for worn in all_worn}),
            "filters": [worn.note() for worn in all_worn],
        }
        owners = (clip, clip, obs.scene)
        for owner, worn in zip(owners, all_worn, strict=True):
            obs.remove_filter(owner, worn.filter)
            wait_for("a free row", lambda worn=worn: worn[r.USED] == r.FREE, _SECONDS)  # type: ignore[misc]
        self._save("clip_bare", clip)
        obs.remove_source(clip)
        obs.remove_source(other)
        return noted


def main(folder: Path, files: LibobsFiles) -> None:
    """Everything, in order. What goes wrong ends the program."""
    # For libobs's modules; the engine has libraries of its own.
    os.environ.pop("LD_LIBRARY_PATH", None)
    obs = Libobs(files, 1280, 720)
    program = Program(folder, obs)
    report: dict[str, Any] = {
        "registration": program.registration(),
        "still": program.still(),
        "face": program.face(),
        "several": program.several(),
    }
    obs.drain()
    entry.unload()
    report["leaks"] = obs.shut_down()
    (folder / "report.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), LibobsFiles(**json.loads(sys.argv[2])))
