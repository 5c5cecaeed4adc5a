"""`facelive doctor`: what of FaceLive is in order, what is not, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime as ort

from obs_facelive.brought import list_models
from obs_facelive.catalog import ModelError, load_catalog, model_file, status
from obs_facelive.engine.opening import Opening
from obs_facelive.finding import Finding
from obs_facelive.home import Home
from obs_facelive.identity.enrolment import EnrolmentError
from obs_facelive.identity.enrolment import load as load_enrolment
from obs_facelive.identity.key import store_name
from obs_facelive.interpreter import NoPythonError, wanted_minors
from obs_facelive.landmark.facemesh import INPUT, LANDMARKS_FILE
from obs_facelive.launch import virtual_camera
from obs_facelive.link.layout import block_bytes
from obs_facelive.obs_home import Configuration, find_configurations
from obs_facelive.obs_program import Program, find_programs
from obs_facelive.personas.library import PersonaError, stored_persona
from obs_facelive.registration import RegistrationError, scripts
from obs_facelive.runtime.providers import DEVICES, NEEDS, UNMEASURED, available_devices, missing_devices
from obs_facelive.runtime.session import open_session

REPAIR = "run `python3 install.py` again"
_SHARED_MEMORY = Path("/dev/shm")
_LOG_LINE = re.compile(r"^\S+ \S+ \d+ (?P<level>[A-Z]+) (?P<text>.*)")


def examine(home: Home) -> list[Finding]:
    """Looks at everything that FaceLive needs. Takes a few seconds; changes nothing."""
    program = next(iter(find_programs()), None)
    folder = [program.folder] if program else []
    configurations = find_configurations(folder)
    return [
        *_python(home, program, next((c.python_path for c in configurations if c.python_path), "")),
        *obs_findings(configurations),
        *virtual_camera.gather(program).findings(),
        *_runtime(),
        *_models(home),
        *_providers(home),
        *_networks(home),
        *_personas(home),
        *_owner(home),
        *_shared_memory(),
        *_log(home),
    ]


def _python(home: Home, program: Program | None, python_path: str) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("Python", "ok", f"{version}, {sys.executable}")
    if program is None:
        yield Finding(
            "OBS", "warn", "not found", "install OBS Studio; one in an unusual place is no trouble for FaceLive"
        )
        return
    number = ".".join(map(str, program.version)) if program.version else "of unknown version"
    try:
        minors, why = wanted_minors(program, python_path)
    except NoPythonError as error:
        yield Finding("OBS", "bad", f"{number}, {program.path}", str(error))
        return
    fits = sys.version_info[1] in minors
    remedy = "" if fits else f"{REPAIR}: it makes the environment anew with the Python that OBS takes"
    yield Finding("OBS", "ok" if fits else "bad", f"{number}, {program.path}; {why}", remedy)


def obs_findings(configurations: list[Configuration]) -> Iterator[Finding]:
    """Whether FaceLive is in OBS's scene collections, and can be."""
    if not configurations:
        yield Finding("OBS configuration", "warn", "none", "`python3 install.py run obs setup` makes one")
    for configuration in configurations:
        name = f"OBS configuration ({configuration.kind})"
        if configuration.obstacle:
            yield Finding(name, "warn", str(configuration.root), configuration.obstacle)
        elif not configuration.collections:
            yield Finding(
                name, "warn", f"{configuration.root}: no scene collection", f"start OBS once, close it, {REPAIR}"
            )
        for collection in configuration.collections if not configuration.obstacle else ():
            yield _collection(collection)


def _collection(collection: Path) -> Finding:
    name = f"scene collection {collection.stem}"
    try:
        found = scripts(collection)
    except RegistrationError as error:
        return Finding(name, "warn", "unreadable", str(error))
    if not found:
        return Finding(name, "warn", f"without FaceLive: {collection}", f"close OBS and {REPAIR}")
    gone = [path for path in found if not path.is_file()]
    if gone or len(found) > 1:
        return Finding(name, "bad", f"points to {', '.join(map(str, gone or found))}", f"close OBS and {REPAIR}")
    return Finding(name, "ok", str(found[0]))


def _runtime() -> Iterator[Finding]:
    installed = sorted(
        f"{d.metadata['Name']} {d.version}"
        for d in importlib.metadata.distributions()
        if d.metadata["Name"].lower().startswith("onnxruntime")
    )
    one = len(installed) == 1
    found = f"{', '.join(installed)}: {', '.join(ort.get_available_providers())}"
    yield Finding(
        "ONNX Runtime", "ok" if one else "bad", found, "" if one else f"exactly one may be installed: {REPAIR}"
    )


def _models(home: Home) -> Iterator[Finding]:
    for source in load_catalog():
        for model in source.models:
            state = status(source, model, home.models)
            ready = state == "ready"
            yield Finding(f"model {model.file}", "ok" if ready else "bad", state, "" if ready else REPAIR)


def _providers(home: Home) -> Iterator[Finding]:
    """What the landmark network, the pipeline's greatest, runs at on each provider."""
    image = {"image": np.zeros((1, INPUT, INPUT, 3), np.float32)}
    for device in available_devices():
        if device not in UNMEASURED:  # it would be compiled first, for minutes
            continue
        name = f"landmarks on {device}"
        try:
            session = open_session(model_file(home.models, LANDMARKS_FILE), device)
            times = []
            for _ in range(20):
                start = time.perf_counter()
                session.run(None, image)
                times.append(time.perf_counter() - start)
        except (ModelError, RuntimeError) as error:
            yield Finding(name, "warn", "does not run", str(error))
            continue
        yield Finding(name, "ok", f"{statistics.median(times) * 1e3:.1f} ms, one thread")


def _networks(home: Home) -> Iterator[Finding]:
    """Where the networks run that the person brought, as it was measured, and what they could run on besides."""
    if missing := missing_devices():
        yield Finding(
            "devices not installed", "ok", "; ".join(f"{DEVICES[name]} needs {NEEDS[name]}" for name in missing)
        )
    try:
        models, opening = list_models(home), Opening(home)
    except ModelError as error:
        yield Finding("models of your own", "warn", "unreadable", str(error))
        return
    for model in models:
        if model.kind != "recogniser":
            yield Finding(f"model {model.file}", "ok", opening.told(model) or "its devices were not measured yet")


def _personas(home: Home) -> Iterator[Finding]:
    good = []
    for name in home.persona_names():
        try:
            good.append(stored_persona(home.personas / name).info.name)
        except PersonaError as error:
            yield Finding(f"persona {name}", "warn", "unusable", str(error))
    yield Finding("personas", "ok" if good else "bad", ", ".join(good) or "none", "" if good else REPAIR)


def _owner(home: Home) -> Iterator[Finding]:
    """Whom "Only me" knows, and where the key to that is."""
    store = store_name()
    kept = f"key store: {store}" if store else "no key store of the operating system"
    try:
        enrolment = load_enrolment(home)
    except EnrolmentError as error:
        yield Finding("enrolment", "warn", str(error), "run `facelive enrol` again, or `facelive enrol --delete`")
        return
    if enrolment is None:
        yield Finding("enrolment", "ok", f"nobody; {kept}")
        return
    found = f"{len(enrolment.poses)} pictures, encrypted; {kept}"
    if enrolment.place == "store":
        yield Finding("enrolment", "ok", found)
    elif store:
        yield Finding("enrolment", "warn", f"{found}, but the key is in a file", "run `facelive enrol` again")
    else:
        file = home.identity / "key"
        remedy = f"the key is a file: whoever can read {file} can read the enrolment; encrypt the disk, or install a key store"
        yield Finding("enrolment", "warn", found, remedy)


def _shared_memory() -> Iterator[Finding]:
    if _SHARED_MEMORY.is_dir():
        free = shutil.disk_usage(_SHARED_MEMORY).free
        frame = 1920 * 1080 * 4
        enough = free > block_bytes(frame, frame)
        remedy = (
            "" if enough else "a filter on a 1080p camera needs more; in a container, start it with --shm-size=512m"
        )
        yield Finding("shared memory", "ok" if enough else "bad", f"{free / 1e6:.0f} MB free", remedy)


def _log(home: Home) -> Iterator[Finding]:
    """The errors of the engine's last run."""
    file = home.logs / "engine.log"
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        yield Finding("engine's log", "ok", "the engine has not run yet")
        return
    found = [match for line in lines if (match := _LOG_LINE.match(line))]
    last_start = max((i for i, match in enumerate(found) if "engine starts" in match["text"]), default=0)
    errors = [match["text"] for match in found[last_start:] if match["level"] in ("ERROR", "CRITICAL")]
    if errors:
        yield Finding(
            "engine's log", "warn", f"{len(errors)} errors in its last run, the last: {errors[-1]}", f"see {file}"
        )
    else:
        yield Finding("engine's log", "ok", "no errors in the engine's last run")
