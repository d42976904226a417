"""Data to imagine: files, figures, frames of environments, small sets."""
