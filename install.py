#!/usr/bin/env python3
"""Sets FaceLive up. Run it from the checkout, with any Python from 3.10 on; it needs nothing but the standard library.

  python3 install.py            environment, models, personas, and the script added to OBS; again: repairs and upgrades
  python3 install.py demo       a real OBS with its own configuration swaps the face of somebody who does not exist
  python3 install.py test       the test suite, in a data folder of its own (.facelive-test in the checkout)
  python3 install.py run ARGS   the installed `facelive` with ARGS
  python3 install.py uninstall  takes out what set-up put in; your own personas and models stay unless you say --all

Everything goes into the user's data folder, or into FACELIVE_HOME. --obs FOLDER: an OBS in an unusual place (portable).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(f"FaceLive needs Python 3.10 or newer; this is {platform.python_version()}.")
CHECKOUT = Path(__file__).resolve().parent
sys.path.insert(0, str(CHECKOUT))
try:
    from obs_facelive import obs_home, obs_program, registration
    from obs_facelive.home import Home
    from obs_facelive.interpreter import Interpreter, NoPythonError, choose_python
    from obs_facelive.launch import shortcut
    from tools.environment import Environment, Problem, debian_install, say
except ImportError as missing:
    sys.exit(f"install.py works from a whole copy of FaceLive: {missing.name} is not beside it. Fetch all of it.")

SHIPPED, SHIPPED_MIXES = "shipped", "FaceLive"
"""The ``origin`` of the personas that set-up makes, and the ``pack`` of those that it mixes."""


@dataclass(frozen=True)
class Setup:
    """What is set up.

    Attributes
    ----------
    home : the data folder
    tests : with what the tests need
    obs : the folder of an OBS in an unusual place
    """

    home: Home
    tests: bool = False
    obs: Path | None = None

    @property
    def env(self) -> Environment:
        """The engine's environment."""
        return Environment(self.home, self.tests)

    @property
    def program(self) -> obs_program.Program | None:
        """The OBS of this computer."""
        return next(iter(obs_program.find_programs(self.obs)), None)

    @property
    def configurations(self) -> list[obs_home.Configuration]:
        """OBS's configurations on this computer."""
        return obs_home.find_configurations([program.folder for program in obs_program.find_programs(self.obs)])

    @property
    def receipt(self) -> Path:
        """What was changed in OBS's settings, for `uninstall`."""
        return self.home.root / "obs.json"

    def choose_python(self) -> Interpreter:
        """The Python for the environment; on Debian as root its parts are installed."""
        path = next((c.python_path for c in self.configurations if c.python_path), "")
        try:
            return choose_python(self.program, path)
        except NoPythonError as error:
            if not error.package:
                raise
            debian_install(str(error), error.package)
            return choose_python(self.program, path)

    def make(self, *, clip: bool = False) -> None:
        """All but OBS's configuration. ``clip``: the demo's camera clip, too."""
        self.env.make(self.choose_python())
        models, wheels = self.home.models, self.home.root / "cache" / "wheels"
        say("== Models")
        self.env.tool("build_models", "--out", models, "--wheels", wheels)
        say("== Personas: people who do not exist")
        self.env.tool("openpeople", "--out", self.home.personas, "--models", models, "--wheels", wheels)
        say("== Compiling")
        self.env.tool("warm")
        say("== Personas mixed of them")
        self.env.tool("mixed_people")
        if clip and not (out := self.home.root / "demo" / "camera.mp4").is_file():
            say("== Camera clip: somebody else who does not exist")
            self.env.tool("demo_clip", "--out", out, "--models", models, "--wheels", wheels)

    def need_obs(self, *more: str) -> None:
        """OBS, and ``more`` Debian packages whose names are those of their programs, for the demo and the tests."""
        lacking = [name for name in more if sys.platform == "linux" and not shutil.which(name.capitalize())]
        if not self.program:
            lacking.append("obs-studio")
            if sys.platform != "linux":
                raise Problem("OBS Studio was not found. Install it from https://obsproject.com, then run this again.")
        if lacking:
            debian_install(f"{' and '.join(lacking)} not installed.", *lacking)

    def refuse_running(self) -> None:
        """OBS must be closed while its configuration is changed."""
        if any(obs_program.running(configuration) for configuration in self.configurations):
            raise Problem("OBS is running, and would write over what is changed now. Close it, then run this again.")


def tell(notes: Iterable[registration.Note]) -> bool:
    """Says what was done in OBS; whether all of it could be."""
    done = True
    for note in notes:
        say(f"   {'! ' if note.bad else ''}{note.text}")
        done &= not note.bad
    return done


def set_up(setup: Setup) -> int:
    """The whole set-up."""
    if "SUDO_USER" in os.environ:
        raise Problem("Run this without sudo: it is for the person who uses OBS, not for root.")
    setup.refuse_running()
    setup.make()
    say("== OBS Studio")
    python = setup.choose_python().folder if sys.platform in ("win32", "darwin") else None
    if not setup.program:
        say("   not found: get it from https://obsproject.com (Debian, Ubuntu: apt install obs-studio), start it once,")
        say("   close it, and run this again. An OBS in an unusual place: --obs FOLDER")
    elif not setup.configurations:
        say("   has no configuration yet: 'obs setup', below, makes one.")
    if not tell(registration.add_everywhere(setup.configurations, setup.env.script, python, setup.receipt)):
        raise Problem("FaceLive is not in every scene collection: see the lines with ! above.")
    say("Done. In OBS: right-click your camera, Filters, +, FaceLive filter. In scene collections that you make later,")
    say(f"add this first under Tools, Scripts, + (or run install.py again):\n   {setup.env.script}")
    wizard = ["obs", "setup", *(["--obs", str(setup.obs)] if setup.obs else [])]
    if setup.program and sys.stdin.isatty() and sys.stdout.isatty():
        say("== A scene for meetings and streams")
        return run(setup, wizard)
    say(f"A scene with your camera and a persona is built by: python3 install.py run {' '.join(wizard)}")
    return 0


def demo(setup: Setup, arguments: list[str]) -> int:
    """The main job for real, in an OBS with a configuration of its own."""
    setup.need_obs(*[] if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") else ["xvfb"])
    setup.make(clip=True)
    return subprocess.run(setup.env.module("demo", *arguments), cwd=CHECKOUT, env=setup.env.environ).returncode


def test(setup: Setup, arguments: list[str]) -> int:
    """Format, lint, types, tests; ``arguments`` for pytest."""
    setup.need_obs("xvfb")
    setup.env.make(setup.choose_python())

    def tool(*words: str, **how: Any) -> subprocess.Popen[str]:
        command = [str(setup.home.python), "-m", *words]
        return subprocess.Popen(command, cwd=CHECKOUT, env=setup.env.environ, text=True, **how)

    # Types take minutes, of one core: they are checked while models and clips are made, and on.
    types = tool("mypy", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        setup.make(clip=True)
    except BaseException:
        types.kill()
        raise
    # Two at a time, but for those that need the computer to themselves: they drive OBS, or race against another process.
    whole = ["-n 2 --durations 30 tests/unit tests/contract".split(), "--durations 25 tests/link tests/obs".split()]
    first, *rest = [["pytest", *chosen] for chosen in ([arguments] if arguments else whole)]
    bad = False

    def check(*words: str) -> None:
        nonlocal bad
        say(f"== {' '.join(words)}")
        bad |= tool(*words).wait() != 0

    check("ruff", "format", "--check")
    check("ruff", "check")
    check(*first)
    said, _ = types.communicate()
    say(f"== mypy\n{said.strip()}")
    bad |= types.returncode != 0
    for words in rest:
        check(*words)
    return int(bad)


def run(setup: Setup, arguments: list[str]) -> int:
    """The installed command."""
    if not setup.home.python.exists():
        raise Problem(f"FaceLive is not set up in {setup.home.root}. Run: python3 install.py")
    return subprocess.run([setup.home.program, *arguments], env=setup.env.environ).returncode


def uninstall(setup: Setup, everything: bool) -> int:
    """Takes out what was put in: from OBS first, then from the disk."""
    setup.refuse_running()
    home = setup.home
    clean = tell(registration.remove_everywhere(setup.configurations, home.env, setup.receipt))
    if shortcut.remove_shortcut(icon := shortcut.shortcut_file(), home.program):
        say(f"   icon taken away: {icon}")
    ours = [home.env, home.logs, home.root / "cache", home.root / "demo", setup.receipt]
    if everything:
        ours += [home.models, home.personas]
    else:
        manifest, people = home.models / "manifest.json", home.personas.glob("*/persona.json")
        ours += [*(home.models / file for file in read_json(manifest)), manifest]
        ours += [file.parent for file in people if came_with_set_up(read_json(file))]
    for path in ours:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for folder in (home.models, home.personas, home.root):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    say(f"FaceLive is gone; yours stayed in {home.root}" if home.root.exists() else "FaceLive is gone.")
    return int(not clean)


def came_with_set_up(info: dict[str, Any]) -> bool:
    """Whether a persona of this description is one of those that set-up makes."""
    return info.get("origin") == SHIPPED or (info.get("origin") == "mix" and info.get("pack") == SHIPPED_MIXES)


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object; empty where there is none."""
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def main(arguments: list[str]) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", nargs="?", choices=("demo", "test", "run", "uninstall"))
    parser.add_argument("--obs", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    parser.add_argument("--all", action="store_true", help=argparse.SUPPRESS)
    position = next((i for i, word in enumerate(arguments, 1) if word in ("demo", "test", "run")), len(arguments))
    options, rest = parser.parse_args(arguments[:position]), arguments[position:]
    home = Home(CHECKOUT / ".facelive-test") if options.command == "test" else Home.find()
    setup = Setup(home, options.command == "test", options.obs and options.obs.absolute())
    try:
        if options.command == "uninstall":
            return uninstall(setup, options.all)
        if options.command:
            return {"demo": demo, "test": test, "run": run}[options.command](setup, rest)
        return set_up(setup)
    except (Problem, NoPythonError) as problem:
        message = str(problem)
    except OSError as error:
        message = f"{error.strerror}: {error.filename}. Mend that, then run this again."
    except KeyboardInterrupt:
        message = "Stopped. Run it again to go on."
    print(f"\n{message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))
