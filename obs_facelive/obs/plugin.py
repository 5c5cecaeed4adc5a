"""What the script switches on and off: the registered filter, its panel, captions and supervisor. One a process."""

from __future__ import annotations

import ctypes
from pathlib import Path

from obs_facelive.home import Home
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import CAMERA_ID, SourceTypes
from obs_facelive.obs.panel import Panel
from obs_facelive.obs.supervisor import Supervisor
from obs_facelive.states import REASONS


class Plugin:
    """FaceLive inside one OBS process. Make it once: libobs keeps what is registered until it exits."""

    def __init__(self, libobs: ctypes.CDLL, home: Home) -> None:
        self._home = home
        self._libobs = {name: abi.bind(libobs, name) for name in abi.FUNCTIONS}
        self._panel = Panel(libobs, home)
        self._filter = SourceTypes(libobs, home, self._panel.filter_address, self._panel.camera_address)
        self._panel.sound_sources = self._filter.scenes.sound_sources
        self._panel.video_sources = lambda: self._filter.scenes.video_sources(but=CAMERA_ID)
        self._supervisor: Supervisor | None = None

    def load(self) -> None:
        """The script was loaded: filters come alive."""
        self.unload()
        self._load_captions()
        supervisor = self._supervisor = Supervisor(self._filter, self._home)
        base = self._filter.rows.words.ctypes.data

        def index(address: int) -> int:
            return (address - base) // (8 * r.ROW_WORDS)

        self._panel.status_line = lambda row: supervisor.status_line(index(row))
        self._panel.restart_engine = supervisor.restart_engine
        self._panel.remember = lambda row: supervisor.remember(index(row))
        self._panel.persona.add = lambda row: supervisor.adding.ask(index(row))
        self._panel.persona.result = lambda row: supervisor.line(supervisor.adding, index(row))
        self._panel.consent.needed = lambda row: supervisor.consenting.needed(index(row))
        self._panel.consent.permit = lambda row: supervisor.consenting.permit(index(row))
        self._panel.consent.withdraw = lambda row: supervisor.consenting.withdraw(index(row))
        self._panel.consent.result = lambda row: supervisor.line(supervisor.consenting, index(row))
        self._panel.models.get = lambda row: supervisor.getting.ask(index(row))
        self._panel.models.result = lambda row: supervisor.line(supervisor.getting, index(row))
        self._panel.opened = lambda row: supervisor.panel_opened(index(row))
        self._panel.closed = lambda row: supervisor.panel_closed(index(row))
        supervisor.start()

    def unload(self) -> None:
        """The script goes: filters show their cover from now on."""
        if self._supervisor:
            self._supervisor.stop()
            self._supervisor = None
            self._panel.status_line = lambda row: "FaceLive's script is not loaded"
            self._free_captions()

    def _load_captions(self) -> None:
        table = self._filter.rows.table
        folder = Path(__file__).parent / "captions"
        self._libobs["obs_enter_graphics"]()
        for reason in range(1, len(REASONS)):
            file = ctypes.c_char_p(str(folder / f"{reason}.png").encode())
            texture = self._libobs["gs_texture_create_from_file"](file)
            if texture:
                table[r.T_CAPTION_W + reason] = self._libobs["gs_texture_get_width"](texture)
                table[r.T_CAPTION_H + reason] = self._libobs["gs_texture_get_height"](texture)
                table[r.T_CAPTION + reason] = texture
        self._libobs["obs_leave_graphics"]()

    def _free_captions(self) -> None:
        table = self._filter.rows.table
        self._libobs["obs_enter_graphics"]()
        for reason in range(1, len(REASONS)):
            texture, table[r.T_CAPTION + reason] = int(table[r.T_CAPTION + reason]), 0
            if texture:
                self._libobs["gs_texture_destroy"](texture)
        self._libobs["obs_leave_graphics"]()
