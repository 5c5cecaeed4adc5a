"""One identity per face over time."""
