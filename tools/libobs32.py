"""A libobs 32 without OBS around it, for the tests of the binary interface: ``python -m tools.libobs32``.

libobs and its modules come out of pylibobs's wheel; the FFmpeg 6 that they want comes out of PyAV 12.3's. Neither package
is installed: the files are laid into one folder of FaceLive's cache, and only the tests ever load them.
"""

from __future__ import annotations

import platform
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from obs_facelive.home import Home
from tools.wheels import FetchError, UnavailableError, fetch_wheel

VERSION = "32.2.2"
_LIBOBS = ("pylibobs", VERSION, "73da88930d1c4a7dbe902289c3c2960e22a9986827ca4c3130e656fb24416fb0")
_FFMPEG = ("av", "12.3.0", "ef9066fd8d86548e12d587cbfe7b852159e48ff3c732271c3032668d4bd7c599")
# Whatever Python runs: PyAV's FFmpeg is the same in all of its wheels, and one of them is pinned.
_FFMPEG_OPTIONS = "--python-version=3.11 --implementation=cp --abi=cp311 --platform=manylinux2014_x86_64".split()
_INSIDE = "pylibobs/_libs/linux/x86_64/"
_LIBRARIES = ("libobs.so.30", "libobs-opengl.so.30")
MODULES = ("image-source", "obs-ffmpeg")
"""The modules that the tests load: pictures, and clips."""


@dataclass(frozen=True)
class LibobsFiles:
    """Where the files of one libobs lie.

    Attributes
    ----------
    library, graphics : libobs itself, and its OpenGL module
    effects : the folder of its own shaders
    modules, module_data : the folders of OBS's modules, and of their data (one folder a module)
    search : what ``LD_LIBRARY_PATH`` must say for its modules to find their libraries; empty: nothing
    """

    library: str
    graphics: str
    effects: str
    modules: str
    module_data: str
    search: str = ""


def installed_libobs() -> LibobsFiles | None:
    """The libobs of the OBS that is installed on this Linux; None if there is none."""
    multiarch = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
    share = Path("/usr/share/obs")
    for folder in (Path("/usr/lib") / multiarch, Path("/usr/lib64"), Path("/usr/lib")):
        libraries, graphics = sorted(folder.glob("libobs.so.*")), sorted(folder.glob("libobs-opengl.so.*"))
        if libraries and graphics and (folder / "obs-plugins").is_dir():
            return LibobsFiles(
                library=str(libraries[0]),
                graphics=str(graphics[0]),
                effects=str(share / "libobs"),
                modules=str(folder / "obs-plugins"),
                module_data=str(share / "obs-plugins"),
            )
    return None


def libobs32(home: Home) -> LibobsFiles:
    """libobs 32 in FaceLive's cache, made if it is not there: 75 MB out of a download of 51 MB.

    Raises `UnavailableError` without a connection or on other systems than Linux on x86-64, `FetchError` where a wheel is
    not the pinned one.
    """
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise UnavailableError("libobs 32 for the tests is there for Linux on x86-64 only")
    folder = home.root / "cache" / f"libobs-{VERSION}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            wheels, made = Path(scratch) / "wheels", Path(scratch) / "made"
            with zipfile.ZipFile(fetch_wheel(*_LIBOBS, wheels)) as archive:
                modules = [f"obs-plugins/{name}.so" for name in MODULES]
                _extract(archive, _INSIDE, (*_LIBRARIES, *modules, "data/libobs/", "data/obs-plugins/"), made)
            with zipfile.ZipFile(fetch_wheel(*_FFMPEG, wheels, *_FFMPEG_OPTIONS)) as archive:
                _extract(archive, "av.libs/", ("lib",), made)
            _link_ffmpeg(made)
            made.rename(folder)
    return LibobsFiles(
        library=str(folder / "libobs.so.30"),
        graphics=str(folder / "libobs-opengl.so.30"),
        effects=str(folder / "data" / "libobs"),
        modules=str(folder / "obs-plugins"),
        module_data=str(folder / "data" / "obs-plugins"),
        search=str(folder),
    )


def _extract(archive: zipfile.ZipFile, inside: str, wanted: tuple[str, ...], to: Path) -> None:
    """Unpacks the files below ``inside`` whose path from there begins with one of ``wanted``."""
    for member in archive.namelist():
        path = member.removeprefix(inside)
        if path != member and path.startswith(wanted) and not path.endswith("/"):
            target = to / path
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)


def _link_ffmpeg(folder: Path) -> None:
    """Gives PyAV's ``libavcodec-1a1332f2.so.60.31.102`` and its like the names that they are asked for by."""
    for library in sorted(folder.glob("lib*-*.so.*")):
        name, _, version = library.name.partition(".so.")
        if name.startswith(("libav", "libsw")):
            stem = name.rpartition("-")[0]
            (folder / f"{stem}.so.{version.split('.')[0]}").symlink_to(library.name)


if __name__ == "__main__":
    try:
        print(f"libobs {VERSION}: {libobs32(Home.find()).library}")
    except (FetchError, OSError) as error:
        sys.exit(str(error))
