"""A configuration for an OBS that was never started. Standard library only.

Sources: ``OBSBasic::OBSInit`` (the wizard comes where ``FirstRun`` is not set), ``OBSApp::MigrateGlobalSettings`` (OBS 31
and later take what an older ``global.ini`` says).
"""

from __future__ import annotations

from obs_facelive.files import replace_file
from obs_facelive.launch.scene import NAME
from obs_facelive.obs_home import Configuration

_GLOBAL = f"""[General]
FirstRun=true

[Basic]
Profile={NAME}
ProfileDir={NAME}
SceneCollection={NAME}
SceneCollectionFile={NAME}
"""
# What meetings take, and what a processor without help from a graphics card can keep up with.
_PROFILE = f"""[General]
Name={NAME}

[Video]
BaseCX=1280
BaseCY=720
OutputCX=1280
OutputCY=720
FPSType=0
FPSCommon=30
"""


def started_before(configuration: Configuration) -> bool:
    """Whether there is anything of OBS's in it."""
    return configuration.root.is_dir() and any(configuration.root.iterdir())


def make_configuration(configuration: Configuration) -> None:
    """Settings and a profile of 1280x720 at 30 fps, without OBS's own first questions. Raises `OSError`.

    Only for a configuration that was not `started_before`.
    """
    profile = configuration.root / "basic" / "profiles" / NAME
    profile.mkdir(parents=True)
    replace_file(profile / "basic.ini", _PROFILE.encode())
    replace_file(configuration.root / "global.ini", _GLOBAL.encode())
