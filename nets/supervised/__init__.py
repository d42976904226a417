"""Training on data: one call that fits, splits, early stopping, sampling, diagnosis."""
