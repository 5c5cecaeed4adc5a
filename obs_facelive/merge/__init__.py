"""Blending a layer into the frame."""
