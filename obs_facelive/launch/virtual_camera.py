"""OBS's virtual camera: whether this computer has it, and how it gets it.

Facts are gathered in one place and judged in another, so that every platform's judgement can be tried on any.

Sources: OBS 29 to 32, ``plugins/linux-v4l2/v4l2-output.c``, ``plugins/win-dshow/dshow-plugin.cpp``,
``plugins/mac-virtualcam``.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from obs_facelive.finding import Finding
from obs_facelive.launch.cameras import loopbacks
from obs_facelive.launch.system import said, text_of
from obs_facelive.obs_program import Program, Version

NAME = "OBS Virtual Camera"
TITLE = "virtual camera"

_MODULE = f"v4l2loopback exclusive_caps=1 card_label='{NAME}'"
_LOAD = f"sudo modprobe {_MODULE}"
_RELOAD = f"close OBS, then: sudo modprobe -r v4l2loopback && {_LOAD}"
_PACKAGES = {
    "debian": "sudo apt install v4l2loopback-dkms",
    "ubuntu": "sudo apt install v4l2loopback-dkms",
    "fedora": "switch RPM Fusion on (rpmfusion.org), then: sudo dnf install akmod-v4l2loopback",
    "arch": "sudo pacman -S v4l2loopback-dkms, with the headers of your kernel (linux-headers)",
}
"""By the id of the distribution, or of the one that it is made from."""
_SECURE_BOOT = (
    "Secure Boot is on: the module has to be signed with a key that this computer trusts. Where the package asked for a "
    "password, restart and enter it under 'Enroll MOK'; if loading still says 'Key was rejected', see 'man mokutil'"
)
_EXTENSION = "com.obsproject.obs-studio.mac-camera-extension"
_CLSID = r"CLSID\{A3FCE0F5-3493-419F-958A-ABA1250EC20B}"
"""Of OBS's virtual camera on Windows."""


@dataclass(frozen=True)
class Linux:
    """What there is to know on Linux.

    Attributes
    ----------
    loaded, installed : the kernel module v4l2loopback runs; it is there to be loaded
    devices : its devices, in words
    exclusive : they show themselves as cameras only, as Chromium wants it
    secure_boot : the kernel takes signed modules only
    can_ask : OBS can ask for the administrator's password (``pkexec``)
    distribution : its id, and the ids of those that it is made from
    wayland : the session is one of Wayland
    """

    loaded: bool
    installed: bool
    devices: tuple[str, ...] = ()
    exclusive: bool = True
    secure_boot: bool = False
    can_ask: bool = True
    distribution: tuple[str, ...] = ()
    wayland: bool = False

    @property
    def available(self) -> bool:
        """Whether OBS offers it; one that does not leaves ``--startvirtualcam`` out without a word."""
        return self.loaded or self.installed

    def findings(self) -> Iterator[Finding]:
        """What is there, and what to do."""
        safe = f". {_SECURE_BOOT}" if self.secure_boot else ""
        if self.loaded and not self.devices:
            yield Finding(TITLE, "warn", "v4l2loopback is loaded, without a device", _RELOAD)
        elif self.loaded and not self.exclusive:
            found = f"v4l2loopback is loaded without exclusive_caps: {', '.join(self.devices)}"
            yield Finding(TITLE, "warn", found, f"browsers may not list the camera; {_RELOAD}")
        elif self.loaded:
            yield Finding(TITLE, "ok", f"v4l2loopback: {', '.join(self.devices)}")
        elif self.installed and self.can_ask and not self.secure_boot:
            found = "v4l2loopback is installed; OBS asks for an administrator's password to load it, after each restart"
            yield Finding(TITLE, "ok", found)
        elif self.installed:
            yield Finding(TITLE, "warn", "v4l2loopback is installed, but not loaded", f"{_LOAD}{safe}")
        else:
            get = next((_PACKAGES[name] for name in self.distribution if name in _PACKAGES), "")
            get = get or "install your distribution's package of v4l2loopback"
            yield Finding(TITLE, "warn", "v4l2loopback is not installed: OBS has no virtual camera", f"{get}{safe}")
        if self.wayland:
            found = "OBS's hotkeys work only while its window has the keyboard; everything else is as under X11"
            yield Finding("Wayland", "ok", found)


@dataclass(frozen=True)
class Windows:
    """What there is to know on Windows: whether the camera is registered for 32- and for 64-bit programs."""

    registered32: bool
    registered64: bool

    @property
    def available(self) -> bool:
        """Whether OBS offers it: it asks for the 32-bit one."""
        return self.registered32

    def findings(self) -> Iterator[Finding]:
        """What is there, and what to do."""
        if self.registered32 and self.registered64:
            yield Finding(TITLE, "ok", f"{NAME} is registered")
        else:
            lacking = " and ".join(
                bits for bits, there in (("32", self.registered32), ("64", self.registered64)) if not there
            )
            yield Finding(
                TITLE,
                "warn",
                f"{NAME} is not registered for {lacking}-bit programs",
                r"close OBS and start data\obs-plugins\win-dshow\virtualcam-install.bat in OBS's folder as administrator",
            )


@dataclass(frozen=True)
class MacOS:
    """What there is to know on macOS.

    Attributes
    ----------
    release : of macOS, major and minor
    obs : OBS's version; None where it is not known
    extension : the state of OBS's camera extension in the system's words; empty where there is none
    in_applications : OBS lies in ``/Applications``
    """

    release: tuple[int, int]
    obs: Version | None
    extension: str = ""
    in_applications: bool = True

    @property
    def available(self) -> bool:
        """OBS always offers it, and says itself what it lacks."""
        return True

    def findings(self) -> Iterator[Finding]:
        """What is there, and what to do."""
        new = self.obs is None or self.obs >= (30, 0, 0)
        if not new and self.release >= (14, 0):
            yield Finding(TITLE, "warn", "macOS 14 and later refuse the one of OBS before 30", "update OBS")
        elif not new or self.release < (13, 0):
            yield Finding(TITLE, "ok", "the older kind; OBS installs it when it starts it, and asks for a password")
        elif "enabled" in self.extension:
            yield Finding(TITLE, "ok", f"OBS's camera extension: {self.extension}")
        elif not self.in_applications:
            yield Finding(TITLE, "warn", "OBS is not in /Applications", "move OBS.app to /Applications, then start it")
        else:
            place = (
                "System Settings → General → Login Items & Extensions → Camera Extensions"
                if self.release >= (15, 0)
                else "System Settings → Privacy & Security → Security"
            )
            found = f"OBS's camera extension is not allowed yet ({self.extension or 'never started'})"
            yield Finding(TITLE, "warn", found, f"start OBS once, and allow it in {place}; restart OBS")


Facts = Linux | Windows | MacOS


def gather(program: Program | None) -> Facts:
    """Looks at this computer; takes a moment, changes nothing."""
    if sys.platform == "win32":
        return Windows(_registered(32), _registered(64))
    if sys.platform == "darwin":
        major, minor, *_ = (*map(int, platform.mac_ver()[0].split(".")), 0, 0)
        return MacOS(
            (major, minor),
            program.version if program else None,
            extension_state(said("systemextensionsctl", "list")),
            program is None or program.path.is_relative_to("/Applications"),
        )
    return linux_facts()


def linux_facts(root: Path = Path("/")) -> Linux:
    """What Linux says of itself under ``root``."""
    parameters = root / "sys/module/v4l2loopback/parameters"
    return Linux(
        loaded=any(line.startswith("v4l2loopback ") for line in text_of(root / "proc/modules").splitlines()),
        installed=bool(said("modinfo", "-F", "filename", "v4l2loopback")),
        devices=tuple(loopbacks(root / "sys/class/video4linux")),
        exclusive=text_of(parameters / "exclusive_caps").startswith("Y"),
        secure_boot=any(
            file.read_bytes()[-1:] == b"\1" for file in (root / "sys/firmware/efi/efivars").glob("SecureBoot-*")
        ),
        can_ask=shutil.which("pkexec") is not None,
        distribution=_distribution(text_of(root / "etc/os-release")),
        wayland=bool(os.environ.get("WAYLAND_DISPLAY")),
    )


def extension_state(listed: str) -> str:
    """The state of OBS's camera extension in what ``systemextensionsctl list`` says (``activated enabled``); may be empty."""
    states = [line.rpartition("[")[2].partition("]")[0] for line in listed.splitlines() if _EXTENSION in line]
    return next((state for state in states if "enabled" in state), states[-1] if states else "")


def _distribution(release: str) -> tuple[str, ...]:
    """``ID`` and ``ID_LIKE`` of ``os-release``."""
    pairs = dict(line.partition("=")[::2] for line in release.splitlines())
    return tuple(f"{pairs.get('ID', '')} {pairs.get('ID_LIKE', '')}".replace('"', "").split())


def _registered(bits: int) -> bool:
    if sys.platform == "win32":
        import winreg

        view = winreg.KEY_WOW64_32KEY if bits == 32 else winreg.KEY_WOW64_64KEY
        try:
            with winreg.OpenKey(winreg.HKEY_CLASSES_ROOT, _CLSID, 0, winreg.KEY_READ | view):
                return True
        except OSError:
            pass
    return False
