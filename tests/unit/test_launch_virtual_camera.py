"""What is said of OBS's virtual camera on computers of all kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from obs_facelive.finding import Finding
from obs_facelive.launch.virtual_camera import Facts, Linux, MacOS, Windows, extension_state, linux_facts

DEVICE = ("/dev/video10 (OBS Virtual Camera)",)


def _camera(facts: Facts) -> Finding:
    found = list(facts.findings())
    assert all((finding.status == "ok") == (not finding.remedy) for finding in found)
    return next(finding for finding in found if finding.name == "virtual camera")


@pytest.mark.parametrize(
    ("facts", "available", "status", "words"),
    [
        (Linux(True, True, DEVICE), True, "ok", "/dev/video10"),
        (Linux(True, True), True, "warn", "modprobe -r v4l2loopback"),
        (Linux(True, True, DEVICE, exclusive=False), True, "warn", "exclusive_caps=1"),
        (Linux(False, True), True, "ok", "administrator's password"),
        (Linux(False, True, can_ask=False), True, "warn", "sudo modprobe v4l2loopback exclusive_caps=1"),
        (Linux(False, True, secure_boot=True), True, "warn", "Secure Boot"),
        (Linux(False, False, distribution=("debian",)), False, "warn", "sudo apt install v4l2loopback-dkms"),
        (Linux(False, False, distribution=("linuxmint", "ubuntu", "debian")), False, "warn", "sudo apt install"),
        (Linux(False, False, distribution=("fedora",)), False, "warn", "RPM Fusion"),
        (Linux(False, False, distribution=("manjaro", "arch")), False, "warn", "sudo pacman -S v4l2loopback-dkms"),
        (Linux(False, False, distribution=("nixos",)), False, "warn", "your distribution's package"),
        (Linux(False, False, secure_boot=True), False, "warn", "Enroll MOK"),
        (Windows(True, True), True, "ok", "registered"),
        (Windows(False, True), False, "warn", "32-bit"),
        (Windows(True, False), True, "warn", "virtualcam-install.bat"),
        (MacOS((14, 2), (30, 1, 0), "activated enabled"), True, "ok", "activated enabled"),
        (MacOS((14, 2), (30, 1, 0)), True, "warn", "Privacy & Security"),
        (MacOS((15, 0), None, "activated waiting for user"), True, "warn", "Camera Extensions"),
        (MacOS((15, 0), None, in_applications=False), True, "warn", "/Applications"),
        (MacOS((14, 0), (29, 1, 3)), True, "warn", "update OBS"),
        (MacOS((12, 6), (29, 1, 3)), True, "ok", "older kind"),
    ],
)
def test_judged(facts: Facts, available: bool, status: str, words: str) -> None:
    finding = _camera(facts)
    assert facts.available is available
    assert finding.status == status
    assert words in f"{finding.found} {finding.remedy}"


def test_wayland() -> None:
    found = {finding.name: finding for finding in Linux(True, True, DEVICE, wayland=True).findings()}
    assert "hotkeys" in found["Wayland"].found


def test_linux_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    monkeypatch.setattr("obs_facelive.launch.virtual_camera.said", lambda *command: "")
    nothing = linux_facts(tmp_path)
    assert not nothing.loaded and not nothing.installed and not nothing.secure_boot and nothing.wayland
    for name, text in {
        "proc/modules": "snd 1 0 - Live\nv4l2loopback 49152 0 - Live 0x0\n",
        "etc/os-release": 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n',
        "sys/module/v4l2loopback/parameters/exclusive_caps": "Y,N,N\n",
        "sys/firmware/efi/efivars/SecureBoot-8be4df61": "\x06\0\0\0\1",
        "sys/devices/virtual/video4linux/video10/name": "OBS Virtual Camera\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "sys/class/video4linux").mkdir(parents=True)
    (tmp_path / "sys/class/video4linux/video10").symlink_to(tmp_path / "sys/devices/virtual/video4linux/video10")
    facts = linux_facts(tmp_path)
    assert facts.loaded and facts.devices == DEVICE and facts.exclusive and facts.secure_boot
    assert facts.distribution == ("linuxmint", "ubuntu", "debian")


def test_the_extension_that_is_enabled_counts() -> None:
    name = "2MMRE5MTB8\tcom.obsproject.obs-studio.mac-camera-extension"
    old = f"\t\t{name} (30.0/1)\tOBS Virtual Camera\t[terminated waiting to uninstall on reboot]\n"
    new = f"*\t*\t{name} (32.0/9)\tOBS Virtual Camera\t[activated enabled]\n"
    assert extension_state(new + old) == "activated enabled"
    assert extension_state(old) == "terminated waiting to uninstall on reboot"
    assert extension_state("0 extension(s)\n") == ""
