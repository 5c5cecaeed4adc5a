"""Writes ``docs/settings.md`` from the settings schema: ``python -m tools.settings_doc``."""

from __future__ import annotations

from pathlib import Path

from obs_facelive.fields import CAMERA, IN_STEP, Field, fields

FILE = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = """# Settings

Made from `obs_facelive/settings.py` by `python -m tools.settings_doc`. The names in the second column are what obs-websocket's
`SetSourceFilterSettings` and the options of `facelive swap` use (there with dashes: `--mask-size`).
"""
CAMERA_HEAD = """
## FaceLive camera

The source "FaceLive camera" has all of these (over obs-websocket: `SetInputSettings`), and:
"""
SOUND_HEAD = """
## Sound

In OBS only, one for each source that has sound; its name is part of the setting's:
"""
TABLE = "\n| setting | name | values | default | what it does |\n|---|---|---|---|---|\n"


def _values(field: Field) -> str:
    if field.kind == "int":
        return f"{field.low} to {field.high} {field.unit}".strip()
    if field.kind == "choice":
        return ", ".join(f"`{value}`" for value in field.choices)
    return "on, off" if field.kind == "bool" else "a persona's id"


def _default(field: Field) -> str:
    if field.kind == "bool":
        return "on" if field.default else "off"
    return (
        f"{field.default} {field.unit}".strip()
        if field.kind == "int"
        else f"`{field.default}`"
        if field.default
        else "the first"
    )


def text() -> str:
    """The whole page."""
    page, group = [HEAD], ""
    for field in fields():
        if field.group != group:
            group = field.group
            page.append(f"\n## {group}\n{TABLE}")
        page.append(f"| {field.title} | `{field.name}` | {_values(field)} | {_default(field)} | {field.help} |\n")
    page.append(
        f"{SOUND_HEAD}{TABLE}| {IN_STEP.title.format('…')} | `{IN_STEP.name}…` | on, off | off | {IN_STEP.help} |\n"
    )
    page.append(f"{CAMERA_HEAD}{TABLE}| {CAMERA.title} | `{CAMERA.name}` | a source's name | none | {CAMERA.help} |\n")
    return "".join(page)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
