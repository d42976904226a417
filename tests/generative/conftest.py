"""Data that several tests learn from."""

import pytest
import torch
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """Handwritten digits `[1797, 1, 8, 8]` in [0, 1]."""
    return torch.tensor(load_digits().data, dtype=torch.float32).view(-1, 1, 8, 8) / 16.0
