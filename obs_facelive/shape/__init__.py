"""The live face with the persona's proportions."""
