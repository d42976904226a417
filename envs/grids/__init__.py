"""Grid worlds, made from text."""
