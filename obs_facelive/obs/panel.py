"""The filter's properties panel, made from the settings schema.

Ordinary Python: OBS asks for it on its UI thread, without a lock.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from obs_facelive import fields
from obs_facelive.home import Home
from obs_facelive.obs import abi
from obs_facelive.obs.panel_consent import TITLE as CONSENT_TITLE
from obs_facelive.obs.panel_consent import ConsentPanel
from obs_facelive.obs.panel_get import TITLE as GET_TITLE
from obs_facelive.obs.panel_get import GetPanel
from obs_facelive.obs.panel_persona import TITLE as ADD_TITLE
from obs_facelive.obs.panel_persona import PersonaPanel
from obs_facelive.settings import MESH

_Properties = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_Clicked = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_Destroyed = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

PRIVACY_NOTE = (
    "This protects you while the script is loaded: without scripts (Safe Mode) OBS shows the bare camera. "
    "The source 'FaceLive camera' protects you then, too."
)
CAMERA_PRIVACY_NOTE = (
    "This protects you without the script, too (Safe Mode): OBS then shows nothing here. "
    "While it is on, your camera itself is hidden in the scenes that show this source."
)
SOUND_NOTE = (
    "Your picture comes a little later than your voice. What is ticked is delayed as much, so that lips and words fit."
)


class Panel:
    """Makes the panel. Its C callbacks live as long as it does: for ever, once libobs knows them.

    Attributes
    ----------
    status_line, restart_engine, remember, opened, closed : what the script connects; each takes the address of a filter's row
    video_sources : names of the sources that a camera can show
    sound_sources : names of the sources that have sound
    persona, consent, models : the parts that add a persona, record consent for one, get a model
    """

    def __init__(self, libobs: ctypes.CDLL, home: Home) -> None:
        self._obs = {name: abi.bind(libobs, name) for name in abi.FUNCTIONS}
        self._home = home
        self.persona = PersonaPanel(libobs)
        self.consent = ConsentPanel(libobs)
        self.models = GetPanel(libobs, home)
        self._filter_panel = _Properties(self._make_filter)
        self._camera_panel = _Properties(self._make_camera)
        self._on_restart = _Clicked(self._restart)
        self._on_remember = _Clicked(self._remember)
        self._on_destroy = _Destroyed(lambda row: self.closed(row))
        self.status_line: Callable[[int], str] = lambda row: "FaceLive's script is not loaded"
        self.restart_engine: Callable[[], None] = lambda: None
        self.remember: Callable[[int], None] = lambda row: None
        self.video_sources: Callable[[], list[str]] = lambda: []
        self.sound_sources: Callable[[], list[str]] = lambda: []
        self.opened: Callable[[int], None] = lambda row: None
        self.closed: Callable[[int], None] = lambda row: None

    @property
    def filter_address(self) -> int:
        """Of the C callback for the filter's ``obs_source_info.get_properties``."""
        return ctypes.cast(self._filter_panel, ctypes.c_void_p).value or 0

    @property
    def camera_address(self) -> int:
        """Of the C callback for the camera's ``obs_source_info.get_properties``."""
        return ctypes.cast(self._camera_panel, ctypes.c_void_p).value or 0

    def _make_filter(self, row: int) -> int:
        return self._make(row, fields.fields(), PRIVACY_NOTE)

    def _make_camera(self, row: int) -> int:
        return self._make(row, [fields.CAMERA, *fields.fields()], CAMERA_PRIVACY_NOTE)

    def _make(self, row: int, chosen: Iterable[fields.Field], privacy_note: str) -> int:
        panel: int = self._obs["obs_properties_create"]()
        if row:
            self._obs["obs_properties_add_text"](panel, _c("status"), _c(self.status_line(row)), abi.TEXT_INFO)
            self.opened(row)
            self._obs["obs_properties_set_param"](panel, row, self._on_destroy)
        groups: dict[str, int] = {}
        for field in (*chosen, *self._in_step()):
            group = groups.get(field.group)
            if group is None:
                group = groups[field.group] = self._obs["obs_properties_create"]()
            self._add(group, field)
            if field.name == "others":
                words = _c("Remember my face (2 seconds)")
                self._obs["obs_properties_add_button"](group, _c("remember"), words, self._on_remember)
            if field.name == "privacy":
                self._obs["obs_properties_add_text"](group, _c("privacy_note"), _c(privacy_note), abi.TEXT_INFO)
        for name, group in groups.items():
            if name == "Engine":
                self._obs["obs_properties_add_button"](group, _c("restart"), _c("Restart the engine"), self._on_restart)
            if name == "Privacy":
                adding = self.persona.make(row)
                self._obs["obs_properties_add_group"](panel, _c("group_add"), _c(ADD_TITLE), abi.GROUP_NORMAL, adding)
                if row and self.consent.needed(row):
                    consent, title = self.consent.make(row), _c(CONSENT_TITLE)
                    self._obs["obs_properties_add_group"](panel, _c("group_consent"), title, abi.GROUP_NORMAL, consent)
            if name == fields.IN_STEP.group:
                self._obs["obs_properties_add_text"](group, _c("sound_note"), _c(SOUND_NOTE), abi.TEXT_INFO)
            self._obs["obs_properties_add_group"](panel, _c(f"group_{name.lower()}"), _c(name), abi.GROUP_NORMAL, group)
            if name == "Engine":
                getting = self.models.make(row)
                self._obs["obs_properties_add_group"](panel, _c("group_get"), _c(GET_TITLE), abi.GROUP_NORMAL, getting)
        return panel

    def _add(self, group: int, field: fields.Field) -> None:
        name, title = _c(field.name), _c(field.title)
        if field.kind == "bool":
            added = self._obs["obs_properties_add_bool"](group, name, title)
        elif field.kind == "int":
            added = self._obs["obs_properties_add_int_slider"](group, name, title, field.low, field.high, 1)
            self._obs["obs_property_int_set_suffix"](added, _c(f" {field.unit}"))
        else:
            added = self._obs["obs_properties_add_list"](group, name, title, abi.COMBO_LIST, abi.COMBO_STRING)
            if field.kind == "choice":
                choices = field.choices
            else:
                lists = {
                    "persona": self._personas,
                    "engine": self._engines,
                    "enhancer": self._enhancers,
                    fields.CAMERA.name: self._cameras,
                }
                choices = lists[field.name]()
            for value, label in choices.items():
                self._obs["obs_property_list_add_string"](added, _c(label), _c(value))
        self._obs["obs_property_set_long_description"](added, _c(field.help))

    def _in_step(self) -> list[fields.Field]:
        """A tick for each source that has sound."""
        return [
            replace(fields.IN_STEP, name=fields.in_step_key(name), title=fields.IN_STEP.title.format(name))
            for name in self.sound_sources()
        ]

    def _personas(self) -> dict[str, str]:
        names = self._home.persona_titles()
        return {"": f"First one ({next(iter(names.values()))})" if names else "None yet: run install.py", **names}

    def _engines(self) -> dict[str, str]:
        return {MESH: "Mesh (built in)", **self._home.swapper_titles()}

    def _enhancers(self) -> dict[str, str]:
        return {"": "None", **self._home.enhancer_titles()}

    def _cameras(self) -> dict[str, str]:
        return {"": "Choose a source", **{name: name for name in self.video_sources()}}

    def _remember(self, properties: int, button: int, row: int) -> bool:
        self.remember(row)
        return False

    def _restart(self, properties: int, button: int, row: int) -> bool:
        self.restart_engine()
        return False


def _c(text: str) -> Any:
    return ctypes.c_char_p(text.encode(errors="replace"))
