"""Writing a whole OBS configuration from Python data: profile, scene collections, obs-websocket.

For OBS sessions of our own (the demo, the tests), never for a person's configuration. The same folder serves OBS 28 to 32:
older versions read ``global.ini``, 31 and later ``user.ini``; 30.2 and later read obs-websocket's settings from JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]

FILTER_KIND = "facelive_filter"
CAMERA_KIND = "facelive_camera"


@dataclass(frozen=True)
class Filter:
    """A filter on a source; ours unless another `kind` is given."""

    name: str = "FaceLive"
    settings: Json = field(default_factory=dict)
    kind: str = FILTER_KIND
    enabled: bool = True

    def json(self) -> Json:
        """The filter as OBS saves it."""
        return {
            "id": self.kind,
            "versioned_id": self.kind,
            "name": self.name,
            "settings": dict(self.settings),
            "enabled": self.enabled,
        }


@dataclass(frozen=True)
class Source:
    """An input: `kind` is OBS's id of its type."""

    name: str
    kind: str
    settings: Json = field(default_factory=dict)
    filters: Sequence[Filter] = ()

    def json(self) -> Json:
        """The input as OBS saves it."""
        filters = [f.json() for f in self.filters]
        return {
            "id": self.kind.removesuffix("_v3"),
            "versioned_id": self.kind,
            "name": self.name,
            "enabled": True,
            "settings": dict(self.settings),
            "filters": filters,
        }


def media(name: str, clip: Path | str, filters: Sequence[Filter] = (), *, looping: bool = True) -> Source:
    """A media source that plays `clip` (an empty path: a source of size zero)."""
    settings = {
        "local_file": str(clip),
        "looping": looping,
        "hw_decode": False,
        "restart_on_activate": False,
        "clear_on_media_end": False,
    }
    return Source(name, "ffmpeg_source", settings, filters)


def colour(name: str, width: int, height: int, filters: Sequence[Filter] = (), *, abgr: int = 0xFF336699) -> Source:
    """A plain area, `width` by `height` pixels; `abgr` as OBS writes colours (alpha in the highest byte)."""
    return Source(name, "color_source_v3", {"color": abgr, "width": width, "height": height}, filters)


def camera(shown: str, name: str = "FaceLive camera", settings: Json | None = None) -> Source:
    """A FaceLive camera that shows the source named `shown`."""
    return Source(name, CAMERA_KIND, {"camera": shown, **(settings or {})})


@dataclass(frozen=True)
class Item:
    """A source's place in a scene, in canvas pixels; ``stretch``: it has that size always, whatever the source has.

    ``crop``: pixels of the source that are cut off left, at the top, right, at the bottom.
    """

    source: str
    x: float = 0.0
    y: float = 0.0
    scale: float = 1.0
    visible: bool = True
    stretch: tuple[int, int] | None = None
    crop: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Scene:
    """A scene or group, its items from the back to the front."""

    name: str
    items: Sequence[Item] = ()
    filters: Sequence[Filter] = ()

    def json(self, kind: str = "scene") -> Json:
        """The scene as OBS saves it, or, with "group", the group."""
        items = [
            {
                "name": item.source,
                "id": number,
                "visible": item.visible,
                "pos": {"x": item.x, "y": item.y},
                "scale": {"x": item.scale, "y": item.scale},
                "align": 5,
                "bounds_type": 1 if item.stretch else 0,
                "bounds": dict(zip("xy", item.stretch or (0, 0), strict=True)),
                **dict(zip(("crop_left", "crop_top", "crop_right", "crop_bottom"), item.crop, strict=True)),
            }
            for number, item in enumerate(self.items, start=1)
        ]
        settings = {"id_counter": len(items), "items": items}
        filters = [f.json() for f in self.filters]
        return {"id": kind, "versioned_id": kind, "name": self.name, "settings": settings, "filters": filters}


@dataclass(frozen=True)
class Collection:
    """A scene collection; the first scene is the current one. `scripts` are loaded in this order.

    A group is an item of a scene, by its name.
    """

    name: str
    sources: Sequence[Source]
    scenes: Sequence[Scene]
    scripts: Sequence[Path] = ()
    groups: Sequence[Scene] = ()

    def json(self) -> Json:
        """The collection as OBS saves it."""
        first = self.scenes[0].name
        return {
            "name": self.name,
            "current_scene": first,
            "current_program_scene": first,
            "scene_order": [{"name": scene.name} for scene in self.scenes],
            "sources": [source.json() for source in self.sources] + [scene.json() for scene in self.scenes],
            "groups": [group.json("group") for group in self.groups],
            "transitions": [],
            "current_transition": "Cut",
            "transition_duration": 0,
            "modules": {"scripts-tool": [{"path": str(path.absolute()), "settings": {}} for path in self.scripts]},
        }


@dataclass(frozen=True)
class Video:
    """Canvas, frames a second (10, 20, 24, 30, 48 or 60), and x264's preset and CRF (0..51, lower is better).

    `preview`: whether OBS's window shows the scene too. Without a GPU that costs as much as the scene itself.
    """

    width: int = 1280
    height: int = 720
    fps: int = 30
    preset: str = "ultrafast"
    crf: int = 18
    preview: bool = False


@dataclass(frozen=True)
class Stream:
    """Where OBS streams to (``server`` and ``key`` as a custom service has them) and how x264 codes it.

    `kbit` a second, constant; a key frame each `keyframe` seconds, as platforms ask; x264's `preset`.
    """

    server: str
    key: str = ""
    kbit: int = 6000
    keyframe: int = 2
    preset: str = "veryfast"

    def service(self) -> Json:
        """``service.json``."""
        return {"type": "rtmp_custom", "settings": {"server": self.server, "key": self.key, "use_auth": False}}

    def encoder(self) -> Json:
        """``streamEncoder.json``."""
        return {"rate_control": "CBR", "bitrate": self.kbit, "keyint_sec": self.keyframe, "preset": self.preset}


def _ini(sections: Mapping[str, Json]) -> str:
    lines: list[str] = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        for key, value in values.items():
            lines.append(f"{key}={str(value).lower() if isinstance(value, bool) else value}")
    return "\n".join(lines) + "\n"


def environment(home: Path, display: str) -> dict[str, str]:
    """Environment variables for an OBS that lives in `home` and draws on `display`: nothing of the person's own folders.

    Nor of this Python's: OBS embeds another one, and OpenCV's wheels point Qt at their own plugins.
    """
    foreign = ("PYTHON", "VIRTUAL_ENV", "XDG_", "DBUS_", "WAYLAND_", "QT_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    env |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
    if not Path("/dev/dri").exists():
        env["LIBGL_ALWAYS_SOFTWARE"] = "1"
    return env


def write(
    config: Path,
    collections: Sequence[Collection],
    video: Video,
    recordings: Path,
    port: int,
    stream: Stream | None = None,
) -> None:
    """Write the configuration.

    Parameters
    ----------
    config : the folder that holds (or gets) ``obs-studio``: OBS is started with it as ``XDG_CONFIG_HOME``
    collections : the first is the current one
    recordings : the folder that OBS records into
    port : obs-websocket's, on this machine only by OBS's own choice of addresses; no password
    """
    root = config / "obs-studio"
    profile, scenes, websocket = (
        root / "basic/profiles/FaceLive",
        root / "basic/scenes",
        root / "plugin_config/obs-websocket",
    )
    for folder in (profile, scenes, websocket, recordings):
        folder.mkdir(parents=True, exist_ok=True)
    first = collections[0].name
    window: dict[str, dict[str, object]] = {
        "General": {"FirstRun": True, "EnableAutoUpdates": False, "ConfirmOnExit": False, "Pre31Migrated": True},
        "Basic": {
            "Profile": "FaceLive",
            "ProfileDir": "FaceLive",
            "SceneCollection": first,
            "SceneCollectionFile": first,
        },
        "BasicWindow": {"PreviewEnabled": video.preview},
        "OBSWebSocket": {
            "FirstLoad": False,
            "ServerEnabled": True,
            "ServerPort": port,
            "AuthRequired": False,
            "AlertsEnabled": False,
        },
    }
    for name in ("global.ini", "user.ini"):
        (root / name).write_text(_ini(window), encoding="utf-8")
    server = {
        "first_load": False,
        "server_enabled": True,
        "server_port": port,
        "auth_required": False,
        "alerts_enabled": False,
    }
    (websocket / "config.json").write_text(json.dumps(server), encoding="utf-8")
    canvas = {
        "BaseCX": video.width,
        "BaseCY": video.height,
        "OutputCX": video.width,
        "OutputCY": video.height,
        "FPSType": 0,
        "FPSCommon": video.fps,
    }
    recording = {
        "RecType": "Standard",
        "RecFilePath": recordings,
        "RecFormat": "mkv",
        "RecFormat2": "mkv",
        "RecEncoder": "obs_x264",
        "RecTracks": 1,
        "RecRB": True,
        "RecRBTime": 5,
        "Encoder": "obs_x264",
        "TrackIndex": 1,
        "ApplyServiceSettings": False,
    }
    (profile / "basic.ini").write_text(
        _ini({"General": {"Name": "FaceLive"}, "Video": canvas, "Output": {"Mode": "Advanced"}, "AdvOut": recording}),
        encoding="utf-8",
    )
    (profile / "recordEncoder.json").write_text(
        json.dumps({"rate_control": "CRF", "crf": video.crf, "preset": video.preset, "keyint_sec": 1}), encoding="utf-8"
    )
    if stream is not None:
        (profile / "service.json").write_text(json.dumps(stream.service()), encoding="utf-8")
        (profile / "streamEncoder.json").write_text(json.dumps(stream.encoder()), encoding="utf-8")
    for collection in collections:
        (scenes / f"{collection.name}.json").write_text(json.dumps(collection.json(), indent=1), encoding="utf-8")
