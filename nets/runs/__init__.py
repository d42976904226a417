"""What a run leaves, a folder of checkpoints and logs; and the presets it begins with."""
