"""The engine's patches lie on the frame that they were made from, whatever the engine's speed.

Every frame of the camera carries its number as a bar code. The engine copies the code out of the frame that it works on
into a patch below it; in OBS's recording both must say the same, on every frame.
"""

from __future__ import annotations

from pathlib import Path

from tests.obs.conftest import one_camera
from tests.obs.driving import is_live
from tests.obs.recording import code, luma
from tools import barcode
from tools.obs_config import Filter
from tools.obs_session import ObsSession

X, Y, BELOW = 16, 16, 100


def test_patch_and_background_are_of_one_frame(tmp_path: Path, barcode_clip: Path, obs_env: dict[str, str]) -> None:
    stamp = f"{X},{Y},{barcode.WIDTH},{barcode.HEIGHT},0,{BELOW}"
    env = {**obs_env, "FACELIVE_TEST_STAMP": stamp}
    with ObsSession(tmp_path, [one_camera(barcode_clip, Filter())], env=env) as obs:
        obs.wait_status("the swapped face", is_live, seconds=60)
        recording = obs.record(8.0)
        obs.quit()
        assert obs.leaks() == 0

    codes = [(code(frame, X, Y), code(frame, X, Y + BELOW)) for frame in luma(recording)]

    both = [pair for pair in codes if None not in pair]
    assert [pair for pair in both if pair[0] != pair[1]] == []
    # A picture with one code is torn from its patches; a covered one has none.
    assert [pair for pair in codes if (pair[0] is None) != (pair[1] is None)] == []
    assert len(both) >= 0.9 * len(codes)
    assert len({background for background, _ in both}) >= 20


def test_a_patch_of_another_frame_would_be_seen(barcode_clip: Path) -> None:
    frames = luma(barcode_clip)
    first, second = next(frames).copy(), next(frames)
    area = (slice(Y, Y + barcode.HEIGHT), slice(X, X + barcode.WIDTH))
    first[Y + BELOW : Y + BELOW + barcode.HEIGHT, X : X + barcode.WIDTH] = second[area]

    assert (code(first, X, Y), code(first, X, Y + BELOW)) == (0, 1)
