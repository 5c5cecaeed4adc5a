"""How well the invisible mark holds, and how rarely it is seen where there is none: ``python -m tools.mark --help``."""
