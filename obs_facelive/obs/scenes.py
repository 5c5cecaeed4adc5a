"""What lies in OBS's scenes, and hiding what must not be seen there. Ordinary Python, on the supervisor's or the UI thread."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from obs_facelive.obs import abi
from obs_facelive.obs import rows as r


class Scenes:
    """libobs's sources, scenes and scene items. All of them are the numbers that C calls pointers.

    Parameters
    ----------
    libobs : where the functions are
    collectors : addresses of the compiled callbacks of `obs_facelive.obs.collect`, by name
    """

    def __init__(self, libobs: ctypes.CDLL, collectors: Mapping[str, int]) -> None:
        self._obs = {name: abi.bind(libobs, name) for name in abi.FUNCTIONS}
        self._collectors = collectors
        self._save = abi.frontend_save(libobs)

    def name(self, source: int) -> str:
        """A source's name."""
        return _text(self._obs["obs_source_get_name"](source))

    def video_sources(self, but: str) -> list[str]:
        """Names of what has a picture and is not of the type ``but``: inputs and groups, then scenes."""
        names: list[str] = []
        for every in ("obs_enum_sources", "obs_enum_scenes"):
            with self._sources(every, "source") as sources:
                shown = [self.name(source) for source in sources if self._has_picture(source, but)]
                names += sorted(shown, key=str.casefold)
        return names

    def _has_picture(self, source: int, but: str) -> bool:
        if _text(self._obs["obs_source_get_unversioned_id"](source)) == but:
            return False
        return bool(self._obs["obs_source_get_output_flags"](source) & abi.SOURCE_VIDEO)

    @contextmanager
    def sounding(self) -> Iterator[dict[int, str]]:
        """The inputs that have a sound of their own, with a reference as long as the context lasts, and their names."""
        with self._sources("obs_enum_sources", "source") as sources:
            yield {source: self.name(source) for source in sources if self._has_sound(source)}

    def sound_sources(self) -> list[str]:
        """Their names."""
        with self.sounding() as sources:
            return sorted(sources.values(), key=str.casefold)

    def _has_sound(self, source: int) -> bool:
        flags: int = self._obs["obs_source_get_output_flags"](source)
        return bool(flags & abi.SOURCE_AUDIO) and not self._obs["obs_source_removed"](source)

    def keep_out(self, camera: int, target: int) -> list[str]:
        """Hides ``target`` in every scene that shows ``camera``, and in all groups and scenes that such a scene shows.

        Returns the names of those where it lies, hidden.
        """
        with ExitStack() as stack:
            # Private ones, too: studio mode's picture comes from a copy of the scene.
            scenes = stack.enter_context(self._sources("obs_enum_all_sources", "scene"))
            items = {scene: stack.enter_context(self._items(scene, camera, target)) for scene in scenes}
            shown = {
                scene: [(item, self._obs["obs_sceneitem_get_source"](item)) for item in items[scene]]
                for scene in scenes
            }
            below = {scene: _below(scene, shown, target) for scene in scenes}
            with_camera = {scene for scene in scenes if any(source == camera for _, source in shown[scene])}
            places = {place for scene in scenes if below[scene] & with_camera for place in below[scene]}
            bare = [(place, item) for place in places for item, source in shown[place] if source == target]
            hidden = [
                self._obs["obs_sceneitem_set_visible"](item, 0)
                for _, item in bare
                if self._obs["obs_sceneitem_visible"](item)
            ]
            if hidden:
                # Now and not at OBS's end: after a crash, without scripts, the file decides what is seen.
                self._save()
            return sorted({self.name(place) for place, _ in bare})

    def change_settings(self, source: int, change: Mapping[str, str | bool]) -> None:
        """Changes a source's settings as its panel would, and makes a panel that is open say so."""
        data = self._obs["obs_data_create"]()
        for key, value in change.items():
            if isinstance(value, bool):
                self._obs["obs_data_set_bool"](data, key.encode(), value)
            else:
                self._obs["obs_data_set_string"](data, key.encode(), ctypes.c_char_p(value.encode()))
        self._obs["obs_source_update"](source, data)
        self._obs["obs_data_release"](data)
        self._obs["obs_source_update_properties"](source)

    @contextmanager
    def _sources(self, every: str, collector: str) -> Iterator[list[int]]:
        found = self._collect(
            lambda to: self._obs[every](self._collectors[collector], to), self._obs["obs_source_release"]
        )
        try:
            yield found
        finally:
            for source in found:
                self._obs["obs_source_release"](source)

    @contextmanager
    def _items(self, scene: int, *wanted: int) -> Iterator[list[int]]:
        inside = self._obs["obs_scene_from_source"](scene) or self._obs["obs_group_from_source"](scene)
        found = self._collect(
            lambda to: self._obs["obs_scene_enum_items"](inside, self._collectors["item"], to),
            self._obs["obs_sceneitem_release"],
            wanted,
        )
        try:
            yield found
        finally:
            for item in found:
                self._obs["obs_sceneitem_release"](item)

    @staticmethod
    def _collect(enumerate_into: Any, release: Any, wanted: tuple[int, ...] = ()) -> list[int]:
        room = 256
        while True:
            found = np.zeros(r.C_ENTRIES + room, np.int64)
            found[r.C_ROOM] = room
            found[r.C_FIRST : r.C_FIRST + len(wanted)] = wanted
            enumerate_into(found.ctypes.data)
            length = int(found[r.C_LENGTH])
            entries = [int(entry) for entry in found[r.C_ENTRIES : r.C_ENTRIES + length]]
            if length <= room:
                return entries
            for entry in entries:
                release(entry)
            room = 2 * length


def _text(address: int | None) -> str:
    return ctypes.string_at(address).decode(errors="replace") if address else ""


def _below(scene: int, shown: Mapping[int, list[tuple[int, int]]], target: int) -> set[int]:
    """The scene, and every scene and group that is seen in it, but for what the target itself shows."""
    found: set[int] = set()
    todo = [scene]
    while todo:
        place = todo.pop()
        if place not in found and place != target and place in shown:
            found.add(place)
            todo += [source for _, source in shown[place]]
    return found
