"""What comes of training: curves, pictures, comparisons, exported policies."""
