"""What a filter is doing, in numbers and in words: for the panel, OBS's log and tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from obs_facelive.home import PERSONA_ID
from obs_facelive.link import layout as at
from obs_facelive.link.atomic import read_word
from obs_facelive.link.memory import SharedMemory
from obs_facelive.obs import rows as r
from obs_facelive.obs.lately import Lately
from obs_facelive.states import REASONS, STATE_NAMES
from obs_facelive.words import plain

_Number = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
_Words = Annotated[str, msgspec.Meta(max_length=2000)]


class Report(msgspec.Struct, frozen=True):
    """What the engine says of itself. Whatever is not so is no report: nobody knows what wrote it.

    Attributes
    ----------
    fps, swap_fps : results and swaps a second
    stages_ms : milliseconds by stage
    added : id of the persona that was added last
    provider, persona, rung, rung_why, error, enrolment, adding, getting, consent : words, one line each, fit to be shown
    """

    fps: _Number = 0.0
    swap_fps: _Number = 0.0
    stages_ms: Annotated[dict[_Words, _Number], msgspec.Meta(max_length=64)] = {}
    provider: _Words = ""
    persona: _Words = ""
    rung: _Words = ""
    rung_why: _Words = ""
    error: _Words = ""
    enrolment: _Words = ""
    adding: _Words = ""
    getting: _Words = ""
    consent: _Words = ""
    added: Annotated[str, msgspec.Meta(max_length=64)] = ""


def engine_report(memory: SharedMemory) -> Report:
    """The engine's own status JSON out of a block; an empty one if that is torn, not there, or not what it should be."""
    seq = read_word(memory.address + 8 * at.STATUS_SEQ)
    if seq & 1 or seq == 0:
        return Report()
    text = memory.buffer[at.STATUS_TEXT : at.STATUS_TEXT + at.TEXT_BYTES].split(b"\0", 1)[0]
    if read_word(memory.address + 8 * at.STATUS_SEQ) != seq:
        return Report()
    return read_report(text)


def read_report(text: bytes) -> Report:
    """See `engine_report`. Never raises."""
    try:
        said = msgspec.json.decode(text, type=Report)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Report()
    return Report(
        fps=said.fps,
        swap_fps=said.swap_fps,
        stages_ms={plain(stage, 32): ms for stage, ms in said.stages_ms.items()},
        provider=plain(said.provider, 300),
        persona=plain(said.persona, 64),
        rung=plain(said.rung, 64),
        rung_why=plain(said.rung_why, 200),
        error=plain(said.error, 500),
        enrolment=plain(said.enrolment, 500),
        adding=plain(said.adding, 1000),
        getting=plain(said.getting, 500),
        consent=plain(said.consent, 1000),
        added=said.added if re.search(PERSONA_ID, said.added) else "",
    )


def status(
    row: npt.NDArray[np.int64],
    memory: SharedMemory | None,
    current: bool,
    lately: Lately,
    names: tuple[str, str],
    note: str,
) -> dict[str, Any]:
    """Everything about one filter or camera.

    ``current``: whether the engine was sent the newest settings; ``names``: of the filter or camera, and of the source that
    it is on or shows; ``note``: what there is to know about a camera's target. A camera that has no picture is "empty".
    """
    report = engine_report(memory) if memory else Report()
    sent = int(read_word(memory.address + 8 * at.SETTINGS_SEQ)) if memory else 0
    frames = max(1, int(row[r.RENDERS]))
    draws, work = lately.a_frame()
    empty = row[r.KIND] == r.KIND_CAMERA and row[r.TARGET_SIZE] == 0
    return {
        "kind": r.KIND_NAMES[int(row[r.KIND])],
        "name": names[0],
        "source": names[1],
        "state": "empty" if empty else STATE_NAMES[int(row[r.STATE])],
        "reason": "" if empty else REASONS[int(row[r.REASON])],
        "note": note,
        "width": int(row[r.WIDTH]),
        "height": int(row[r.HEIGHT]),
        "frames_begun": int(row[r.TICKS]),
        "frames_rendered": int(row[r.RENDERS]),
        "frames_captured": int(row[r.CAPTURES]),
        "frames_sent": int(row[r.SENT]),
        "results": int(row[r.RESULTS]),
        "results_stale": int(row[r.STALE]),
        "results_torn": int(row[r.TORN]),
        "results_bad": int(row[r.BAD_RESULTS]),
        "frames_with_face": int(row[r.WITH_FACE]),
        "frames_swapped": int(row[r.SWAPPED_FRAMES]),
        "raw_frames_shown": int(row[r.RAW_SHOWN]),
        "draws_a_frame": draws,
        "work_a_frame": work,
        "added_delay_ms": round(row[r.DELAY_NS] / 1e6, 1),
        "added_delay_ms_p50": lately.delay(50),
        "added_delay_ms_p95": lately.delay(95),
        "render_ns": int(row[r.RENDER_NS]) // frames,
        "copy_ns": int(row[r.COPY_NS]) // max(1, int(row[r.SENT])),
        "settings_seq": sent if current else sent + 2,
        "applied_seq": int(read_word(memory.address + 8 * at.APPLIED_SEQ)) if memory else 0,
        "engine_fps": report.fps,
        "swap_fps": report.swap_fps,
        "provider": report.provider,
        "persona": report.persona,
        "rung": report.rung,
        "rung_why": report.rung_why,
        "last_error": report.error,
        "enrolment": report.enrolment,
        "adding": report.adding,
        "getting": report.getting,
        "consent": report.consent,
        "stages_ms": report.stages_ms,
    }


def in_words(now: Mapping[str, Any], trouble: str) -> str:
    """One status line for the panel."""
    parts = [str(now["state"]).upper() + (f" ({now['reason']})" if now["reason"] else "")]
    if now["state"] == "live":
        # In coarse steps: OBS builds the panel anew for each change, which would close a list that is open.
        fps, delay = round(now["engine_fps"] / 5) * 5, round(now["late_ms"] / 20) * 20
        parts.append(f"about {fps} fps, delay about {delay} ms")
        if now["rung_why"]:  # the quality is not the best one
            parts.append(f"{now['rung']}: {now['rung_why']}")
    if now["draws_a_frame"] >= 1.5:
        captured = round(now["work_a_frame"])
        times = "once" if captured == 1 else f"{captured} times"
        parts.append(f"drawn {now['draws_a_frame']:.0f} times a frame, captured {times}")
    if now.get("sound"):
        parts.append(f"{', '.join(now['sound'])} in step")
    if now.get("note"):
        parts.append(str(now["note"]))
    if now.get("enrolment"):
        parts.append(str(now["enrolment"]))
    if now["provider"]:
        parts.append(str(now["provider"]))
    error = trouble or str(now["last_error"])
    if error:
        parts.append(f"Last error: {error}")
    return " · ".join(parts)
