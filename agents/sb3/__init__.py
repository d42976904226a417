"""The algorithms of stable-baselines3 behind our verbs and run folders."""
