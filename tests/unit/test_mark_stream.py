"""The invisible mark through a real RTMP server, looked at while it runs."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from obs_facelive.cli import app
from obs_facelive.home import Home
from tools import rtmp_server
from tools.mark import rtmp, ways
from tools.mark.material import swapped

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not rtmp_server.available(), reason="needs Debian's nginx and libnginx-mod-rtmp"),
]


def test_a_running_stream_is_verified(tmp_path: Path) -> None:
    home = Home.find()
    pictures = swapped(home, home.root / "demo" / "camera.mp4", home.persona_names()[0], 60)
    source = tmp_path / "source.flv"
    ways.encode([picture.marked for picture in pictures], str(source), "flv", 2_500_000)
    with rtmp_server.server(tmp_path) as address:
        sender = threading.Thread(target=rtmp.publish, args=(source, f"{address}/mark", 30), daemon=True)
        sender.start()
        result = CliRunner().invoke(app, ["verify", f"{address}/mark", "--seconds", "3", "--json"])
    answer = json.loads(result.output)
    assert result.exit_code == 0, answer
    assert answer["is_marked"] and answer["bits_right"] >= 28
    assert answer["marked"] > 0.8 * answer["with_face"] > 10
    assert sum(span["end"] - span["start"] for span in answer["spans"]) > 2
