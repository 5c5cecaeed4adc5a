"""``python -m obs_facelive.engine``: started by OBS's side, never by people."""

import argparse

from obs_facelive.engine.main import run
from obs_facelive.home import Home

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--bell", type=int, required=True)
    parser.add_argument("--device", required=True, choices=["auto", "cpu", "cuda", "directml", "coreml"])
    arguments = parser.parse_args()
    run(Home.find(), arguments.bell, arguments.device)
