"""Layers and blocks: what networks are made of."""
