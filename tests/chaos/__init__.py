"""Faults on purpose, and time."""
