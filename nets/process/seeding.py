"""Seeds: one hash that derives them, one scope that applies them.

Nothing else in the library touches global random state.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

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


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's global generators inside the block, restore them after it.

    Layer initialisation, dropout and `torch.distributions` take no generator: they are made
    repeatable by running inside this scope. CUDA's generators are included where CUDA is in use.
    """
    python_state = random.getstate()
    numpy_state = np.random.get_state()  # noqa: NPY002
    cuda = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=cuda):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        _seed_torch(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002


def _seed_torch(seed: int) -> None:
    """Do what `torch.manual_seed` does, but leave a stack trace for CUDA only where there is one.

    On machines without CUDA it would keep one per call, for an initialisation that never comes.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)
