"""Shared test setup: no display, one torch thread, so that figures and bits repeat."""

import os

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

import torch

torch.set_num_threads(1)
