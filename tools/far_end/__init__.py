"""What arrives at the other end: pictures that other programs received, judged."""
