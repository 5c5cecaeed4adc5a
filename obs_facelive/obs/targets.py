"""The sources that FaceLive cameras show: found by name, followed when they are renamed, kept out of the scenes."""

from __future__ import annotations

import json

from obs_facelive.fields import CAMERA
from obs_facelive.obs import abi
from obs_facelive.obs import rows as r
from obs_facelive.obs.filter import SourceTypes
from obs_facelive.obs.instances import Instance, Instances


class Targets:
    """Looks after the targets of all living cameras. On the supervisor's thread."""

    def __init__(self, types: SourceTypes) -> None:
        self._types, self._rows, self._words, self._scenes = types, types.rows, types.rows.words, types.scenes
        self._libobs = {name: abi.bind(types.libobs, name) for name in abi.FUNCTIONS}

    def tend(self, instances: Instances) -> None:
        """Follows what became of settings, sources and scenes since the last call; call some times a second.

        What a person has to know is in each instance's ``note`` afterwards.
        """
        for instance in instances:
            if self._words[instance.row, r.KIND] != r.KIND_CAMERA:
                continue
            source = self._types.strong_source(self._address(instance))
            if source:
                instance.note = self._tend(instance, source, instances)
                self._release(source)

    def _tend(self, camera: Instance, source: int, instances: Instances) -> str:
        try:
            name = str(json.loads(self._rows.json(camera.row)).get(CAMERA.name, ""))
        except (ValueError, RecursionError):  # it is being written, or made to harm
            return camera.note
        held, note = self._types.strong_target(self._address(camera)), ""
        if held and self._libobs["obs_source_removed"](held):  # a scene may keep it until it is seen again
            self._release(held)
            held = 0
        called = self._scenes.name(held) if held else ""
        if name != camera.wanted:
            # What we wrote comes back later, maybe after one more renaming: it is no choice of the person's.
            camera.wanted = name if name == camera.followed else camera.wanted
            camera.followed = None
        if held and name == camera.wanted and called != name:
            if called != camera.followed:
                self._scenes.change_settings(source, {CAMERA.name: called})
                camera.followed = called
        elif not held or called != name:
            self._release(held)
            held, note = self._take(camera, source, name)
        camera.wanted = name
        if held:
            note = self._keep_out(camera, source, held)
            if held in self._filtered(instances):
                note += f" · {called or name} has a FaceLive filter, too: remove one of the two"
            self._release(held)
        return note

    def _take(self, camera: Instance, source: int, name: str) -> tuple[int, str]:
        """A counted reference to the new target, or 0 and why there is none."""
        found = self._libobs["obs_get_source_by_name"](name.encode()) if name else 0
        if not name:
            refusal = "choose a camera"
        elif not found or self._libobs["obs_source_removed"](found):
            refusal = f"there is no source named {name}"
        elif found == source:
            refusal = "a FaceLive camera cannot show itself"
        elif not self._libobs["obs_source_get_output_flags"](found) & abi.SOURCE_VIDEO:
            refusal = f"{name} has no picture"
        elif self._types.change_target(self._address(camera), found):
            return found, ""
        else:
            refusal = f"{name} shows this FaceLive camera: choose another"
        self._release(found)
        if self._words[camera.row, r.TARGET]:
            self._types.change_target(self._address(camera), 0)
        return 0, refusal

    def _keep_out(self, camera: Instance, source: int, target: int) -> str:
        if not self._words[camera.row, r.PRIVACY]:
            return ""
        places = self._scenes.keep_out(source, target)
        return f"{self._scenes.name(target)} itself is hidden in {', '.join(places)}" if places else ""

    def _filtered(self, instances: Instances) -> set[int]:
        """The sources that a FaceLive filter is on."""
        found = set()
        for instance in instances:
            if self._words[instance.row, r.KIND] == r.KIND_FILTER:
                parent = self._types.strong_parent(self._address(instance))
                found.add(parent)
                self._release(parent)
        return found

    def _address(self, instance: Instance) -> int:
        return self._words[instance.row].ctypes.data

    def _release(self, source: int) -> None:
        if source:
            self._libobs["obs_source_release"](source)
