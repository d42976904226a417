"""Drawing: backgrounds and patches by indexing, for N frames at once."""
