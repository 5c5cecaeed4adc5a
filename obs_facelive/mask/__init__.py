"""What of the layer may be seen."""
