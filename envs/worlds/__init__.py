"""Worlds whose dynamics are written out."""
