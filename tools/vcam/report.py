"""What two readers of OBS's virtual camera saw, judged, in words and pictures."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from obs_facelive.home import Home
from tools.far_end.judge import Judge
from tools.far_end.report import Report
from tools.vcam.film import SMALLER, Film
from tools.views import ONE_FRAME


@dataclass(frozen=True)
class Seen:
    """A film, judged.

    Attributes
    ----------
    ffmpeg, meeting : by reader
    bare : of the pictures that are bare on purpose
    """

    film: Film
    ffmpeg: Report
    meeting: Report
    bare: Report

    @property
    def raw_frames_shown(self) -> int:
        """The filter's own counter after both readers."""
        return int(self.film.facts["status"]["after"]["raw_frames_shown"])

    def wrong(self) -> list[str]:
        """What breaks a promise, in words; empty if nothing does."""
        found = [f"{name}: {words}" for name, report in self._readers().items() for words in report.wrong()]
        if self.raw_frames_shown:
            found.append(f"{self.raw_frames_shown} bare frames by the filter's own counter")
        for views, counts in self.film.facts["views"].items():
            if max(counts["frames_captured"], counts["frames_sent"]) > 1 + ONE_FRAME:
                found.append(f"a frame is worked on more than once with the virtual camera, {views}")
        if self.bare.raw < self.bare.pictures:
            found.append(
                f"only {self.bare.raw} of {self.bare.pictures} pictures that are bare on purpose were found out"
            )
        return found

    def markdown(self) -> str:
        """The report for people."""
        facts = self.film.facts
        page, before, after = facts["page"], facts["status"]["before"], facts["status"]["after"]
        received = page["received"]
        lines = [
            "## OBS's virtual camera, seen from outside",
            "",
            f"- OBS {facts['obs_version']}; {facts['ffmpeg']}; {facts['chromium']}; persona {self.film.persona}",
            f"- the camera's name: {', '.join(page['cameras'])}; `v4l2-ctl --list-devices`: {facts['listed'].split(':')[0]}",
            f"- **ffmpeg**: {self.ffmpeg.words()}",
            f"- **meeting** ({received['codec']}, {received['width']}x{received['height']}, {received['bytes']} bytes in"
            f" {received['decoded']} pictures, {received['lost']} packets lost): {self.meeting.words()}",
            f"- bare on purpose, at the end: {self.bare.raw} of {self.bare.pictures} pictures found out",
            f"- the filter: `raw_frames_shown` {self.raw_frames_shown}; {_spent(before, after, 'frames_swapped')} swapped of"
            f" {_spent(before, after, 'frames_with_face')} frames with a face",
            "- drawn / captured a frame, with the virtual camera: "
            + ", ".join(
                f"{views} {seen['frames_rendered']} / {seen['frames_captured']}"
                for views, seen in facts["views"].items()
            ),
            "",
            *(f"- WRONG: {words}" for words in self.wrong()),
        ]
        return "\n".join(lines).rstrip() + "\n"

    def write(self, folder: Path) -> None:
        """Writes ``report.md``, ``report.json``, a contact sheet of each reader, and Chromium's window."""
        for name, report in (*self._readers().items(), ("bare", self.bare)):
            report.write(folder, name)
        (folder / "report.json").write_text(json.dumps(self._data(), indent=1))
        (folder / "report.md").write_text(self.markdown())
        shutil.copy(self.film.folder / "meeting.png", folder / "window.png")

    def _readers(self) -> dict[str, Report]:
        return {"ffmpeg": self.ffmpeg, "meeting": self.meeting}

    def _data(self) -> dict[str, Any]:
        readers = {name: report.data() for name, report in self._readers().items()}
        return {"facts": self.film.facts, **readers, "bare": self.bare.data(), "wrong": self.wrong()}


def judge(home: Home, film: Film) -> Seen:
    """Looks at every picture. Raises as `tools.far_end.judge.Judge` does."""
    looked = Judge(home, film.clip, film.persona, smaller=SMALLER)
    return Seen(film, looked.judge(film.ffmpeg()), looked.judge(film.meeting()), looked.judge(film.bare()))


def _spent(before: dict[str, Any], after: dict[str, Any], name: str) -> int:
    return int(after[name]) - int(before[name])
