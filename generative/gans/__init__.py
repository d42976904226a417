"""Generative adversarial networks: two players against each other."""
