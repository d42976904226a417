"""Torch building blocks shared by agents and generative models."""
