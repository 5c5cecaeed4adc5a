"""An hour of OBS with the filter on the demo's camera: is memory flat, and does everything else stay as it is?

    python -m tools.soak --minutes 60 --report soak      writes soak/soak.json, soak/soak.md, soak/soak.png
    python -m tools.soak --minutes 60 --report bare --without    the same OBS without FaceLive, to compare with

OBS plays the clip at 640x360 and records nothing. Every few seconds both processes are looked at. The slope of their memory is
that of the straight line of least squares through all looks after the warm-up, with its standard error.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from obs_facelive.frame import Pixels
from obs_facelive.home import Home
from obs_facelive.video import read_frames
from tools import obs_config
from tools.demo import CAMERA, SCRIPT, env
from tools.demo_clip import Clip, encode
from tools.obs_session import ObsError, ObsSession
from tools.plot import BLUE, GREEN, GREY, ORANGE, RED, Line, Panel, Plot
from tools.procfs import Usage, shared_blocks, usage

SIZE: Final = (640, 360)
WINDOW: Final = 600.0
"""Seconds over which a percentile of the delay is taken."""
_NAMES: Final = {"obs": "OBS", "engine": "engine"}


@dataclass(frozen=True)
class Look:
    """What there was at a moment.

    Attributes
    ----------
    seconds : since the first look
    engine : None without the filter
    blocks : shared blocks with a name
    """

    seconds: float
    obs: Usage
    engine: Usage | None
    blocks: int
    state: str = ""
    engine_starts: int = 0
    raw_frames_shown: int = 0
    frames_swapped: int = 0
    added_delay_ms: float = 0.0
    rung: str = ""


@dataclass(frozen=True)
class Slope:
    """A straight line's slope and its standard error, per hour."""

    per_hour: float
    error: float


def slope(seconds: Sequence[float], values: Sequence[float]) -> Slope:
    """The least squares line through the points. Raises `ValueError` for less than three, or all at one time."""
    if len(seconds) < 3 or len(set(seconds)) < 2:
        raise ValueError("a slope and its error need three points in time")
    x, y = np.asarray(seconds, np.float64) / 3600, np.asarray(values, np.float64)
    x = x - x.mean()
    spread = float(x @ x)
    rise = float(x @ y) / spread
    rest = y - y.mean() - rise * x
    return Slope(rise, float(np.sqrt(rest @ rest / (len(x) - 2) / spread)))


def windows(looks: Sequence[Look], width: float = WINDOW) -> list[tuple[float, float, float]]:
    """(from, p50, p95) of the added delay in ms, for each ``width`` seconds, ``from`` in seconds."""
    found = []
    for begin in np.arange(0.0, looks[-1].seconds, width):
        delays = [look.added_delay_ms for look in looks if begin <= look.seconds < begin + width]
        if delays:
            p50, p95 = np.percentile(delays, [50, 95])
            found.append((float(begin), round(float(p50), 1), round(float(p95), 1)))
    return found


def summary(looks: Sequence[Look], warm_up: float) -> dict[str, Any]:
    """The report's figures; looks in the first ``warm_up`` seconds count for nothing but the delays."""
    warm = [look for look in looks if look.seconds >= warm_up]
    processes = [name for name in _NAMES if getattr(looks[-1], name)]
    found: dict[str, Any] = {"seconds": round(looks[-1].seconds), "looks": len(looks), "warm_up": warm_up}
    for name in processes:
        seen: list[Usage] = [getattr(look, name) for look in warm]
        line = slope([look.seconds for look in warm], [each.anonymous for each in seen])
        found[name] = {
            "anonymous_mib": [round(seen[0].anonymous, 1), round(seen[-1].anonymous, 1)],
            "anonymous_mib_per_hour": round(line.per_hour, 2),
            "anonymous_error": round(line.error, 2),
            **{
                f"{kind}_mib_per_hour": round(
                    slope([look.seconds for look in warm], [getattr(each, kind) for each in seen]).per_hour, 2
                )
                for kind in ("rss", "pss")
            },
            "threads": _range([each.threads for each in seen]),
            "fds": _range([each.fds for each in seen]),
        }
    if "engine" in processes:
        found["shared_blocks"] = _range([look.blocks for look in warm])
        found["engine_starts"] = looks[-1].engine_starts
        found["raw_frames_shown"] = looks[-1].raw_frames_shown
        found["live_share"] = round(statistics.mean(look.state == "live" for look in warm), 4)
        done = looks[-1].frames_swapped - looks[0].frames_swapped
        found["swapped_fps"] = round(done / (looks[-1].seconds - looks[0].seconds), 1)
        found["delay_ms"] = windows(looks)
    return found


def _range(values: Sequence[int]) -> list[int]:
    return [min(values), max(values)]


def markdown(figures: dict[str, Any]) -> str:
    """The report for people."""
    names = [name for name in _NAMES if name in figures]
    lines = [
        f"{figures['seconds'] / 60:.0f} minutes, {figures['looks']} looks; from minute {figures['warm_up'] / 60:.0f} on:",
        "",
        "| | " + " | ".join(_NAMES[name] for name in names) + " |",
        "|---|" + "---|" * len(names),
    ]

    def row(title: str, *cells: str) -> None:
        lines.append(f"| {title} | " + " | ".join(cells) + " |")

    def each(text: str) -> list[str]:
        return [text.format(**figures[name]) for name in names]

    row("anonymous memory, first and last, MiB", *each("{anonymous_mib[0]}, {anonymous_mib[1]}"))
    row("its slope, MiB an hour", *each("{anonymous_mib_per_hour:+} ± {anonymous_error}"))
    row("slope of PSS, of RSS, MiB an hour", *each("{pss_mib_per_hour:+}, {rss_mib_per_hour:+}"))
    row("threads, least to most", *each("{threads[0]} to {threads[1]}"))
    row("file descriptors, least to most", *each("{fds[0]} to {fds[1]}"))
    if "engine" in figures:
        low, high = figures["shared_blocks"]
        lines += [
            "",
            f"Shared blocks {low} to {high}, engine starts {figures['engine_starts']}, "
            f"`raw_frames_shown` {figures['raw_frames_shown']}, live in {figures['live_share']:.1%} of the looks, "
            f"{figures['swapped_fps']} swapped pictures a second.",
            "",
            "| from minute | added delay p50, ms | p95, ms |",
            "|---|---|---|",
            *(f"| {begin / 60:g} | {p50} | {p95} |" for begin, p50, p95 in figures["delay_ms"]),
        ]
    return "\n".join(lines) + "\n"


def plot(looks: Sequence[Look], path: Path) -> None:
    """Draws memory, constants and delay over time, in minutes."""
    both = [name for name in _NAMES if getattr(looks[-1], name)]

    def lines(kinds: dict[str, tuple[int, int, int]]) -> list[Line]:
        return [
            Line(
                f"{_NAMES[name]} {kind}" if kind else _NAMES[name],
                [(look.seconds / 60, getattr(getattr(look, name), kind)) for look in looks],
                colour if name == "obs" else tuple(min(255, c + 60) for c in colour),  # type: ignore[arg-type]
            )
            for kind, colour in kinds.items()
            for name in both
        ]

    def top(values: Sequence[Line]) -> float:
        most = max((value for line in values for _, value in line.points), default=1.0)
        step = 10 ** max(0, len(str(int(most))) - 1)
        return float(-(-int(most + 1) // step) * step)

    memory, counts = lines({"anonymous": BLUE, "rss": GREY}), lines({"threads": GREEN, "fds": ORANGE})
    panels = [
        Panel("memory, MiB", top(memory), memory),
        Panel("threads and file descriptors", top(counts), counts),
    ]
    if "engine" in both:
        delay = [Line("added delay", [(look.seconds / 60, look.added_delay_ms) for look in looks], RED)]
        panels.append(Panel("added delay, ms", top(delay), delay))
    minutes = looks[-1].seconds / 60
    Plot("Soak: OBS with the FaceLive filter", minutes, panels, unit="min").save(path)


def _shrunk(clip: Path) -> Sequence[Pixels]:
    return [
        np.asarray(cv2.resize(frame.pixels[..., :3], SIZE, interpolation=cv2.INTER_AREA), np.uint8)
        for frame in read_frames(clip)
    ]


def soak(home: Home, clip: Path, minutes: float, every: float, *, without: bool) -> list[Look]:
    """Runs OBS and looks. Raises `ObsError` if it ends, or is not live at the start."""
    filters = [] if without else [obs_config.Filter()]
    scripts = [] if without else [SCRIPT]
    with tempfile.TemporaryDirectory(prefix="facelive-soak-") as folder:
        small = Path(folder) / "camera.mp4"
        encode(Clip(width=SIZE[0], height=SIZE[1]), iter(_shrunk(clip)), small)
        scene = obs_config.Scene("Scene", [obs_config.Item(CAMERA)])
        collection = obs_config.Collection("Soak", [obs_config.media(CAMERA, small, filters)], [scene], scripts)
        video = obs_config.Video(*SIZE, fps=20)
        with ObsSession(Path(folder) / "obs", [collection], video=video, env=env(home)) as obs:
            if not without:
                obs.wait_status("the filter to be live", lambda status: status["state"] == "live", seconds=90)
            looks = _watch(obs, minutes * 60, every, without=without)
            obs.quit()
    return looks


def _watch(obs: ObsSession, seconds: float, every: float, *, without: bool) -> list[Look]:
    began, looks = time.monotonic(), list[Look]()
    while not looks or looks[-1].seconds < seconds:
        now = time.monotonic() - began
        looks.append(_look(obs, now, without=without))
        time.sleep(max(0.0, len(looks) * every - (time.monotonic() - began)))
    return looks


def _look(obs: ObsSession, now: float, *, without: bool) -> Look:
    pid = obs.process.pid
    if without:
        return Look(now, usage(pid), None, len(shared_blocks(pid)))
    status = obs.wait_status("the engine", lambda s: s["engine_pid"] > 0)
    names = {field.name for field in dataclasses.fields(Look)}
    told = {name: value for name, value in status.items() if name in names}
    return Look(now, usage(pid), usage(status["engine_pid"]), len(shared_blocks(pid)), **told)


def main() -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=5.0, help="seconds between two looks (default: 5)")
    parser.add_argument("--warm-up", type=float, default=5.0, help="minutes that count for nothing (default: 5)")
    parser.add_argument("--without", action="store_true", help="OBS alone, without FaceLive")
    parser.add_argument("--report", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    home = Home.find()
    options.report.mkdir(parents=True, exist_ok=True)
    try:
        clip = home.root / "demo" / "camera.mp4"
        looks = soak(home, clip, options.minutes, options.every, without=options.without)
    except (ObsError, OSError, TimeoutError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    figures = summary(looks, options.warm_up * 60)
    data = {"figures": figures, "looks": [dataclasses.asdict(look) for look in looks]}
    (options.report / "soak.json").write_text(json.dumps(data))
    (options.report / "soak.md").write_text(markdown(figures))
    plot(looks, options.report / "soak.png")
    print(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
