"""Whose face: the library on disk and how a persona is made."""
