"""Agents that learn to act in any Gymnasium environment."""
