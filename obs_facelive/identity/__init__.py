"""Whose face it is: recognising the camera's owner. Nothing of it leaves the machine."""
