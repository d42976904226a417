"""Seeds: one hash that derives them, one scope that applies them.

Nothing else in the library touches global random state.
"""

import os
import random
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

import numpy as np
import torch

from ..warned import warn


def hash31(*words: int | str) -> int:
    """Hash integers and strings to a 31-bit seed, the range that every generator accepts.

    Distinct purposes get distinct words, `hash31(seed, "evaluation")`, so that no two streams of a
    run, nor runs of neighbouring seeds, share their numbers.
    """
    plain = [word if isinstance(word, str) else int(word) for word in words]  # np.int64(3) is 3
    digest = blake2b("\x1f".join(map(repr, plain)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 33


LONG_WAIT = 30.0  # seconds
STUCK = (
    "a training waits for one of another thread, which has the global generators; if that "
    "one waits for this, as in a callback that joins a thread, neither goes on"
)


class _Turn:
    """Whose the global generators are: of all threads, one's at a time, in the order of asking.

    The holder sees its own states; whoever asks for no turn, what was there before.
    """

    def __init__(self) -> None:
        self.waiting: deque[object] = deque()
        self._changed = threading.Condition()
        self._owner = self._last = 0
        self._outside: tuple[Any, ...] = ()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have the turn inside the block, and put back what was there before it."""
        if self._owner == threading.get_ident():
            outside = _states()
            try:
                yield
            finally:
                _restore(outside)
            return
        self._take()
        self._outside = _states()
        try:
            yield
        finally:
            _restore(self._outside)
            self._leave()

    def pass_round(self) -> None:
        """Let those who wait have their turns first."""
        if self._owner != threading.get_ident():
            return
        inside = _states()
        _restore(self._outside)
        self._leave()
        self._take()
        self._outside = _states()
        _restore(inside)

    def begin_in_child(self) -> None:
        """Forget, in a process that was forked, the threads that it does not have."""
        self.waiting.clear()
        self._changed = threading.Condition()
        if self._owner != threading.get_ident():
            self._owner = 0

    def _take(self) -> None:
        ticket, me = object(), threading.get_ident()
        with self._changed:
            self.waiting.append(ticket)
            try:
                if not self._changed.wait_for(lambda: self._is_due(ticket), LONG_WAIT):
                    warn(STUCK)
                    self._changed.wait_for(lambda: self._is_due(ticket))
                self._owner = me
            finally:
                self.waiting.remove(ticket)
        if self._last not in (0, me):
            torch.set_num_threads(torch.get_num_threads())  # of this thread; MKL has one for all
        self._last = me

    def _is_due(self, ticket: object) -> bool:
        return not self._owner and self.waiting[0] is ticket

    def _leave(self) -> None:
        with self._changed:
            self._owner = 0
            self._changed.notify_all()


_turn = _Turn()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turn.begin_in_child)


def give_way() -> None:
    """Let other threads that wait for the global generators have them for a while.

    To be called within long blocks that have them, wherever nothing is being drawn.
    """
    if _turn.waiting:
        _turn.pass_round()


class Generators:
    """Python's, NumPy's and torch's global generators, seeded once and lent for blocks of code.

    What one block draws the next goes on from; outside, nothing is changed. CUDA's generators are
    included where CUDA is in use. Blocks of several threads wait for each other.

    Args:
        seed: of all of them.
    """

    def __init__(self, seed: int) -> None:
        self._seed: int | None = seed
        self._states: tuple[Any, ...] = ()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Put them in the place of the global ones inside the block."""
        with _turn.held(), torch.inference_mode(False):  # what is made here is there to learn
            require_usual_dtype()
            if self._seed is None:
                _restore(self._states)
            else:
                _seed_all(self._seed)
                self._seed = None
            try:
                yield
            finally:
                self._states = _states()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and torch's global generators inside the block, restore them after it.

    Layer initialisation, dropout and `torch.distributions` take no generator: they are made
    repeatable by running inside this scope.
    """
    with Generators(seed).lent():
        yield


def require_usual_dtype() -> None:
    """Refuse to make networks, or train them, in another default dtype than theirs.

    Raises:
        ValueError: so it is.
    """
    dtype = torch.get_default_dtype()
    if dtype is not torch.float32:
        message = f"torch's default dtype is {dtype}: expected torch.float32, which networks here"
        raise ValueError(f"{message} learn in; call torch.set_default_dtype(torch.float32)")


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
