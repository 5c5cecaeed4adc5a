"""``python -m tools.mark held | unmarked --out DIR``: tables for docs/mark.md, and their figures as JSON lines."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from obs_facelive.frame import Frame, Pixels
from obs_facelive.home import Home
from obs_facelive.provenance.verify import SURE, Verifier
from tools import rtmp_server
from tools.mark import rtmp, ways
from tools.mark.material import FPS, Swapped, swapped
from tools.mark.unmarked import all_scores

SIZE_480P = (854, 480)


def clips(home: Home) -> list[Path]:
    """The shared footage and the demo's camera."""
    data = Path(os.environ.get("FACELIVE_TEST_DATA") or Path(__file__).absolute().parents[3] / "shared" / "data")
    return [*sorted((data / "clips").glob("*.m*")), home.root / "demo" / "camera.mp4"]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("held", "unmarked"))
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--frames", type=int, default=90, help="held: pictures of each clip")
    parser.add_argument("--only", nargs="*", metavar="NAME", help="clips whose names begin like this")
    parser.add_argument("--rounds", type=int, default=8, help="unmarked: how many times over all clips")
    parser.add_argument("--limit", type=int, default=20_000, help="unmarked: pictures at the most")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    home = Home.find()
    chosen = [clip for clip in clips(home) if not options.only or clip.name.startswith(tuple(options.only))]
    if options.what == "held":
        held(home, chosen, options.out, options.frames)
    else:
        unmarked(home, chosen, options.out, options.rounds, options.limit)


def held(home: Home, chosen: list[Path], out: Path, frames: int) -> None:
    """What is left of the mark after each way, clip by clip, and in all."""
    verifier, names = Verifier(home.models), home.persona_names()
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with (out / "held.jsonl").open("w") as log:
        for number, clip in enumerate(chosen):
            pictures = swapped(home, clip, names[number % len(names)], frames, 10)
            facts = {"clip": clip.name, **quality(pictures)}
            print(json.dumps(facts), flush=True)
            log.write(json.dumps(facts) + "\n")
            for way, received in received_by(pictures):
                stream = [
                    Frame(np.dstack([p, np.full(p.shape[:2], 255, np.uint8)]), n, n / FPS)
                    for n, p in enumerate(received)
                ]
                looks = list(verifier.looks(stream))
                rows[way] += [(look.alone.value, look.score.value) for look in looks]
                line = {"clip": clip.name, "way": way, **summary(rows[way][-len(looks) :])}
                print(json.dumps(line), flush=True)
                log.write(json.dumps(line) + "\n")
                log.flush()
    print(
        "| way | pictures | one picture: found | score, lowest 5 % | with those before it: found |\n|---|---|---|---|---|"
    )
    for way, scores in rows.items():
        s = summary(scores)
        print(f"| {way} | {s['pictures']} | {s['alone']:.1%} | {s['low']:.1f} | {s['together']:.1%} |")


def summary(scores: list[tuple[float, float]]) -> dict[str, float]:
    """Shares that are found, and the score of a single picture that 5 % do not reach."""
    table = np.array(scores).reshape(-1, 2)
    found = (table >= SURE).mean(0)
    low = float(np.quantile(table[:, 0], 0.05))
    return {"pictures": len(table), "alone": float(found[0]), "together": float(found[1]), "low": low}


def quality(pictures: list[Swapped]) -> dict[str, float]:
    """PSNR (dB) and SSIM inside the patches, and the cost."""
    errors, alike = [], []
    for picture in pictures[::10]:
        x0, y0, x1, y1 = picture.box
        plain, marked = picture.plain[y0:y1, x0:x1], picture.marked[y0:y1, x0:x1]
        errors.append(float(np.square(plain.astype(np.float32) - marked).mean()))
        alike.append(ssim(plain, marked))
    ms = [picture.ms for picture in pictures[3:]]
    psnr = 10 * np.log10(255**2 / np.mean(errors))
    return {"psnr": round(float(psnr), 1), "ssim": round(float(np.mean(alike)), 4), "ms": round(float(np.mean(ms)), 2)}


def ssim(a: Pixels, b: Pixels) -> float:
    """Of two pictures' brightness, Gaussian window of 1.5 pixels (Z. Wang et al., IEEE Trans. Image Processing 2004)."""
    x, y = (np.asarray(cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), np.float64) for p in (a, b))

    def blur(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(p, (11, 11), 1.5), np.float64)

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean())


def received_by(pictures: list[Swapped]) -> list[tuple[str, list[Pixels]]]:
    """By way: what arrives."""
    marked = [picture.marked for picture in pictures]
    recording = ways.through_x264(6_000_000)(marked)
    stream = ways.through_x264(2_500_000)(marked)
    small = ways.through_x264(1_200_000, SIZE_480P)(stream)
    arrived = [
        ("as written", marked),
        ("recording, x264 6 Mbit", recording),
        ("stream, x264 2.5 Mbit", stream),
        ("stream, then 480p 1.2 Mbit", small),
        ("screenshot of the stream, JPEG 80", ways.as_jpeg(stream)),
        ("screenshot of 480p, JPEG 80", ways.as_jpeg(small)),
        ("stream, a tenth cut off each side", ways.cropped(stream)),
        ("stream, mirrored", ways.flipped(stream)),
    ]
    if rtmp_server.available():
        with tempfile.TemporaryDirectory() as folder:
            live = rtmp.streamed(marked, 2_500_000, Path(folder))
        arrived.append(("through nginx's RTMP, 2.5 Mbit", live))
    return arrived


def unmarked(home: Home, chosen: list[Path], out: Path, rounds: int, limit: int) -> None:
    """Scores of unmarked pictures: a line each, and what they say."""
    highest: dict[str, list[tuple[float, float]]] = defaultdict(list)
    count = 0
    with (out / "unmarked.csv").open("w") as log:
        for kind, alone, together in all_scores(home, chosen, rounds, home.persona_names()):
            highest[kind].append((alone, together))
            log.write(f"{kind};{alone:.3f};{together:.3f}\n")
            count += 1
            if count % 200 == 0:
                log.flush()
                table = np.concatenate([np.array(v) for v in highest.values()])
                print(
                    count, "pictures, highest", table.max(0).round(2), "over", SURE, (table >= SURE).sum(0), flush=True
                )
            if count == limit:
                break
    for kind, scores in highest.items():
        table = np.array(scores)
        print(kind, len(table), "highest", table.max(0).round(2), "99.9 %", np.quantile(table, 0.999, 0).round(2))


if __name__ == "__main__":
    main()
