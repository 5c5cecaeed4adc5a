"""Getting the person's own OBS ready for FaceLive, and opening it. What the person made or changed is left as it is."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import obs_facelive
from obs_facelive.home import Home
from obs_facelive.launch.cameras import Camera, CameraError, cameras, choose_camera
from obs_facelive.launch.first_run import make_configuration, started_before
from obs_facelive.launch.scene import NAME, Collection, build_collection, find_collection
from obs_facelive.obs_home import Configuration, find_configurations, usual_root
from obs_facelive.obs_program import Program, find_programs, running
from obs_facelive.registration import RegistrationError, add_script, set_python

SCRIPT = Path(obs_facelive.__file__).parent / "script" / "facelive.py"
"""FaceLive's script, of the environment that this runs in."""

_AT_ONCE = 2.0
"""Seconds within which a program that cannot start at all has ended."""
_FOREIGN = ("PYTHON", "VIRTUAL_ENV", "QT_QPA_PLATFORM_PLUGIN", "QT_QPA_FONTDIR")
"""Environment variables of this Python and its packages: OBS has a Python and a Qt of its own."""


class LaunchError(Exception):
    """OBS was not opened, and nothing was changed that is not said; the text says why and what to do."""


@dataclass(frozen=True)
class Obs:
    """The OBS of this computer, and the configuration that it uses."""

    program: Program
    configuration: Configuration


@dataclass(frozen=True)
class Wanted:
    """What is asked for.

    Attributes
    ----------
    collection : the scene collection; built where there is none of that name
    scene : the one to begin with; empty: `NAME` where there is one of that name
    camera : for a collection that is built, see `obs_facelive.launch.cameras.choose_camera`
    persona : for a collection that is built, its id; empty: FaceLive's own choice
    """

    collection: str = NAME
    scene: str = ""
    camera: str = ""
    persona: str = ""


def find_obs(folder: Path | None = None) -> Obs:
    """The OBS in ``folder``, else the one in the usual place. Raises `LaunchError`."""
    program = next(iter(find_programs(folder)), None)
    configurations = find_configurations([program.folder] if program else [])
    if program is None:
        obstacle = next((c.obstacle for c in configurations if c.obstacle), "")
        raise LaunchError(
            obstacle
            or "OBS Studio was not found. Get it from https://obsproject.com (Debian, Ubuntu: "
            "sudo apt install obs-studio). One in an unusual place: --obs FOLDER"
        )
    portable = [c for c in configurations if c.kind == "portable"] if folder else []
    return Obs(program, portable[0] if portable else Configuration(usual_root()))


def refuse_running(obs: Obs) -> None:
    """OBS writes its scenes anew when it ends, and a second one gets in the first one's way. Raises `LaunchError`."""
    if running(obs.configuration):
        raise LaunchError(
            f"OBS is running already. Either choose {NAME} there under Scene Collection and click Start Virtual Camera, "
            "or close it, then run this again."
        )


def missing(obs: Obs, collection: str) -> bool:
    """Whether the scene collection of that name has to be built."""
    return find_collection(obs.configuration, collection) is None


def prepare(home: Home, obs: Obs, wanted: Wanted) -> tuple[Collection, list[str]]:
    """The scene collection, with FaceLive's script in it; and what was done, in words. Raises `LaunchError`."""
    refuse_running(obs)
    there = find_collection(obs.configuration, wanted.collection)
    if there and (wanted.camera or wanted.persona):
        raise LaunchError(
            f"There is a scene collection {there.name!r} already, and it is left as it is. Choose its camera and persona in "
            "OBS, or have another one built: --collection NAME"
        )
    scenes = there.scenes if there else (NAME,)
    if wanted.scene and wanted.scene not in scenes:
        raise LaunchError(f"{wanted.collection} has no scene {wanted.scene!r}; it has {', '.join(scenes) or 'none'}")
    try:
        return _prepared(home, obs, wanted, there or _camera(obs, home, wanted))
    except RegistrationError as error:
        raise LaunchError(str(error)) from error
    except OSError as error:
        raise LaunchError(f"{error.strerror}: {error.filename}. Mend that, then run this again.") from error


def _camera(obs: Obs, home: Home, wanted: Wanted) -> Camera:
    """The camera for a collection to be built, where all that was asked for is to be had."""
    names = home.persona_names()
    if wanted.persona and wanted.persona not in names:
        raise LaunchError(f"there is no persona {wanted.persona!r}; there are {', '.join(names) or 'none'}")
    version = obs.program.version
    try:
        return choose_camera(wanted.camera, cameras(version=version), version=version)
    except CameraError as error:
        raise LaunchError(str(error)) from error


def _prepared(home: Home, obs: Obs, wanted: Wanted, there: Collection | Camera) -> tuple[Collection, list[str]]:
    configuration = obs.configuration
    notes: list[str] = []
    if not started_before(configuration):
        make_configuration(configuration)
        notes.append(f"OBS was never started here: it got a profile {NAME}, 1280x720 at 30 fps ({configuration.root})")
    python = None
    if sys.platform in ("win32", "darwin"):
        python = Path(sysconfig.get_config_var("PYTHONFRAMEWORKPREFIX") or sys.base_prefix)
    if set_python(configuration, python, home.root / "obs.json"):
        notes.append(f"OBS loads the Python in {python}")
    if isinstance(there, Camera):
        camera, there = there, build_collection(configuration, wanted.collection, there, wanted.persona, SCRIPT)
        notes.append(f"Built the scene collection {there.name}: {there.file}")
        notes.append(f"   camera: {camera.name or 'none was found. In OBS, double-click Camera and choose yours'}")
        notes.append(
            f"   persona: {wanted.persona or 'the first one; choose another in the filter (Filters, FaceLive)'}"
        )
    if add_script(there.file, SCRIPT):
        notes.append(f"FaceLive's script was added to {there.file}")
    if not there.wears:
        notes.append(
            f"{there.name} has no FaceLive in it: in OBS, right-click your camera, Filters, +, FaceLive filter"
        )
    return there, notes


def command(
    obs: Obs,
    collection: Collection,
    scene: str = "",
    *,
    virtual_camera: bool = True,
    minimize: bool = False,
    system: str = sys.platform,
) -> list[str]:
    """What opens OBS with the scene collection.

    ``scene``: see `Wanted`; ``virtual_camera``: started at once; ``minimize``: to the tray.
    """
    scene = scene or (NAME if NAME in collection.scenes else "")
    words = [
        *(["--collection", collection.name]),
        *(["--scene", scene] if scene else []),
        *(["--startvirtualcam"] if virtual_camera else []),
        *(["--minimize-to-tray"] if minimize else []),
        *(["--portable"] if obs.configuration.kind == "portable" else []),
    ]
    if system == "darwin":
        # Started by this terminal, OBS would need the terminal's permission for the camera.
        return ["open", "-a", str(obs.program.path.parents[2]), "--args", *words]
    return [str(obs.program.path), *words]


def start(obs: Obs, words: list[str]) -> int:
    """Opens OBS by `command`'s words, and leaves it to the person; gives its process id. Raises `LaunchError`."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise LaunchError("OBS needs a desktop to open on: neither DISPLAY nor WAYLAND_DISPLAY is set")
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(
            words,
            cwd=obs.program.path.parent,
            env=dict(_environ()),
            stdin=nothing,
            stdout=nothing,
            stderr=nothing,
            start_new_session=True,
        )
        code = process.wait(_AT_ONCE)
    except OSError as error:
        raise LaunchError(f"{error.strerror}: {words[0]}") from error
    except subprocess.TimeoutExpired:
        return process.pid
    # On macOS `open` has done its work; on the others OBS itself has ended.
    if code or sys.platform != "darwin":
        raise LaunchError(
            f"OBS ended at once ({code}). Start it by hand to see what it says: {subprocess.list2cmdline(words)}"
        )
    return process.pid


def _environ() -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in os.environ.items() if not name.startswith(_FOREIGN))
