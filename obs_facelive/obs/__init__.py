"""What runs inside OBS."""
