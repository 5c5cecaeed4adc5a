"""What the project makes for itself: embedded models, personas, the demo, benchmarks."""
