"""Whole networks: classic ones, encoders, decoders, sequence to sequence."""
