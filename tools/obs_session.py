"""A real OBS Studio with an isolated configuration: started, driven over obs-websocket, recorded, ended.

    with ObsSession(folder, [collection]) as obs:
        obs.client.set_source_filter_settings("camera", "FaceLive", {"opacity": 50})
        clip = obs.record(10.0)
        obs.quit()

Never touches a person's configuration: ``HOME`` and the XDG folders of the OBS that it starts lie in `folder`.
"""

from __future__ import annotations

import base64
import json
import logging
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import obsws_python

from obs_facelive.frame import Pixels
from tools import obs_config
from tools.ports import free_port
from tools.virtual_display import Desktop, virtual_display
from tools.waiting import wait_for

# It logs every request that OBS refuses as an error with a traceback; here a refusal is an exception, or an answer.
logging.getLogger("obsws_python").setLevel(logging.CRITICAL)


class ObsError(RuntimeError):
    """OBS did not do what it was asked to, within the time it was given; the message carries the end of its log."""


class ObsSession:
    """One run of OBS.

    Parameters
    ----------
    folder : made if missing; gets ``home`` (HOME and configuration), ``recordings``, ``status`` and ``obs.out``
    collections : scene collections; the first is the current one
    env : more environment variables for OBS (``FACELIVE_HOME``, test switches)
    options : more of OBS's command line options
    display : an X display to use; None: Xvfb is started and belongs to this session
    start_seconds : how long OBS may take until it answers
    stream : where to, if OBS is to stream
    """

    def __init__(
        self,
        folder: Path,
        collections: Sequence[obs_config.Collection],
        *,
        video: obs_config.Video | None = None,
        env: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
        display: str | None = None,
        start_seconds: float = 60.0,
        stream: obs_config.Stream | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.video = video or obs_config.Video()
        self._home = self.folder / "home"
        self._status = self.folder / "status"
        self._display = display
        self._start_seconds = start_seconds
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._client: obsws_python.ReqClient | None = None
        self.port = free_port()
        self._env = dict(env or {})
        self._options = tuple(options)
        recordings = self.folder / "recordings"
        obs_config.write(self._home / ".config", collections, self.video, recordings, self.port, stream)

    # Start and end

    def __enter__(self) -> ObsSession:
        try:
            if self._display is None:
                self._display = self._stack.enter_context(virtual_display())
            self._start()
            wait_for("OBS to answer", self._answers, self._start_seconds)
        except BaseException as error:
            late = isinstance(error, TimeoutError)
            state = "it draws" if late and self.draws() else "it does not draw"
            self.kill()
            self._stack.close()
            if late:
                raise ObsError(f"{error}; {state}\n{self.log()[-3000:]}") from error
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()
        self._stack.close()

    def _start(self) -> None:
        program = shutil.which("obs")
        if program is None:
            raise ObsError("OBS Studio is not installed (Debian, Ubuntu: apt install obs-studio)")
        self._status.mkdir(parents=True, exist_ok=True)
        for stale in self._status.glob("*.json"):
            stale.unlink()
        env = obs_config.environment(self._home, self.display)
        env |= {"FACELIVE_STATUS_DIR": str(self._status)} | self._env
        # Not --disable-missing-files-check: with it OBS 29 itself leaks one block.
        command, nothing = [program, "--multi", "--disable-updater", *self._options], subprocess.DEVNULL
        with open(self.folder / "obs.out", "wb") as out:
            self._process = subprocess.Popen(
                command, env=env, cwd=self.folder, stdin=nothing, stdout=out, stderr=out, start_new_session=True
            )

    def _answers(self) -> bool:
        """Whether OBS's UI thread takes orders: obs-websocket alone answers while the scenes are still loading."""
        self._check_alive()
        try:
            if self._client is None:
                self._client = obsws_python.ReqClient(host="127.0.0.1", port=self.port, password="", timeout=5)
            scene = self._client.get_current_program_scene().current_program_scene_name
            self._client.set_current_program_scene(scene)
            return bool(self._client.get_stats().output_total_frames >= 0)
        except (OSError, AttributeError, json.JSONDecodeError, obsws_python.error.OBSSDKError):
            self._drop_client()
            return False
        except Exception as error:  # websocket's own exceptions: the server is not ready, or OBS is stuck
            if not type(error).__module__.startswith("websocket"):
                raise
            self._drop_client()
            return False

    def _drop_client(self) -> None:
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def quit(self, seconds: float = 30.0) -> str:
        """Close OBS as a person does, by its window, and wait for its end. Gives the whole log.

        Raises
        ------
        ObsError
            It did not end in time, or not with exit status 0.
        """
        with Desktop(self.display) as desktop:
            for window in desktop.windows("OBS "):
                desktop.close_window(window)
        self._drop_client()
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired as error:
            raise ObsError(f"OBS did not end within {seconds:.0f} s\n{self.log()[-3000:]}") from error
        if code:
            raise ObsError(f"OBS ended with {code}\n{self.output()[-3000:]}")
        return self.log()

    def kill(self) -> None:
        """End OBS at once, whatever state it is in. Does nothing when it has ended."""
        self._drop_client()
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    # What is there

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """OBS's process."""
        if self._process is None:
            raise ObsError("OBS was not started")
        return self._process

    @property
    def client(self) -> obsws_python.ReqClient:
        """obs-websocket's requests, as methods."""
        if self._client is None:
            raise ObsError("OBS does not answer (any more)")
        return self._client

    @property
    def display(self) -> str:
        """The X display that OBS is on."""
        if self._display is None:
            raise ObsError("there is no display before the session is entered")
        return self._display

    def alive(self) -> bool:
        """Whether OBS runs."""
        return self._process is not None and self._process.poll() is None

    def draws(self) -> bool:
        """Whether OBS's graphics thread has run within two seconds: one that waits for a lock for good does not."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        graphics = [t for t in tasks.iterdir() if (t / "comm").read_text().startswith("libobs: graphic")]

        def switches() -> list[str]:
            return [
                line for t in graphics for line in (t / "status").read_text().splitlines() if "ctxt_switches" in line
            ]

        before = switches()
        with suppress(TimeoutError):
            return wait_for("the graphics thread to run", lambda: switches() != before, 2)
        return False

    def log(self) -> str:
        """OBS's log file, as far as written."""
        files = sorted((self._home / ".config/obs-studio/logs").glob("*.txt"))
        return files[-1].read_text(encoding="utf-8", errors="replace") if files else ""

    def output(self) -> str:
        """What OBS wrote to standard output and error."""
        return (self.folder / "obs.out").read_text(encoding="utf-8", errors="replace")

    def leaks(self) -> int:
        """OBS's own count of memory blocks that were not freed, from the log of a session that was quit."""
        line = next(line for line in self.log().splitlines() if "Number of memory leaks:" in line)
        return int(line.rsplit(":", 1)[1])

    def statuses(self) -> dict[str, dict[str, Any]]:
        """What our living filters say about themselves: filter name → status (see `obs_facelive.obs.status`).

        Beside it, ``written``: when they said so, in seconds as `time.time` counts them.
        """
        found: dict[str, dict[str, Any]] = {}
        for path in sorted(self._status.glob("*.json")):
            with suppress(FileNotFoundError):
                status = json.loads(path.read_text(encoding="utf-8"))
                found[status["name"]] = status | {"written": path.stat().st_mtime}
        return found

    def status(self, name: str = "FaceLive") -> dict[str, Any] | None:
        """One filter's status, or None while there is no such filter."""
        return self.statuses().get(name)

    def wait_status(
        self, what: str, test: Callable[[dict[str, Any]], bool], *, name: str = "FaceLive", seconds: float = 30.0
    ) -> dict[str, Any]:
        """Wait until a filter's status passes `test`, and give that status.

        Raises
        ------
        ObsError
            It did not in time; the message carries the last status.
        """

        def probe() -> dict[str, Any] | None:
            self._check_alive()
            status = self.status(name)
            return status if status is not None and test(status) else None

        try:
            return wait_for(what, probe, seconds)
        except TimeoutError as error:
            raise ObsError(f"{error}; status of {name!r}: {self.status(name)}\n{self.log()[-3000:]}") from error

    # What a person sees and does

    def picture(self, source: str, width: int = 0) -> Pixels:
        """A source's or scene's picture with its filters: (h, w, 4) uint8 BGRA, scaled to `width` if given."""
        data: dict[str, Any] = {"sourceName": source, "imageFormat": "png", "imageCompressionQuality": 100}  # fastest
        if width:
            data["imageWidth"] = width
        answer = self.client.send("GetSourceScreenshot", data, raw=True)
        png = base64.b64decode(answer["imageData"].partition(",")[2])
        decoded = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
        if decoded is None:
            raise ObsError(f"OBS's picture of {source!r} cannot be read")
        if decoded.shape[2] == 3:
            decoded = cv2.cvtColor(decoded, cv2.COLOR_BGR2BGRA)
        return np.asarray(decoded, np.uint8)

    def start_recording(self) -> None:
        """Start recording, and wait until OBS counts the recording's time."""
        self.client.start_record()
        self._wait("the recording to start", lambda: self.client.get_record_status().output_duration > 0)

    def stop_recording(self) -> Path:
        """Stop recording, wait until the file is complete, and give its path."""
        path = Path(self.client.stop_record().output_path)
        self._wait("the recording to end", lambda: not self.client.get_record_status().output_active)
        return path

    def record(self, until: float | Callable[[], bool], seconds: float = 120.0) -> Path:
        """Record for a time (seconds of recording, by OBS's count) or until something has happened.

        Raises
        ------
        ObsError
            It took longer than `seconds`.
        """
        self.start_recording()
        if callable(until):
            self._wait("the recorded event", until, seconds)
        else:
            goal = until * 1000
            limit = until + seconds
            self._wait("enough recording", lambda: self.client.get_record_status().output_duration >= goal, limit)
        return self.stop_recording()

    def _check_alive(self) -> None:
        if not self.alive():
            raise ObsError(f"OBS ended with {self.process.poll()}\n{self.output()[-3000:]}")

    def _wait(self, what: str, test: Callable[[], bool], seconds: float = 30.0) -> None:
        def probe() -> bool:
            self._check_alive()
            return test()

        try:
            wait_for(what, probe, seconds)
        except TimeoutError as error:
            raise ObsError(f"{error}\n{self.log()[-3000:]}") from error
