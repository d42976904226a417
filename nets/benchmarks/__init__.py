"""Measuring speed beside peers, and quality beside known values."""
