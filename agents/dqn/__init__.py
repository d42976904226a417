"""Deep Q-networks: one agent, its networks, what it learns of returns, and its replays."""
