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

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.obs import abi, entry
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import CAMERA_ID, ID
from tests.obs.libobs import Libobs
from tests.obs.worn import SECONDS, Camera, Worn
from tools.libobs32 import LibobsFiles
from tools.waiting import wait_for


class Program:
    """The chapters of the story, in their order; each gives what goes into the report."""

    def __init__(self, folder: Path, obs: Libobs) -> None:
        self._folder, self._obs = folder, obs

    def _save(self, name: str, source: int, worn: Worn | None = None, state: str = "") -> None:
        """Write down what a source shows; with ``worn``, while that filter is in a state."""

        def look() -> list[Pixels] | None:
            picture = self._obs.picture(source)
            return [picture] if worn is None or worn.state == state else None

        (picture,) = wait_for(f"{name}: {state}", look, SECONDS)
        np.save(self._folder / f"{name}.npy", picture)

    def _save_bare(self, name: str, source: int, worn: Worn) -> None:
        self._obs.call.obs_source_set_enabled(worn.filter, False)
        self._save(name, source)
        self._obs.call.obs_source_set_enabled(worn.filter, True)

    def registration(self) -> dict[str, Any]:
        """FaceLive comes into libobs; beside it, a struct that no libobs can take, so that we see that errors are seen."""
        call = self._obs.call
        before = self._obs.types()
        entry.load()
        refused = (ctypes.c_char * 4096)()
        info = abi.SourceInfo.from_buffer(refused)
        info.id, info.type, info.output_flags = b"facelive_too_large", abi.SOURCE_TYPE_FILTER, abi.SOURCE_VIDEO
        call.obs_register_source_s(refused, len(refused))
        return {
            "version": call.obs_get_version_string(),
            "struct_bytes": ctypes.sizeof(abi.SourceInfo),
            "before": before,
            "after": self._obs.types(),
            **{
                kind: {
                    "display_name": call.obs_source_get_display_name(kind),
                    "output_flags": call.obs_get_source_output_flags(kind),
                    "defaults": self._obs.defaults(call.obs_get_source_defaults(kind)),
                }
                for kind in (ID, CAMERA_ID)
            },
        }

    def panel(self, worn: Worn) -> dict[str, Any]:
        """The panel of the kind, and of one filter, whose button is pressed: the engines before and after that."""
        obs, call = self._obs, self._obs.call
        of_kind, of_filter = call.obs_get_source_properties(ID), call.obs_source_properties(worn.filter)
        noted: dict[str, Any] = {"kind": obs.properties(of_kind), "filter": obs.properties(of_filter)}
        before = worn.status()["engine_pid"]
        call.obs_property_button_clicked(call.obs_properties_get(of_filter, "restart"), worn.filter)
        after = wait_for("another engine", lambda: {0, before, worn.status()["engine_pid"]} - {0, before}, SECONDS)
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
            self._save(name, picture, worn, state)
            noted[name] = worn.note()

        obs.update(picture, {"file": str(folder / "small.png")})
        wait_for("the other size", lambda: worn[r.WIDTH] == 320, SECONDS)
        worn.wait("bypass", "no face")
        self._save("small", picture, worn, "bypass")
        self._save_bare("small_bare", picture, worn)
        noted["small"] = worn.note()

        obs.update(picture, {"file": ""})
        wait_for("no size", lambda: obs.picture(picture).size == 0, SECONDS)
        worn.wait_frames(1, r.RENDERS)  # one may have been begun before
        captures = worn[r.CAPTURES]
        worn.wait_frames(3, r.RENDERS)
        noted["captures_of_nothing"] = worn[r.CAPTURES] - captures
        obs.update(picture, {"file": str(folder / "noise.png")})
        wait_for("the first size", lambda: worn[r.WIDTH] == 640 and worn[r.CAPTURES] > captures, SECONDS)
        worn.wait("bypass", "no face")
        self._save("back", picture, worn, "bypass")

        obs.call.obs_source_set_enabled(worn.filter, False)
        obs.picture(picture)  # no frame that was begun before is still being drawn after this
        renders = worn[r.RENDERS]
        self._save("disabled", picture)
        noted["renders_while_disabled"] = worn[r.RENDERS] - renders
        obs.call.obs_source_set_enabled(worn.filter, True)

        obs.reset_video(960, 540)
        worn.wait_frames(10, r.CAPTURES)
        worn.wait("bypass", "no face")
        self._save("new_canvas", picture, worn, "bypass")
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
        self._save("face", face, worn, "live")
        self._save_bare("face_bare", face, worn)
        worn.wait("live")
        noted["live"] = worn.note() | {key: worn.status()[key] for key in ("provider", "persona", "engine_pid")}
        noted["personas"] = Home.find().persona_names()
        worn.update({"persona": noted["personas"][-1], "crossfade_ms": 0})
        wait_for("the other persona", lambda: worn.status()["persona"] == noted["personas"][-1], SECONDS)
        worn.wait_applied()
        self._save("other_persona", face, worn, "live")

        noted["hotkeys"] = wait_for("hotkeys", lambda: sorted(obs.hotkeys("facelive.")), SECONDS)
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
        noted["engines_of_the_script"] = [engine, worn.status()["engine_pid"]]

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
            wait_for("a free row", lambda worn=worn: worn[r.USED] == r.FREE, SECONDS)  # type: ignore[misc]
        self._save("clip_bare", clip)
        obs.remove_source(clip)
        obs.remove_source(other)
        return noted

    def camera(self) -> dict[str, Any]:
        """A FaceLive camera: live, another target, refused ones, the target's end, and its own."""
        obs, call = self._obs, self._obs.call
        noted: dict[str, Any] = {}
        face = obs.source("image_source", "face", {"file": str(self._folder / "face.png")})
        noise = obs.source("image_source", "noise", {"file": str(self._folder / "noise.png")})
        camera = Camera(obs, "FaceLive camera", {"camera": "face", "badge": "off"})
        camera.wait("live")
        camera.wait_applied()
        self._save("target_swapped", camera.filter, camera, "live")
        self._save("target", face)
        camera.wait_note("face itself is hidden in Scene")
        noted["type"] = call.obs_source_get_type(camera.filter)
        noted["flags"] = call.obs_source_get_output_flags(camera.filter)
        noted["visible"] = [name for name in ("face", "noise", "FaceLive camera") if obs.visible(name)]
        noted["active"] = [call.obs_source_active(source) for source in (face, noise, camera.filter)]
        noted["status"] = camera.status()
        noted["hotkeys"] = wait_for("hotkeys", lambda: [name for name, _ in sorted(obs.hotkeys("facelive."))], SECONDS)
        panel = call.obs_source_properties(camera.filter)
        noted["panel"] = obs.properties(panel)
        call.obs_properties_destroy(panel)

        # The old name comes back as soon as the new one is written down.
        call.obs_source_set_name(face, "renamed")
        wait_for("the new name", lambda: obs.settings(camera.filter)["camera"] == "renamed", SECONDS)
        call.obs_source_set_name(face, "face")
        wait_for("the old name", lambda: obs.settings(camera.filter)["camera"] == "face", SECONDS)
        wait_for("the target", lambda: camera.status()["source"] == "face", SECONDS)
        camera.wait("live")
        noted["renamed"] = camera.note()

        camera.update({"swap": False, "privacy": False, "camera": "noise"})
        wait_for("the other target", lambda: camera.status()["source"] == "noise" and camera[r.TARGET_SIZE], SECONDS)
        camera.wait("bypass")
        wait_for("its size", lambda: obs.picture(camera.filter).shape == (360, 640, 4), SECONDS)
        self._save("target_bypassed", camera.filter)
        noted["refused"] = {}
        for name in ("FaceLive camera", "Scene", "nobody"):
            camera.update({"camera": name})
            wait_for(name, lambda: camera.status()["note"] and camera.status()["state"] == "empty", SECONDS)
            noted["refused"][name] = [camera.status()["note"], obs.picture(camera.filter).size]
            camera.update({"camera": "noise"})
            wait_for("the target again", lambda: not camera.status()["note"], SECONDS)

        obs.remove_source(noise)
        wait_for("its end", lambda: camera.status()["note"], SECONDS)
        camera.update({"camera": "face", "swap": True, "privacy": True})
        camera.wait("live")
        noted["end"] = camera.note()
        obs.remove_source(camera.filter)
        obs.drain()
        wait_for("a free row", lambda: camera[r.USED] == r.FREE, SECONDS)
        noted["shown_afterwards"] = call.obs_source_showing(face)
        obs.remove_source(face)
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
        "camera": program.camera(),
    }
    obs.drain()
    entry.unload()
    report["leaks"] = obs.shut_down()
    (folder / "report.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), LibobsFiles(**json.loads(sys.argv[2])))
