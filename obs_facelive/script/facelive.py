"""FaceLive in OBS: add this file under Tools → Scripts; install.py does it for you.

Alone in its folder, because OBS puts a script's folder on ``sys.path`` for all scripts.
"""

import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve()


def _environment() -> "list[str]":
    """Folders that hold our packages: those of the environment that this file is installed in, else of FACELIVE_HOME's."""
    site = _HERE.parents[2]
    if site.name == "site-packages":
        return [str(site)]
    home = Path(os.environ["FACELIVE_HOME"]) if "FACELIVE_HOME" in os.environ else None
    pattern = "Lib/site-packages" if sys.platform == "win32" else "lib/python3*/site-packages"
    return [str(site), *(str(p) for p in (home / "env").glob(pattern) if home)] if home else [str(site)]


sys.path += [folder for folder in _environment() if folder not in sys.path]

try:
    from obs_facelive.obs import entry
except ImportError as error:
    _WANTED = f"Python {sys.version_info[0]}.{sys.version_info[1]}, which is what this OBS uses"
    raise ImportError(
        f"FaceLive's environment is missing or was not made for {_WANTED}: run install.py again"
    ) from error


def script_description() -> str:
    """What OBS shows beside the script."""
    return entry.DESCRIPTION


def script_load(settings: object) -> None:
    """OBS loaded the script."""
    entry.load()


def script_unload() -> None:
    """OBS removes the script, switches the scene collection, reloads, or ends."""
    entry.unload()
