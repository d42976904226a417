"""What every agent is to people: `predict`, `learn`, `save` and `load`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

from .loop.actor import Actor, ConfigT
from .loop.continuing import Continuing
from .loop.experience import Stream
from .loop.interaction import Interaction
from .loop.progress import Callback
from .loop.run import RunConfig


class Agent(Actor[ConfigT]):
    """An actor that can be told to learn; the signatures are those of stable-baselines3."""

    plans: ClassVar[bool] = False
    """Whether it solves a model instead of trying an environment out."""
    _training: Continuing | None = None

    def stream(self, seed: int) -> Stream:
        """Return the stream of experience of one segment; agents with a fused loop override it."""
        return Interaction(self, self.source.stepper(), seed)

    def run_config(self, steps: int, eval_every: int | None = None) -> RunConfig:
        """Return how a run of `steps` steps is cut up; planners take as many as they need."""
        return RunConfig.default(self, steps, eval_every)

    def report(self) -> str:
        """Return what is to be told of the agent at the end of a run; nothing, for most."""
        return ""

    def learn(
        self,
        total_timesteps: int,
        callback: Any = None,
        progress: bool = True,
    ) -> Self:
        """Train for `total_timesteps` more environment steps, going on where the last call stopped.

        `callback` sees a `Progress` after every step; returning False stops the training. It may
        also be a callback of stable-baselines3's, or a list of them.
        """
        if self._training is None:
            self._training = Continuing(self)
        training = self._training
        config = RunConfig.default(self, self.steps + total_timesteps, eval_every=0)
        with self.callbacks(callback, total_timesteps) as callbacks:
            training.callbacks, training.show_progress = callbacks, progress
            training.run_more(total_timesteps, config)
        return self

    @contextmanager
    def callbacks(self, callback: Any, total_timesteps: int) -> Iterator[tuple[Callback, ...]]:
        """Turn what `learn` was given into callbacks of the trainer, for as long as it trains."""
        if callback is None or callable(callback):
            yield () if callback is None else (callback,)
            return
        from .loop.sb3_callbacks import Adapter

        with Adapter(self, callback, total_timesteps) as adapter:
            yield (adapter,)
