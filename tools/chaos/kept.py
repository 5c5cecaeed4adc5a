"""A run that is over, in a folder: its recordings can be looked at again."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

from tools.chaos.run import Outcome, Struck
from tools.procfs import Usage


def keep(outcome: Outcome, folder: Path) -> Outcome:
    """Copies the recordings into ``folder`` and writes ``outcome.json`` beside them; gives what `load` will give."""
    recording = folder / "recording.mkv"
    control = [(size, folder / f"bare-{size[0]}x{size[1]}.mkv") for size, _ in outcome.control]
    for source, target in [
        (outcome.recording, recording),
        *((a, b) for (_, a), (_, b) in zip(outcome.control, control, strict=True)),
    ]:
        shutil.copyfile(source, target)
    kept = replace(outcome, recording=recording, control=control)
    (folder / "outcome.json").write_text(json.dumps(asdict(kept), default=str))
    return kept


def load(folder: Path) -> Outcome:
    """What `keep` left there."""
    data = json.loads((folder / "outcome.json").read_text())
    data["recording"] = folder / "recording.mkv"
    data["control"] = [((size[0], size[1]), folder / Path(path).name) for size, path in data["control"]]
    data["struck"] = [Struck(**each) for each in data["struck"]]
    return Outcome(**data | {"before": Usage(**data["before"]), "after": Usage(**data["after"])})
