"""``python -m obs_facelive.engine``: started by OBS's side, never by people."""

import argparse
import logging
import os
from logging.handlers import RotatingFileHandler

from obs_facelive.home import Home


def main() -> None:
    """The process's whole life. The log comes first, so that whatever fails after it is found there."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bell", type=int, required=True)
    parser.add_argument("--device", required=True, choices=["auto", "cpu", "cuda", "directml", "coreml"])
    arguments = parser.parse_args()
    home = Home.find()
    home.logs.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(home.logs / "engine.log", maxBytes=1_000_000, backupCount=3, encoding="utf-8")
    logging.basicConfig(
        handlers=[handler], level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"
    )
    try:
        from obs_facelive.engine.main import run

        run(home, arguments.bell, arguments.device)
    except BaseException:
        logging.exception("the engine ends")
        os._exit(1)


if __name__ == "__main__":
    main()
