"""A talking head of a person who does not exist, for the demo's camera clip."""
