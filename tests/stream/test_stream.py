"""OBS streams to a real server; what another program takes from there is the persona, with the badge, in order, never bare.

By hand, with figures: ``python -m tools.far_end stream``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from obs_facelive.home import Home
from tests.obs.conftest import camera_clip, home
from tools import rtmp_server
from tools.far_end import scene, srt, stream
from tools.far_end.judge import Judge
from tools.recogniser import recogniser_file
from tools.wheels import UnavailableError

__all__ = ["camera_clip", "home"]

pytestmark = [pytest.mark.obs, pytest.mark.slow, pytest.mark.timeout(1200)]

PERSONA = "bruno"
SECONDS = 10.0


@pytest.fixture(scope="module")
def clip(camera_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clip") / "camera.mp4"
    scene.make_clip(camera_clip, out)
    return out


@pytest.fixture(scope="module")
def judge(home: Home, clip: Path) -> Judge:
    if PERSONA not in home.persona_names():
        pytest.skip(f"the persona {PERSONA} is missing: run 'python3 install.py'")
    try:
        recogniser_file(home)
    except UnavailableError as problem:
        pytest.skip(str(problem))
    return Judge(home, clip, PERSONA)


@pytest.mark.parametrize(("way", "kbit"), [("rtmp", 2500), ("rtmp", 6000), ("srt", 6000)])
def test_the_far_end_sees_the_persona(
    home: Home, clip: Path, judge: Judge, tmp_path: Path, way: stream.Way, kbit: int
) -> None:
    if not (rtmp_server.available() if way == "rtmp" else srt.available()):
        pytest.skip("needs Debian's nginx and libnginx-mod-rtmp, or libsrt1.5-gnutls")

    streamed = stream.stream(home, clip, PERSONA, way, kbit, SECONDS, tmp_path)
    judged = stream.judge(judge, streamed)

    print(judged.worn.words(), judged.bare.words(), judged.delays, sep="\n")
    assert judged.wrong() == []
    assert judged.worn.with_face > 20
    assert judged.delays["filter"] > 0
    assert judged.delays["filter_off"] == 0  # nothing else comes to the stream's delay
