"""Trains the occlusion network and writes it as an ONNX file.

    python -m tools.occlusion samples --out FOLDER --count 20000     draws training samples
    python -m tools.occlusion train --samples FOLDER --out FILE.onnx --minutes 40

Needs PyTorch, which is no part of FaceLive's environment: see CONTRIBUTING. The shipped file is ``models/face_occlusion.onnx``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import cv2
import numpy as np

from obs_facelive.home import Home
from obs_facelive.topology import load_canonical_face
from tools.occlusion.faces import load_faces
from tools.occlusion.samples import Sampler

CHUNK = 256


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    samples = commands.add_parser("samples", help="draw training samples")
    samples.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    samples.add_argument("--count", type=int, default=20000)
    samples.add_argument("--seed", type=int, default=1)
    train = commands.add_parser("train", help="train on samples, and go on where an earlier run ended")
    train.add_argument("--samples", type=Path, required=True, metavar="FOLDER")
    train.add_argument("--out", type=Path, required=True, metavar="FILE.onnx")
    train.add_argument("--minutes", type=float, default=40)
    options = parser.parse_args()
    if options.command == "train":
        from tools.occlusion.train import train as run

        run(options.samples, options.out, options.minutes * 60)
        return 0
    draw_samples(options.out, options.count, options.seed)
    return 0


def draw_samples(out: Path, count: int, seed: int) -> None:
    """Writes ``count`` samples in chunks: ``image`` int8, 32 times the network's input; ``hidden``, ``weight`` uint8."""
    home = Home.find()
    cv2.setNumThreads(1)
    out.mkdir(parents=True, exist_ok=True)
    faces = load_faces(home.models, home.root / "cache" / "wheels")
    sampler = Sampler(faces, load_canonical_face(home.models), seed)
    for number in range(count // CHUNK):
        chunk = [sampler.sample() for _ in range(CHUNK)]
        image = np.stack([np.clip(np.round(s.image * 32), -127, 127).astype(np.int8) for s in chunk])
        hidden, weight = (
            np.stack([(getattr(s, name) * 255).astype(np.uint8) for s in chunk]) for name in ("hidden", "weight")
        )
        path = out / f"{seed}-{number:05}.npz"
        fresh = path.with_name(f".{path.stem}.{os.getpid()}.npz")
        np.savez(fresh, image=image, hidden=hidden, weight=weight)
        fresh.replace(path)
        print(f"{path.name}: {(number + 1) * CHUNK} of {count}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
