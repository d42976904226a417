"""What a run leaves: checkpoints, records, logs."""
