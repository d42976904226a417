"""The one loop of players that trains every generative model."""
