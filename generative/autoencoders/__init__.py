"""Autoencoders: plain, variational, adversarial."""
