"""What tells the viewer that the face is made."""
