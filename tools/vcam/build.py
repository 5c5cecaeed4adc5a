"""Builds the guest: Debian's user-mode Linux with the camera's driver, and a disk with Debian's OBS, ffmpeg and Chromium.

Debian's kernel has no media subsystem; its modules are compiled from the source and with the configuration that Debian made the
kernel of. Nothing is installed on this machine; tools that it lacks are unpacked into the guest's folder.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tools.vcam.guest import CAMERA, INIT, Guest

_RELEASE: Final = "bookworm"
_TOOLS: Final = ("mmdebstrap", "flex", "bison", "m4", "libsigsegv2", "user-mode-linux", "v4l2loopback-source")
_PACKAGES: Final = (
    *("ca-certificates", "kmod", "procps", "iproute2", "util-linux", "udev", "dbus", "fonts-dejavu-core"),
    *("obs-studio", "xvfb", "xauth", "libgl1-mesa-dri", "libegl1", "libgl1", "ffmpeg", "v4l-utils", "chromium"),
    *("python3", "libpython3.11"),
)
_SOURCE: Final = "linux-source-6.1"
_PARTS: Final = (
    *("*/Kconfig*", "*/Makefile*", "*/Kbuild*"),
    *(f"{_SOURCE}/{part}" for part in ("arch/um", "arch/x86", "include", "init", "kernel", "scripts", "security")),
    *(f"{_SOURCE}/{part}" for part in ("drivers/media", "tools/include", "tools/scripts", "tools/build")),
)
"""Of the kernel's source: what its modules need."""
_MODULES: Final = ("drivers/media/mc/mc.ko", "drivers/media/v4l2-core/videodev.ko")
_I2C: Final = "kernel/drivers/i2c/i2c-core.ko"
_DISK: Final = 5 << 30
"""Bytes; the file has holes."""


class BuildError(Exception):
    """The guest cannot be built here; the text says why."""


def build(folder: Path, say: Callable[[str], None]) -> Guest:
    """Makes what is not there yet in ``folder``, and gives the guest. Needs root, Debian 12, a compiler and ``bc``.

    Raises
    ------
    BuildError
        A step failed; its command's own words are above, on standard error.
    """
    folder = folder.absolute()
    guest, tools = Guest(folder), folder / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        raise BuildError("the guest's disk holds root's files: build it as root")
    unpacked, root, camera = _unpack(tools), tools / "root", tools / "camera"
    if not camera.is_dir():
        say("The camera's driver is compiled ...")
        _camera(unpacked, camera)
    if not root.is_dir():
        say("Debian is laid out ...")
        _debian(unpacked, root)
    say("The disk is written ...")
    shutil.copy(unpacked / "usr/bin/linux.uml", guest.kernel)
    _image(root, camera, guest)
    shutil.rmtree(tools)
    return guest


def _unpack(tools: Path) -> Path:
    """Where `_TOOLS` lie as if installed."""
    target = tools / "x"
    if not target.is_dir():
        fresh = tools / "x.new"
        for deb in _download(tools / "debs", *_TOOLS):
            _call(["dpkg", "-x", str(deb), str(fresh)], tools)
        fresh.rename(target)
    return target


def _download(folder: Path, *packages: str) -> list[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _call(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages], folder)
    return sorted(folder.glob("*.deb"))


def _camera(unpacked: Path, target: Path) -> None:
    """Compiles the modules, numbered in the order in which they are loaded."""
    work = target.parent
    config = gzip.decompress((unpacked / "usr/share/doc/user-mode-linux/config.gz").read_bytes()).decode()
    version = re.search(r"Linux/um (\S+) ", config)
    if version is None:
        raise BuildError("Debian's user-mode-linux does not say which kernel it is")
    (deb,) = _download(work / "source", f"{_SOURCE}={version[1]}-*")
    archive, source = f"./usr/src/{_SOURCE}.tar.xz", work / _SOURCE
    wanted = " ".join(f"'{part}'" for part in _PARTS)
    _shell(f"dpkg --fsys-tarfile {deb} | tar xO {archive} | xz -dc | tar x --wildcards {wanted}", work)
    (source / ".config").write_text(config)
    # What asks for memory of devices, which this kernel has none of, are drivers, not the core.
    media = source / "drivers/media/Kconfig"
    media.write_text("".join(line for line in media.read_text().splitlines(True) if "HAS_IOMEM" not in line))
    own = {
        "ARCH": "um",
        "PATH": f"{unpacked}/usr/bin:{os.environ['PATH']}",
        "BISON_PKGDATADIR": f"{unpacked}/usr/share/bison",
        "M4": f"{unpacked}/usr/bin/m4",
        "LD_LIBRARY_PATH": f"{unpacked}/usr/lib/x86_64-linux-gnu",
        "KBUILD_MODPOST_WARN": "1",  # which names the kernel has is known when it loads them
    }
    make = ["make", "-s", f"-j{len(os.sched_getaffinity(0))}"]
    switches = ["-e", "MEDIA_SUPPORT_FILTER", "-e", "MEDIA_CAMERA_SUPPORT", "-m", "MEDIA_SUPPORT", "-m", "VIDEO_DEV"]
    _call(["scripts/config", *switches], source, own)
    for goal in (["olddefconfig"], ["modules_prepare"], ["M=drivers/media", "modules"]):
        _call([*make, *goal], source, own)
    _call(["tar", "xf", str(unpacked / "usr/src/v4l2loopback.tar.bz2"), "-C", str(work)], work)
    loopback = work / "modules" / "v4l2loopback"
    (loopback / "Kbuild").write_text("obj-m := v4l2loopback.o\n")
    _call([*make, f"M={loopback}", "modules"], source, own)
    fresh = target.with_suffix(".new")
    fresh.mkdir(exist_ok=True)
    i2c = unpacked / "usr/lib/uml/modules" / version[1] / _I2C
    for number, module in enumerate((i2c, *(source / each for each in _MODULES), loopback / "v4l2loopback.ko")):
        shutil.copy(module, fresh / f"{number}-{module.name}")
    fresh.rename(target)


def _debian(unpacked: Path, root: Path) -> None:
    """Debian with `_PACKAGES`, from the mirror that this machine uses."""
    targets = [
        "apt-get",
        "indextargets",
        "--format",
        "deb $(REPO_URI) $(CODENAME) $(COMPONENT)",
        "Created-By: Packages",
    ]
    sources = sorted({*subprocess.check_output(targets, text=True).splitlines()})
    debian = "".join(f"{line}\n" for line in sources if line.split()[2].startswith(_RELEASE))
    own = {"PATH": f"{unpacked}/usr/bin:{os.environ['PATH']}", "TMPDIR": str(root.parent)}
    fresh = root.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    # In mounts of its own: those of a build that is killed go with it, and nobody deletes a folder with this machine's in it.
    alone = ["unshare", "--mount"]
    options = ["--mode=root", "--variant=minbase", "--aptopt=APT::Install-Recommends=false"]
    command = [*alone, "mmdebstrap", *options, f"--include={','.join(_PACKAGES)}", _RELEASE, str(fresh), "-"]
    _call(command, root.parent, own, debian)
    fresh.rename(root)


def _image(root: Path, camera: Path, guest: Guest) -> None:
    fresh = guest.disk.with_suffix(".new")
    shutil.copytree(camera, root / CAMERA, dirs_exist_ok=True)
    shutil.copy(INIT, root / "facelive-init")
    (root / "facelive-init").chmod(0o755)
    with open(fresh, "wb") as file:
        file.truncate(_DISK)
    _call(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", str(root), str(fresh)], root.parent)
    fresh.rename(guest.disk)


def _shell(line: str, folder: Path) -> None:
    _call(["bash", "-o", "pipefail", "-c", line], folder)


def _call(command: list[str], folder: Path, more: Mapping[str, str] | None = None, given: str = "") -> None:
    done = subprocess.run(command, cwd=folder, env={**os.environ, **(more or {})}, input=given, text=True, stdout=2)
    if done.returncode:
        raise BuildError(f"'{' '.join(command[:3])} ...' ended with {done.returncode}")
