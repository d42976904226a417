"""Tabular learning fused with the world's transition table, compiled where numba is installed."""

import weakref
from collections.abc import Callable
from functools import cache
from itertools import repeat
from typing import Any, Protocol

import numpy as np

from nets.extras import not_installed
from nets.process.compiling import compiled

from ..loop.experience import Episode
from . import choosing, draws, kernel, targets
from .model import Model, cumulative
from .tables import Finished, Memory, Place, Rule, World

CHUNK = 1 << 20  # steps between two looks at Ctrl-C
NO_LIMIT = 1 << 62
EPISODES = 1 << 16  # finished episodes of a chunk


class Learner(Protocol):
    """Whose table the loop fills."""

    steps: int
    algorithm: kernel.Algorithm

    @property
    def rule(self) -> Rule:
        """How it learns."""

    @property
    def arrays(self) -> Memory:
        """What it learns."""


class FusedStream:
    """The experience of one segment, made and learned from in one loop.

    Equal, bit for bit, to the common loop on a `ModelEnv` of the model and the same seed.

    Args:
        learner: who learns; its steps are counted.
        model: the world.
        time_limit: steps until an episode is truncated; None for no limit.
        seed: of the world's random stream.
        compiled: whether to use numba; by default where it is installed.
    """

    def __init__(
        self,
        learner: Learner,
        model: Model,
        time_limit: int | None,
        seed: int,
        compiled: bool | None = None,
    ) -> None:
        self.learner = weakref.proxy(learner)
        self.episodes: list[Episode] = []
        fast = compiled_loop(learner.algorithm) if compiled is not False else None
        if compiled and fast is None:
            raise ModuleNotFoundError(not_installed("numba", "fast"))
        self._run = fast or kernel.loop_of(learner.algorithm)
        word: Callable[[int], Any] = np.uint64 if fast else int
        view: Callable[[Any], Any] = np.asarray if fast else memoryview
        starts = np.flatnonzero(model.initial)
        self._world = World(
            limits=view(cumulative(model.probability).reshape(-1)),
            next_state=view(model.next_state.reshape(-1)),
            reward=view(model.reward.reshape(-1)),
            terminated=view(model.terminated.reshape(-1)),
            starts=view(starts),
            start_limits=view(cumulative(model.initial[starts])),
            outcomes=model.probability.shape[-1],
            time_limit=time_limit or NO_LIMIT,
            root=word(draws.root_of(seed)),
        )
        self._place = Place(
            state=view(np.array([0])),
            action=view(np.array([choosing.UNDECIDED])),
            time=view(np.array([-1])),
            episode=view(np.array([-1])),
            total_reward=view(np.zeros(1)),
        )
        self._finished = Finished(
            step=view(np.zeros(EPISODES, np.int64)),
            total_reward=view(np.zeros(EPISODES)),
            length=view(np.zeros(EPISODES, np.int64)),
        )
        self._word = word
        self._memory = Memory(*(None if array is None else view(array) for array in learner.arrays))

    def advance(self, steps: int, *, last: bool = False) -> None:
        """Take `steps` steps; `last` truncates the open episode after them."""
        learner, remaining = self.learner, steps
        rule = learner.rule
        rule = rule._replace(key=self._word(rule.key))
        while remaining:
            chunk = min(remaining, CHUNK)
            end = last and chunk == remaining
            taken, episodes = self._run(
                rule, self._memory, self._world, self._place, chunk, end, self._finished
            )
            step, total, length = (np.asarray(a)[:episodes] for a in self._finished)
            columns = (learner.steps + step).tolist(), total.tolist(), length.tolist()
            rows = zip(*columns, repeat(None, episodes), strict=True)
            # many episodes end: making them without a Python call takes half the time
            self.episodes += map(tuple.__new__, repeat(Episode), rows)
            learner.steps += taken
            remaining -= taken

    def close(self) -> None:
        """Nothing is held."""


@cache
def compiled_loop(algorithm: kernel.Algorithm) -> Callable[..., tuple[int, int]] | None:
    """Return the loop of an algorithm compiled by numba, None where numba is not installed.

    The first call of the result compiles for about two seconds; later processes read the result
    from a cache beside this package, or in the user's cache folder.
    """
    if not _compilable():
        return None
    return compiled(kernel.loop_of(algorithm))


@cache
def _compilable() -> bool:
    """Tell numba, where it is installed, of every function that a loop calls."""
    try:
        from numba.extending import overload, register_jitable
    except ImportError:
        return False
    overload(draws.uint)(lambda value: lambda value: np.uint64(value))
    overload(draws.signed)(lambda value: lambda value: np.int64(value))
    helpers = (
        *(draws.mix, draws.episode_key, draws.draw, draws.uniform, draws.below),
        *(targets.sarsa_target, targets.expected_sarsa_target),
        *(targets.q_learning_target, targets.double_q_learning_target),
        *(targets.argmax, targets.mean),
        *(choosing.exploration, choosing.acting_value, choosing.any_action, choosing.choose),
        *(
            kernel.update,
            kernel.sarsa,
            kernel.expected_sarsa,
            kernel.q_learning,
            kernel.double_q_learning,
        ),
        kernel.first_above,
    )
    for helper in helpers:
        # they allocate nothing: counting references to the arrays would take 4/5 of the time, and
        # handing those arrays from function to function half of what is left
        register_jitable(_nrt=False, forceinline=True)(helper)
    return True
