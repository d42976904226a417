"""Tabular learning fused with the world's transition table, compiled where numba is installed."""

from collections.abc import Callable
from functools import cache
from itertools import repeat
from typing import Any

import numpy as np

from ..loop.actor import Actor
from ..loop.experience import Episode
from . import draws as counter
from . import kernel
from .model import Model, cumulative

CHUNK = 1 << 20  # steps between two looks at Ctrl-C
NO_LIMIT = 1 << 62
EPISODES = 1 << 16  # finished episodes of a chunk


class FusedStream:
    """The experience of one segment, made and learned from in one loop.

    Equal, bit for bit, to the common loop on a `ModelEnv` of the model and the same seed.

    Args:
        actor: who learns; its steps are counted.
        rule: how it learns.
        memory: the arrays it learns.
        model: the world.
        time_limit: steps until an episode is truncated; None for no limit.
        seed: of the world's random stream.
        compiled: whether to use numba; by default where it is installed.
    """

    def __init__(
        self,
        actor: Actor,
        rule: kernel.Rule,
        memory: kernel.Memory,
        model: Model,
        time_limit: int | None,
        seed: int,
        compiled: bool | None = None,
    ) -> None:
        self.actor = actor
        self.episodes: list[Episode] = []
        fast = compiled_run() if compiled is not False else None
        if compiled and fast is None:
            raise ModuleNotFoundError("numba is not installed: pip install 'dreamgym[fast]'")
        self._run = fast or kernel.run
        word: Callable[[int], Any] = np.uint64 if fast else int
        table: Callable[[Any], Any] = np.asarray if fast else memoryview
        starts = np.flatnonzero(model.initial)
        self._world = kernel.World(
            limits=table(cumulative(model.probability).reshape(-1)),
            next_state=table(model.next_state.reshape(-1)),
            reward=table(model.reward.reshape(-1)),
            terminated=table(model.terminated.reshape(-1)),
            starts=table(starts),
            start_limits=table(cumulative(model.initial[starts])),
            outcomes=model.probability.shape[-1],
            time_limit=time_limit or NO_LIMIT,
            root=word(counter.root_of(seed)),
        )
        self._place = kernel.Place(table(np.array([0, -1, -1, -1])), table(np.zeros(2)))
        self._finished = kernel.Finished(
            table(np.zeros(EPISODES, np.int64)),
            table(np.zeros(EPISODES)),
            table(np.zeros(EPISODES, np.int64)),
        )
        self._rule = rule._replace(key=word(rule.key))
        self._memory = kernel.Memory(*map(table, memory))

    def advance(self, steps: int, *, last: bool = False) -> None:
        """Take `steps` steps; `last` truncates the open episode after them."""
        actor, remaining = self.actor, steps
        while remaining:
            chunk = min(remaining, CHUNK)
            end = last and chunk == remaining
            taken, episodes = self._run(
                self._rule, self._memory, self._world, self._place, chunk, end, self._finished
            )
            step, total, length = (np.asarray(a)[:episodes] for a in self._finished)
            rows = zip((actor.steps + step).tolist(), total.tolist(), length.tolist(), strict=True)
            # many episodes end: making them without a Python call takes half the time
            self.episodes += map(tuple.__new__, repeat(Episode), rows)
            actor.steps += taken
            remaining -= taken

    def close(self) -> None:
        """Nothing is held."""


@cache
def compiled_run() -> Callable[..., tuple[int, int]] | None:
    """Return the kernel compiled by numba, None where numba is not installed.

    The first call of the result compiles for about two seconds; later processes read the result
    from a cache beside this package, or in the user's cache folder.
    """
    try:
        import numba
        from numba.extending import overload, register_jitable
    except ImportError:
        return None
    overload(counter.uint)(lambda value: lambda value: np.uint64(value))
    overload(counter.signed)(lambda value: lambda value: np.int64(value))
    helpers = (
        *(counter.mix, counter.episode_key, counter.draw, counter.uniform, counter.below),
        *(kernel.exploration, kernel.acting_value, kernel.choose, kernel.update, kernel.learn),
        *(kernel.learn_sarsa, kernel.finish, kernel.best_pair, kernel.first_above),
    )
    for helper in helpers:
        # they allocate nothing; counting references to the tables would take 4/5 of the time
        register_jitable(_nrt=False)(helper)
    compiled: Any
    try:
        compiled = numba.njit(cache=True)(kernel.run)
    except RuntimeError:  # no folder that a cache may be kept in can be written to
        compiled = numba.njit(kernel.run)
    return compiled
