"""The shared memory that OBS and the engine both know."""
