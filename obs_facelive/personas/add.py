"""A persona out of somebody's photos: what the panel and the command line both do when a person adds one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from obs_facelive.frame import Floats
from obs_facelive.geometry import head_fit, pose_of
from obs_facelive.home import Home
from obs_facelive.identity.recogniser import mean_embedding
from obs_facelive.personas.advice import Judgement, judge
from obs_facelive.personas.consent import Consent, stated, write_consent
from obs_facelive.personas.errors import PersonaError
from obs_facelive.personas.info import MAX_NAME, MAX_PHOTOS, Kind, PersonaInfo, load_info, persona_id
from obs_facelive.personas.library import remove_persona, save_persona
from obs_facelive.personas.look import Studio
from obs_facelive.personas.make import Portrait, make_persona, thumbnail
from obs_facelive.personas.photos import limited, open_photo
from obs_facelive.shape.proportions import proportions, worth

ALIKE: Final = 0.36
"""Product of embeddings below which two photos are surely not of one person (OpenCV's for this network). Somebody alike, in the
same light and pose, may be above it."""

Progress: TypeAlias = Callable[[int, int, str], None]
"""Steps done, steps in all, what is done now, in words."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What the person who adds photos says about whose they are; see `obs_facelive.personas.consent.stated`.

    Attributes
    ----------
    by, purpose, when : as there
    signed : a signed paper, a copy of which is kept
    is_owner : tells of an embedding whether it is the enrolled owner's face; None where nobody is enrolled
    """

    by: str = ""
    purpose: str = ""
    when: str = ""
    signed: Path | None = None
    is_owner: Callable[[Floats], bool | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class PhotoReport:
    """What became of one photo.

    Attributes
    ----------
    name : the file's
    judgement : how good it is; None where no face could be read on it
    problem : why it was not used, for people; empty if it was
    """

    name: str
    judgement: Judgement | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class AddReport:
    """What was made.

    Attributes
    ----------
    info : the persona
    photos : one for each, in the order in which they were given
    best : index of the one whose texture is worn
    record : of consent
    """

    info: PersonaInfo
    photos: tuple[PhotoReport, ...]
    best: int
    record: Consent | None

    @property
    def score(self) -> int:
        """0..100: how good the best photo is."""
        judgement = self.photos[self.best].judgement
        return judgement.score if judgement else 0


class UnusableError(PersonaError):
    """None of the photos is good for a persona.

    Attributes
    ----------
    photos : what is wrong with each
    """

    def __init__(self, text: str, photos: tuple[PhotoReport, ...]) -> None:
        super().__init__(text)
        self.photos = photos


@dataclass(frozen=True, slots=True)
class _Read:
    report: PhotoReport
    portrait: Portrait
    embedding: Floats


def add_photos(
    studio: Studio,
    home: Home,
    paths: Sequence[Path],
    name: str,
    kind: Kind,
    statement: Statement,
    progress: Progress = lambda *_: None,
) -> AddReport:
    """Makes a persona of one person's photos, with its record of consent, and puts it into the library.

    Several photos make it steadier: proportions and identity are their mean, the texture is that of the best one. A photo that
    cannot be used is left out, and the report says why.

    Raises
    ------
    UnusableError
        None of them can be used.
    PersonaError
        Too many or too few, no name, or a statement that is not enough (`ConsentError`); nothing was written.
    """
    if not 1 <= len(paths) <= MAX_PHOTOS:
        raise PersonaError(f"one to {MAX_PHOTOS} photos of one person make a persona; there are {len(paths)}.")
    name = " ".join(name.split())
    if not 1 <= len(name) <= MAX_NAME:
        raise PersonaError(f"a persona needs a name of at most {MAX_NAME} letters.")
    info = PersonaInfo(
        id=free_id(home.personas, name),
        name=name,
        kind=kind,
        origin="photo",
        made=f"made of {len(paths)} photo{'s' if len(paths) > 1 else ''}",
    )
    # Before the work, so that a person is asked at once for what is missing. Whether it is the owner's face is seen later.
    stated(info, by=statement.by, purpose=statement.purpose, when=statement.when)
    steps = len(paths) + 2
    read: list[_Read | PhotoReport] = []
    for number, path in enumerate(paths):
        progress(number, steps, f"looking at {path.name}")
        read.append(_read(studio, path))
    used = _of_one_person(read)
    reports = tuple(r.report if isinstance(r, _Read) else r for r in read)
    if not used:
        raise UnusableError(_unusable(reports), reports)
    progress(len(paths), steps, "making the persona")
    best = max(used, key=_score)
    base = best.portrait
    persona = make_persona(info, base, studio.canonical, embedding=mean_embedding([r.embedding for r in used]))
    persona = replace(persona, shape=mean_shape([r.portrait for r in used], studio))
    own = statement.is_owner(persona.embedding) if kind == "self" else None
    # Refused before anything is written, if the face turns out to be somebody else's.
    stated(info, by=statement.by, purpose=statement.purpose, when=statement.when, own=own)
    progress(len(paths) + 1, steps, "writing it")
    photos = [base.pixels, *(r.portrait.pixels for r in used if r is not best)]
    folder = save_persona(home.personas, persona, thumbnail(base), photos)
    info = load_info(folder)
    record = None
    if info.real:
        record = stated(info, by=statement.by, purpose=statement.purpose, when=statement.when, own=own)
        try:
            record = write_consent(folder, record, statement.signed)
        except (PersonaError, OSError):  # a signed paper that cannot be read
            remove_persona(folder)
            raise
    progress(steps, steps, "done")
    return AddReport(info, reports, read.index(best), record)


def free_id(personas: Path, name: str) -> str:
    """An id for ``name`` that no persona in the folder has."""
    first = persona_id(name)
    number, free = 1, first
    while (personas / free).exists():
        number += 1
        free = f"{first[:44]}-{number}"
    return free


def mean_shape(portraits: Sequence[Portrait], studio: Studio) -> Floats:
    """(468, 3) float32: the proportions of one person, as `Persona.shape`: photos from the front and at rest count more."""
    shapes, weights = [], []
    for portrait in portraits:
        fit = head_fit(portrait.points, studio.canonical)
        yaw, pitch, _ = pose_of(fit)
        shapes.append(proportions(portrait.points, fit))
        weights.append(worth(yaw, pitch, portrait.blendshapes))
    return np.asarray(np.average(shapes, axis=0, weights=weights), np.float32)


def _read(studio: Studio, path: Path) -> _Read | PhotoReport:
    try:
        portrait = studio.portrait(limited(open_photo(path)))
    except PersonaError as error:
        return PhotoReport(path.name, None, str(error).removeprefix(f"{path.name} "))
    judgement = judge(studio.look(portrait))
    if not judgement.usable:
        worst = judgement.remarks[0]
        return PhotoReport(path.name, judgement, f"{worst.text}. {worst.better}")
    return _Read(PhotoReport(path.name, judgement), portrait, studio.embed(portrait))


def _of_one_person(read: list[_Read | PhotoReport]) -> list[_Read]:
    """Those that show the person on the best one; the others in ``read`` become reports that say so."""
    used = [r for r in read if isinstance(r, _Read)]
    if not used:
        return []
    # With three and more, the person is who most of the photos are alike.
    likeness = [sum(float(r.embedding @ other.embedding) > ALIKE for other in used) for r in used]
    base = max(zip(likeness, used, strict=True), key=lambda pair: (pair[0], _score(pair[1])))[1]
    for index, r in enumerate(read):
        if isinstance(r, _Read) and float(r.embedding @ base.embedding) < ALIKE:
            text = f"it shows somebody else than {base.report.name}. A persona is one person: add each on their own."
            read[index] = replace(r.report, problem=text)
    return [r for r in read if isinstance(r, _Read)]


def _score(read: _Read) -> float:
    judgement = read.report.judgement
    width = float(np.ptp(read.portrait.points[:, 0]))
    return (judgement.score if judgement else 0) + min(width, 600) / 1000  # of two equally good ones, the larger face


def _unusable(reports: Sequence[PhotoReport]) -> str:
    if len(reports) == 1:
        return f"no persona can be made of {reports[0].name}: {reports[0].problem}"
    return "no persona can be made of these photos: " + " ".join(f"{r.name}: {r.problem}" for r in reports)
