"""Only me in a running OBS: the panel's button remembers the face, and without that nothing is shown."""

from __future__ import annotations

from pathlib import Path

from obs_facelive.home import Home
from obs_facelive.identity.enrolment import delete, load
from tests.obs.conftest import SCRIPT
from tests.obs.driving import is_live
from tests.real_person import home_with
from tools.obs_config import Collection, Item, Scene, Video, camera, media
from tools.obs_session import ObsSession

WEBCAM, OURS = "webcam", "FaceLive"


def test_the_button_remembers_and_only_then_is_anything_shown(
    home: Home, tmp_path: Path, camera_clip: Path, obs_env: dict[str, str]
) -> None:
    own = home_with(home, tmp_path / "home")
    sources = [media(WEBCAM, camera_clip), camera(WEBCAM, OURS, {"only_me": True, "no_face": "camera"})]
    collection = Collection("Only me", sources, [Scene("Scene", [Item(WEBCAM), Item(OURS)])], [SCRIPT])
    env = {**obs_env, "FACELIVE_HOME": str(own.root)}
    with ObsSession(tmp_path / "obs", [collection], video=Video(fps=15), env=env) as obs:
        obs.wait_status(
            "not enrolled", lambda s: s["state"] == "cover" and s["reason"] == "not enrolled", name=OURS, seconds=90
        )
        obs.client.press_input_properties_button(OURS, "remember")
        said = obs.wait_status("remembered", lambda s: "is remembered" in s["enrolment"], name=OURS, seconds=90)
        assert said["raw_frames_shown"] == 0
        found = load(own)
        assert found is not None and len(found.poses) >= 8

        status = obs.wait_status("the swapped face", is_live, name=OURS, seconds=60)
        assert status["raw_frames_shown"] == 0
        delete(own)
        status = obs.wait_status("not enrolled", lambda s: s["reason"] == "not enrolled", name=OURS, seconds=60)
        assert status["raw_frames_shown"] == 0 and status["state"] in ("hold", "cover")
        obs.quit()
        assert obs.leaks() == 0
