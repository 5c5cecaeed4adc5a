"""``facelive``: swapping faces in files, the library of faces, and looking after FaceLive."""

from obs_facelive.cli.main import app

__all__ = ["app"]
