"""Opening the person's own OBS for a meeting: its scene, its virtual camera, its icon."""
