"""Seeds: one hash that derives them, one scope that applies them.

Nothing else in the library touches global random state.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import numpy as np
import torch


def hash31(*words: int | str) -> int:
    """Hash integers and strings to a 31-bit seed, the range that every generator accepts.

    Distinct purposes get distinct words, `hash31(seed, "evaluation")`, so that no two streams of a
    run, nor runs of neighbouring seeds, share their numbers.
    """
    plain = [word if isinstance(word, str) else int(word) for word in words]  # np.int64(3) is 3
    digest = blake2b("\x1f".join(map(repr, plain)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 33


class Generators:
    """Python's, NumPy's and torch's global generators, seeded once and lent for blocks of code.

    What one block draws the next goes on from; outside, nothing is changed. CUDA's generators are
    included where CUDA is in use.

    Args:
        seed: of all of them.
    """

    def __init__(self, seed: int) -> None:
        self._seed: int | None = seed
        self._states: tuple[Any, ...] = ()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Put them in the place of the global ones inside the block."""
        outside = _states()
        if self._seed is None:
            _restore(self._states)
        else:
            _seed_all(self._seed)
            self._seed = None
        try:
            yield
        finally:
            self._states = _states()
            _restore(outside)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's global generators inside the block, restore them after it.

    Layer initialisation, dropout and `torch.distributions` take no generator: they are made
    repeatable by running inside this scope.
    """
    with Generators(seed).lent():
        yield


def _states() -> tuple[Any, ...]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return random.getstate(), np.random.get_state(), torch.get_rng_state(), cuda  # noqa: NPY002


def _restore(states: tuple[Any, ...]) -> None:
    python, numpy, cpu, cuda = states
    random.setstate(python)
    np.random.set_state(numpy)  # noqa: NPY002
    torch.set_rng_state(cpu)
    for device, state in enumerate(cuda):
        torch.cuda.set_rng_state(state, device)


def _seed_all(seed: int) -> None:
    """Do what `torch.manual_seed` does, but leave a stack trace for CUDA only where there is one.

    On machines without CUDA it would keep one per call, for an initialisation that never comes.
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
