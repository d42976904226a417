"""Worlds: Gymnasium environments written once, run as scalar, vector and picture."""
