"""Generative models: what learns to imagine."""
