"""The cameras of this computer, and what OBS calls them. Standard library only.

Sources: OBS 29 to 32, ``plugins/linux-v4l2/v4l2-input.c``, ``plugins/win-dshow/encode-dstr.hpp``,
``plugins/mac-avcapture/plugin-main.m``; Linux's ``videodev2.h``.
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs_facelive.launch.system import said, text_of
from obs_facelive.obs_program import Version

_SYSFS = Path("/sys/class/video4linux")
_LOOPBACK = "/devices/virtual/"
"""In the real path of a device that is no piece of hardware."""
_QUERYCAP, _CAPABILITY, _CAPTURE = 0x80685600, struct.Struct("=16s32s32sIII12x"), 1
"""``VIDIOC_QUERYCAP``, ``struct v4l2_capability``, ``V4L2_CAP_VIDEO_CAPTURE``."""
_WINDOWS = (
    "[Console]::OutputEncoding = [Text.Encoding]::UTF8; ConvertTo-Json @(Get-CimInstance Win32_PnPEntity | Where-Object "
    "{ $_.Present -and ($_.PNPClass -eq 'Camera' -or $_.Service -eq 'usbvideo') } | Select-Object Name, DeviceID)"
)
_DIRECTSHOW = "#{65e8773d-8f56-11d0-a3b9-00a0c9223196}\\global"
"""The end of a camera's DirectShow path (``KSCATEGORY_CAPTURE``)."""


class CameraError(Exception):
    """There is no such camera; the text says which there are."""


@dataclass(frozen=True)
class Camera:
    """A camera, or what stands in for one.

    Attributes
    ----------
    name : for people
    id : what OBS knows it by: ``/dev/video0`` (Linux), a unique id (macOS), a DirectShow path (Windows), or a file's path
    kind : OBS's id of the type of source that shows it
    settings : that source's
    """

    name: str
    id: str
    kind: str
    settings: Mapping[str, Any]


def cameras(system: str = sys.platform, version: Version | None = None) -> list[Camera]:
    """The cameras that are plugged in, as `sys.platform` ``system`` tells; empty where it does not. ``version``: OBS's."""
    if system == "win32":
        return windows_cameras(said("powershell", "-NoProfile", "-NonInteractive", "-Command", _WINDOWS))
    if system == "darwin":
        return macos_cameras(said("system_profiler", "-json", "SPCameraDataType"), version)
    return linux_cameras()


def linux_cameras(sysfs: Path = _SYSFS, captures: Callable[[Path], bool] | None = None) -> list[Camera]:
    """The cameras in the folder ``sysfs``, without loopbacks. ``captures`` tells a camera; else the device is asked."""
    found = []
    for folder in sorted(sysfs.glob("video*"), key=lambda path: (len(path.name), path.name)):
        device = Path("/dev", folder.name)
        if _LOOPBACK not in os.path.realpath(folder) + "/" and (captures or _captures)(device):
            found.append(_linux(device.as_posix(), text_of(folder / "name") or device.name))
    return found


def loopbacks(sysfs: Path = _SYSFS) -> list[str]:
    """The devices that are none of hardware, as ``/dev/video10 (OBS Virtual Camera)``."""
    folders = sorted(folder for folder in sysfs.glob("video*") if _LOOPBACK in os.path.realpath(folder) + "/")
    return [f"/dev/{folder.name} ({text_of(folder / 'name')})" for folder in folders]


def windows_cameras(answer: str) -> list[Camera]:
    """Those of a JSON list of ``Win32_PnPEntity``: ``Name``, ``DeviceID``."""
    found = []
    for entity in _listed(answer):
        name, device = str(entity.get("Name") or ""), str(entity.get("DeviceID") or "")
        if name and device:
            path = "\\\\?\\" + device.lower().replace("\\", "#") + _DIRECTSHOW
            encoded = ":".join(text.replace("#", "#22").replace(":", "#3A") for text in (name, path))
            found.append(Camera(name, path, "dshow_input", {"video_device_id": encoded}))
    return found


def macos_cameras(answer: str, version: Version | None = None) -> list[Camera]:
    """Those of ``system_profiler -json SPCameraDataType``."""
    found = []
    for entry in _listed(answer, "SPCameraDataType"):
        name, unique = str(entry.get("_name") or ""), str(entry.get("spcamera_unique-id") or "")
        if name and unique and name != "OBS Virtual Camera":
            found.append(Camera(name, unique, _macos_kind(version), {"device": unique, "device_name": name}))
    return found


def any_camera(system: str = sys.platform, version: Version | None = None) -> Camera:
    """The source for a camera that is to be chosen in OBS."""
    kinds = {"win32": "dshow_input", "darwin": _macos_kind(version)}
    return Camera("", "", kinds.get(system, "v4l2_input"), {})


def choose_camera(
    wanted: str, found: Sequence[Camera], system: str = sys.platform, version: Version | None = None
) -> Camera:
    """The camera of that name, id or number (from 1); of an empty name the first one, or `any_camera`.

    The path of a file stands in for a camera, as a clip that plays for ever. Raises `CameraError`.
    """
    if not wanted:
        return found[0] if found else any_camera(system, version)
    for camera in found:
        if wanted == camera.id or wanted.casefold() == camera.name.casefold():
            return camera
    if wanted.isdecimal() and 0 < int(wanted) <= len(found):
        return found[int(wanted) - 1]
    if Path(wanted).is_file():
        return _clip(Path(wanted).absolute())
    if system not in ("win32", "darwin") and Path(wanted).is_char_device():
        return _linux(wanted, wanted)
    there = ", ".join(camera.name for camera in found) or "none that this computer tells of"
    raise CameraError(f"there is no camera and no file {wanted!r}; cameras: {there}")


def _clip(file: Path) -> Camera:
    settings = {"local_file": str(file), "looping": True, "restart_on_activate": False, "clear_on_media_end": False}
    return Camera(file.name, str(file), "ffmpeg_source", settings)


def _linux(device: str, name: str) -> Camera:
    return Camera(name, device, "v4l2_input", {"device_id": device})


def _macos_kind(version: Version | None) -> str:
    return "av_capture_input" if version and version < (30, 1, 0) else "macos-avcapture"


def _captures(device: Path) -> bool:
    """Whether a device takes pictures; a camera has others beside it, for metadata. Yes where it cannot be asked."""
    if sys.platform == "linux":
        import fcntl

        try:
            handle = os.open(device, os.O_RDWR | os.O_NONBLOCK)
            try:
                answer = fcntl.ioctl(handle, _QUERYCAP, bytes(_CAPABILITY.size))
            finally:
                os.close(handle)
        except OSError:
            return True
        return bool(_CAPABILITY.unpack(answer)[5] & _CAPTURE)
    return True


def _listed(answer: str, key: str = "") -> list[dict[str, Any]]:
    """The objects of a JSON list, or of the list under ``key``; none where that is not the answer."""
    try:
        data = json.loads(answer)
    except ValueError:
        return []
    entries = data.get(key, []) if key and isinstance(data, dict) else data
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
