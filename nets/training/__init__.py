"""What agents and generative models share in order to train."""
