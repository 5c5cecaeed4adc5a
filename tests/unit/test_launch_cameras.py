"""The cameras of a computer, as Linux, Windows and macOS tell of them, and what OBS's sources are told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from obs_facelive.launch.cameras import (
    Camera,
    CameraError,
    any_camera,
    choose_camera,
    linux_cameras,
    loopbacks,
    macos_cameras,
    windows_cameras,
)


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """Two cameras, the first with a second device for metadata, and a loopback."""
    folder = tmp_path / "sys/class/video4linux"
    folder.mkdir(parents=True)
    for number, name, place in (
        (0, "Integrated Camera", "pci0000:00/usb1/video4linux"),
        (1, "Integrated Camera", "pci0000:00/usb1/video4linux"),
        (10, "OBS Virtual Camera", "virtual/video4linux"),
        (2, "HD Webcam", "pci0000:00/usb2/video4linux"),
    ):
        device = tmp_path / "sys/devices" / place / f"video{number}"
        device.mkdir(parents=True)
        (device / "name").write_text(name + "\n")
        (folder / device.name).symlink_to(device)
    return folder


def test_linux(sysfs: Path) -> None:
    found = linux_cameras(sysfs, lambda device: device.name != "video1")
    assert [(camera.id, camera.name) for camera in found] == [
        ("/dev/video0", "Integrated Camera"),
        ("/dev/video2", "HD Webcam"),
    ]
    assert found[1].kind == "v4l2_input" and found[1].settings == {"device_id": "/dev/video2"}
    assert loopbacks(sysfs) == ["/dev/video10 (OBS Virtual Camera)"]
    assert linux_cameras(sysfs / "none") == []


def test_windows() -> None:
    answer = json.dumps([{"Name": "Cam: #1", "DeviceID": "USB\\VID_046D&PID_0825&MI_00\\7&2A&0&0000"}, {"Name": None}])
    (camera,) = windows_cameras(answer)
    path = "\\\\?\\usb#vid_046d&pid_0825&mi_00#7&2a&0&0000#{65e8773d-8f56-11d0-a3b9-00a0c9223196}\\global"
    assert (camera.name, camera.id, camera.kind) == ("Cam: #1", path, "dshow_input")
    name, encoded = camera.settings["video_device_id"].split(":")
    assert name == "Cam#3A #221"
    assert encoded.replace("#22", "#") == path


def test_macos() -> None:
    answer = {
        "SPCameraDataType": [
            {"_name": "FaceTime HD Camera", "spcamera_unique-id": "47B4-1"},
            {"_name": "OBS Virtual Camera", "spcamera_unique-id": "7626645E-4425-469E-9D8B-97E0FA59AC75"},
        ]
    }
    (camera,) = macos_cameras(json.dumps(answer), (32, 0, 0))
    assert camera.kind == "macos-avcapture" and camera.settings["device"] == "47B4-1"
    assert macos_cameras(json.dumps(answer), (30, 0, 2))[0].kind == "av_capture_input"


@pytest.mark.parametrize("answer", ["", "[", "3", "[3, null]", '{"SPCameraDataType": 3}', "{}"])
def test_strange_answers(answer: str) -> None:
    assert windows_cameras(answer) == [] and macos_cameras(answer) == []


FOUND = [Camera("Front", "/dev/video0", "v4l2_input", {}), Camera("Desk cam", "/dev/video2", "v4l2_input", {})]


@pytest.mark.parametrize(("wanted", "chosen"), [("", 0), ("desk CAM", 1), ("/dev/video2", 1), ("2", 1)])
def test_chosen(wanted: str, chosen: int) -> None:
    assert choose_camera(wanted, FOUND) is FOUND[chosen]


def test_a_clip_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("me.mp4").touch()
    clip = choose_camera("me.mp4", FOUND)
    assert clip.kind == "ffmpeg_source"
    assert clip.settings["local_file"] == str(tmp_path / "me.mp4") and clip.settings["looping"]


@pytest.mark.parametrize("wanted", ["3", "0", "Front cam", "no.mp4"])
def test_no_such_camera(wanted: str) -> None:
    with pytest.raises(CameraError, match="Front, Desk cam"):
        choose_camera(wanted, FOUND)


def test_none_plugged_in() -> None:
    kinds = [choose_camera("", [], system).kind for system in ("linux", "win32", "darwin")]
    assert kinds == ["v4l2_input", "dshow_input", "macos-avcapture"]
    assert any_camera("linux").settings == {}
