"""The commands of agents; each parses its arguments before it imports torch."""
