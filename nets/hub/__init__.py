"""Runs that are shared: what travels of one, its model card, and a hub that keeps it."""
