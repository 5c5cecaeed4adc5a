"""The engine's Python environment: made, filled, checked, mended. Standard library only; `install.py` uses it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from obs_facelive.home import Home
from obs_facelive.interpreter import Interpreter
from obs_facelive.registration import SCRIPT

CHECKOUT = Path(__file__).resolve().parents[1]

SPACE = 3 * 10**9
"""Free bytes that a first set-up wants."""
ONNX_RUNTIMES = {"cpu": "onnxruntime", "cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml"}
"""Extra of pyproject.toml → the distribution that it brings."""

_PROOF = "import av, cv2, insightface, msgspec, numba, onnx, onnxruntime, tflite, obs_facelive.cli"
_DISTRIBUTIONS = """
import importlib.metadata, json
print(json.dumps([d.metadata['Name'].lower().replace('_', '-') for d in importlib.metadata.distributions()]))
"""
_NEEDS_OF_INSIGHTFACE = """
import importlib.metadata, json
needs = importlib.metadata.requires('insightface') or []
print(json.dumps([n for n in needs if 'extra ==' not in n and not n.startswith(('onnxruntime', 'opencv'))]))
"""


class Problem(Exception):
    """The work cannot go on; the text says what happened and what to do."""


def say(text: str) -> None:
    """One line for the person."""
    print(text, flush=True)


def debian_install(why: str, *packages: str) -> None:
    """Installs Debian packages if we are root; else a `Problem` with the command."""
    install = f"apt-get install {' '.join(packages)}"
    if sys.platform != "linux" or not shutil.which("apt-get") or os.geteuid() != 0:
        raise Problem(f"{why}\nOn Debian and Ubuntu this helps, then run install.py again:\n    sudo {install}")
    say(f"== {why} {install}")
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in ("apt-get -q update", f"{install} -qy"):
        done = subprocess.run(command.split(), env=environ, stdout=-1, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Problem(f"{done.stdout[-1500:]}\napt-get failed (above). Mend that, then run install.py again.")


@dataclass(frozen=True)
class Environment:
    """The environment of one data folder.

    Attributes
    ----------
    home : the data folder
    tests : the checkout itself is installed, in place, with what its tests need
    """

    home: Home
    tests: bool = False

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables of everything that is started."""
        ours = {"FACELIVE_HOME": str(self.home.root), "PYTHONIOENCODING": "utf-8"}
        return {**{k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}, **ours}

    @property
    def script(self) -> Path:
        """The script for OBS, in the environment; of the tests' environment, in the checkout."""
        packages = Path(self.ask("import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
        return CHECKOUT / SCRIPT if self.tests else packages / SCRIPT

    def ask(self, code: str) -> subprocess.CompletedProcess[str]:
        """Runs a little Python in the environment, away from the checkout."""
        command = [str(self.home.python), "-c", code]
        return subprocess.run(command, cwd=self.home.env, env=self.environ, capture_output=True, text=True)

    def run(self, command: list[str | Path], hint: str, show: str = ".") -> None:
        """Runs one long command: lines that match ``show`` are printed, all go to ``logs/install.log``.

        Raises `Problem` with the end of the output and ``hint`` where it fails.
        """
        lines: list[str] = []
        file = self.home.logs / "install.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as log:
            log.write(f"\n{time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(map(str, command))}\n")
            with subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=self.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            ) as process:
                for line in process.stdout or ():
                    log.write(line)
                    lines.append(line.rstrip())
                    if re.match(show, line.strip()):
                        say(f"   {line.strip()[:110]}")
        if process.returncode:
            unseen = [line for line in lines if not re.match(show, line.strip())]
            raise Problem("\n".join([*unseen[-12:], hint, f"Everything that was said: {file}"]))

    def pip(self, *arguments: str) -> None:
        """Runs pip in the environment."""
        hint = (
            "pip failed (above). Is this computer online? Behind a proxy, set HTTPS_PROXY. Then run install.py again."
        )
        pip: list[str | Path] = [self.home.python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        self.run([*pip, *arguments], hint, r"Downloading .*\.(whl|gz) |Installing coll|Successfully inst")

    def module(self, name: str, *arguments: str | Path) -> list[str | Path]:
        """The command that runs a module of ``tools/``. It works with the installed package, not with the checkout's."""
        path = f"sys.path.append({str(CHECKOUT)!r})"
        code = f"import runpy, sys; {path}; runpy.run_module('tools.{name}', run_name='__main__', alter_sys=True)"
        return [self.home.python, "-I", "-c", code, *arguments]

    def tool(self, name: str, *arguments: str | Path) -> None:
        """Runs a module of ``tools/``, a long step."""
        hint = f"tools/{name}.py failed (above). Run install.py again: it goes on where it stopped."
        self.run(self.module(name, *arguments), hint)

    def make(self, python: Interpreter) -> None:
        """The environment by ``python`` with all packages, seen to work; a broken one is made anew.

        Raises `Problem`.
        """
        self.home.root.mkdir(parents=True, exist_ok=True)
        for again in (False, True):
            self.make_empty(python)
            self._install()
            self.forget_kernels()
            works = self.ask(_PROOF)
            if works.returncode == 0:
                return
            if again:
                raise Problem(f"{works.stderr[-800:]}\nThe packages do not work (above). Please report this text.")
            if "cannot open shared object" in works.stderr and "cv2" in works.stderr:
                debian_install("OpenCV lacks libraries of the system.", "libgl1", "libglib2.0-0")
            else:
                say("== The environment is damaged: once more from the start")
                shutil.rmtree(self.home.env)

    def make_empty(self, python: Interpreter) -> None:
        """An environment with pip, unless there is one of the right version that starts."""
        env = self.home.env
        if self.home.python.exists():
            works = self.ask("import sys, pip; print(sys.version_info[1])")
            if works.returncode == 0 and works.stdout.strip() == str(python.minor):
                return
        say(f"== Python 3.{python.minor} environment in {env}")
        if env.exists():
            if not (env / "pyvenv.cfg").is_file():
                raise Problem(f"{env} is in the way: it is no environment of FaceLive's. Move it, then run this again.")
            shutil.rmtree(env)
        elif shutil.disk_usage(self.home.root).free < SPACE:
            raise Problem(f"{self.home.root} has less than {SPACE // 10**9} GB left. Free some, or set FACELIVE_HOME.")
        self.run([*python.command, "-m", "venv", env], f"{python.command[0]} could not make an environment.")

    def _install(self) -> None:
        """The package and all that it needs; nothing to do where the checkout has not changed since."""
        runtime = onnx_runtime()
        stamp_file = self.home.env / "facelive.json"
        extras = f"{runtime},build,demo{',test' if self.tests else ''}"
        stamp = [fingerprint(self.tests), extras, str(CHECKOUT) if self.tests else ""]
        if stamp_file.is_file() and json.loads(stamp_file.read_text()) == stamp:
            return
        say(f"== Packages ({extras}): some minutes the first time")
        stamp_file.unlink(missing_ok=True)
        package = ["--editable"] * self.tests + [f"{CHECKOUT}[{extras}]"]
        self.pip("install", *package)
        # insightface asks for plain onnxruntime, which must not come beside another one: all else that it asks for.
        self.pip("install", "--no-deps", "insightface>=2.0")
        self.pip("install", *json.loads(self.ask(_NEEDS_OF_INSIGHTFACE).stdout))
        for wanted in (ONNX_RUNTIMES[runtime], "opencv-python"):
            self.keep_only(wanted, package)
        stamp_file.write_text(json.dumps(stamp))

    def forget_kernels(self) -> None:
        """Takes out what numba compiled of other sources: it looks at each kernel's own file, not at those with constants."""
        stamp, now = self.home.env / "kernels.json", fingerprint(tests=False)
        if stamp.is_file() and json.loads(stamp.read_text()) == now:
            return
        packages = (
            [CHECKOUT / "obs_facelive"] if self.tests else self.home.env.glob("[Ll]ib/**/site-packages/obs_facelive")
        )
        for package in packages:
            for kernel in package.rglob("__pycache__/*.nb[ci]"):
                kernel.unlink()
        stamp.write_text(json.dumps(now))

    def keep_only(self, wanted: str, package: list[str]) -> None:
        """Leaves ``wanted`` as the one distribution of its family (``onnxruntime-…``); ``package`` is what asks for it.

        Distributions of a family own the same files: taking out one breaks the other, so all go, and one comes back.
        """
        family = wanted.partition("-")[0]
        present = {name for name in json.loads(self.ask(_DISTRIBUTIONS).stdout) if name.split("-")[0] == family}
        if present != {wanted}:
            self.pip("uninstall", "--yes", *sorted(present))
            self.pip("install", *package)


def onnx_runtime() -> str:
    """The extra of pyproject.toml with the ONNX Runtime for this machine."""
    if sys.platform == "win32":
        return "directml"
    nvidia = Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi")
    return "cuda" if sys.platform == "linux" and platform.machine() == "x86_64" and nvidia else "cpu"


def fingerprint(tests: bool) -> str:
    """A hash of what gets installed: in place, of the project file alone."""
    files = [CHECKOUT / "pyproject.toml"]
    if not tests:
        files += sorted(
            p for folder in ("obs_facelive", "models") for p in (CHECKOUT / folder).rglob("*.*") if p.is_file()
        )
    digest = hashlib.sha256()
    for file in files:
        if file.parent.name != "__pycache__":
            digest.update(f"{file.relative_to(CHECKOUT)}\0".encode() + file.read_bytes())
    return digest.hexdigest()
