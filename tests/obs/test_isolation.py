"""What OBS and the engine keep from each other and from everybody else, seen in the running processes."""

from __future__ import annotations

import ast
import os
import socket
from pathlib import Path

from tests.obs.conftest import SCRIPT, one_camera
from tests.obs.driving import is_live
from tests.obs.sockets import listeners
from tools.obs_config import Filter
from tools.obs_session import ObsSession
from tools.procfs import shared_blocks
from tools.waiting import wait_for

MODULES = Path(__file__).parent / "scripts" / "modules.py"
FORBIDDEN = (
    "onnxruntime",
    "cv2",
    "av",
    "PIL",
    "insightface",
    "onnx",
    "torch",
    "imageio",
    "socketserver",
    "http.server",
)
"""What opens models, pictures and videos, and what serves a network, belongs into no process of OBS."""
FORBIDDEN_ROOMS = (
    "engine",
    "runtime",
    "pipeline",
    "personas",
    "detect",
    "landmark",
    "swap",
    "track",
    "merge",
    "offline",
    "identity",
)
DESCRIPTIONS = tuple(f"obs_facelive.personas.{name}." for name in ("info", "errors", "suited"))
"""What a persona says about itself: JSON, checked, and no more. A recording's sidecar names it."""


def forbidden(modules: list[str]) -> list[str]:
    names = (*FORBIDDEN, *(f"obs_facelive.{room}" for room in FORBIDDEN_ROOMS))
    found = [m for m in modules if any(m == name or m.startswith(name + ".") for name in names)]
    return [m for m in found if m != "obs_facelive.personas" and not f"{m}.".startswith(DESCRIPTIONS)]


def test_a_live_filter_shares_nothing_with_others(tmp_path: Path, camera_clip: Path, obs_env: dict[str, str]) -> None:
    seen = tmp_path / "modules"
    env = {**obs_env, "FACELIVE_TEST_MODULES": str(seen)}
    collection = one_camera(camera_clip, Filter(), scripts=(SCRIPT, MODULES))
    with ObsSession(tmp_path / "obs", [collection], env=env) as obs:
        status = obs.wait_status("the swapped face", is_live, seconds=60)
        pid, engine = obs.process.pid, int(status["engine_pid"])

        # Nobody can connect to either of them, but to OBS's own remote control, which the tests use.
        remote = obs.client.base_client.port
        assert listeners(pid) in ([f"tcp {remote}"], [f"tcp6 {remote}"])
        assert listeners(engine) == []

        # The block is this user's only; its name is told over a pipe, and is neither in a command line nor in a variable.
        (block,) = shared_blocks(pid)
        found = Path("/dev/shm", block).stat()
        assert (found.st_mode & 0o777, found.st_uid) == (0o600, os.geteuid())
        told = Path("/proc", str(engine), "cmdline").read_bytes() + Path("/proc", str(engine), "environ").read_bytes()
        assert block.encode()[-22:] not in told and b"obs_facelive.engine" in told
        assert os.readlink(f"/proc/{engine}/fd/0").startswith("pipe:")

        # OBS's interpreter has no part that opens models or pictures.
        modules = wait_for("the modules", lambda: seen.read_text().split() if seen.exists() else None, 10)
        assert "obs_facelive.obs.supervisor" in modules and "numpy" in modules
        assert forbidden(modules) == []
        obs.quit()
        assert obs.leaks() == 0


def test_listeners_are_found() -> None:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_UNIX) as unix:
        before = listeners(os.getpid())
        tcp.bind(("127.0.0.1", 0))
        assert listeners(os.getpid()) == before
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        unix.bind("\0facelive-test")
        unix.listen()
        found = set(listeners(os.getpid())) - set(before)
        assert found == {f"tcp {tcp.getsockname()[1]}", f"udp {udp.getsockname()[1]}", "unix @facelive-test"}


PACKAGE = Path(SCRIPT).parents[1]


def imported_from(start: list[Path]) -> set[str]:
    """Names of all modules that those files import, and the files of this project that they import, and so on."""
    names: set[str] = set()
    todo, done = list(start), set[Path]()
    while todo:
        file = todo.pop()
        if file in done or not file.is_file():
            continue
        done.add(file)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            names.update(found)
            todo += [PACKAGE.parent / (name.replace(".", "/") + ".py") for name in found]
    return names


def test_nothing_on_obs_side_imports_what_opens_models_and_pictures() -> None:
    obs_side = imported_from([SCRIPT, *(PACKAGE / "obs").glob("*.py"), *(PACKAGE / "link").glob("*.py")])
    assert {"obs_facelive.home", "obs_facelive.words", "numba"} <= obs_side
    assert forbidden(sorted(obs_side)) == []


def test_the_engine_imports_nothing_of_obs_side() -> None:
    engine = imported_from(list((PACKAGE / "engine").glob("*.py")))
    assert {"onnxruntime", "obs_facelive.personas.library"} <= engine
    assert [name for name in engine if f"{name}.".startswith("obs_facelive.obs.")] == []


def test_models_and_pictures_are_opened_in_one_place_each() -> None:
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    places = {
        "InferenceSession(": ["runtime/session.py"],
        "imdecode(": ["image.py"],
        "imread(": [],
        "register_custom_ops": [],
        "allow_pickle=True": [],
        "import pickle": [],
        "import socket": [],
    }
    for words, files in places.items():
        assert sorted(name for name, source in sources.items() if words in source) == files, words
