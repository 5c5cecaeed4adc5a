"""FaceLive: a face swap inside OBS Studio."""

__version__ = "0.1.0"
