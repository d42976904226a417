"""Stable-baselines3's own `learn`, stretch by stretch, as a stream of our trainer."""

import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from torch import Tensor

from nets.foreign import blamed

from ..environments.door import Door
from ..environments.raw_returns import KEY
from ..loop.actor import Actor
from ..loop.experience import Episode, Metrics
from ..loop.shards import Replay


class Listener(BaseCallback):
    """Hears every step of stable-baselines3, writes down episodes, and passes all on.

    `learn` is called once per stretch; the callback that is followed sees one training.
    """

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.episodes: list[Episode] = []
        self.followed: BaseCallback | None = None
        self.begun, self.stopped = False, False
        self._actor = weakref.proxy(actor)

    def follow(self, callback: BaseCallback | None) -> None:
        """Pass what is heard on to `callback`, from the next training on; None: to nobody."""
        if self.followed is not None and self.begun:
            self.followed.on_training_end()
        self.followed, self.begun, self.stopped = callback, False, False

    def _init_callback(self) -> None:
        self._door = Door(self._actor.source.name, self.model.observation_space)

    def _on_training_start(self) -> None:
        if self.followed is not None and not self.begun:
            self.begun = True
            self.followed.init_callback(self.model)
            self.followed.on_training_start(self.locals, self.globals)

    def _on_rollout_start(self) -> None:
        if self.followed is not None:
            self.followed.on_rollout_start()

    def _on_step(self) -> bool:
        heard, self._actor.steps = self.locals, self.num_timesteps
        self._door.steps = self.num_timesteps
        self._door.rewards(heard["rewards"], self._actor.num_envs)
        self._door.observations(heard["new_obs"], self._actor.num_envs)
        if heard["dones"].any():
            for info in heard["infos"]:
                if "episode" in info:
                    ended = info["episode"]
                    figures = ended["r"], ended["l"], info.get(KEY)
                    self.episodes.append(Episode(self.num_timesteps, *figures))
        if self.followed is not None and not self.followed.on_step():
            self.stopped = True
        return not self.stopped

    def _on_rollout_end(self) -> None:
        if self.followed is not None:
            self.followed.on_rollout_end()

    def update_child_locals(self, locals_: dict[str, Any]) -> None:
        """Show the followed callback the variables of stable-baselines3's loop."""
        if self.followed is not None:
            self.followed.update_locals(locals_)


class Learning:
    """The experience of one segment; a stretch ends with a whole rollout, as SB3's `learn` does."""

    def __init__(
        self, actor: Actor, model: BaseAlgorithm, env: VecEnv, listener: Listener, seed: int
    ) -> None:
        self.actor, self.model, self.listener = weakref.proxy(actor), model, listener
        self.episodes = listener.episodes
        self._env = env
        env.seed(seed)
        model.set_env(env)  # the next `learn` resets it

    def advance(self, steps: int, *, last: bool = False) -> Metrics:
        """Take at least `steps` environment steps, learning on the way."""
        model = self.model
        model.num_timesteps = self.actor.steps
        model.action_space.seed(int(self.actor.rng.integers(2**31)))
        try:
            model.learn(steps, self.listener, log_interval=None, reset_num_timesteps=False)  # type: ignore[arg-type]
        except BaseException as error:
            where = f"{self.actor.source.name} after {self.actor.steps} steps"
            raise blamed(error, f"stable-baselines3's loop on {where}")  # noqa: B904
        return self._metrics()

    def close(self) -> None:
        """Release the environments, unless they are the caller's."""
        if self.actor.source.spec is not None:
            self._env.close()

    def _metrics(self) -> Metrics:
        """Take what stable-baselines3 has logged, without its prefixes."""
        logger = self.model.logger
        values = {
            name.partition("/")[2]: value
            for name, value in logger.name_to_value.items()
            if name.startswith(("train/", "rollout/"))
        }
        logger.dump()
        return values


class RowBuffer(Replay, ReplayBuffer):
    """Stable-baselines3's replay buffer, which also counts its rows and hands out the new ones.

    A row is one step of all environments.
    """

    COLUMNS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.capacity = self.buffer_size

    def clear(self) -> None:
        """Forget all rows."""
        super().clear()
        self.pos, self.full = 0, False

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Remember a row."""
        super().add(*args, **kwargs)
        self.rows += 1

    def read_rows(self, first: int) -> dict[str, Tensor]:
        """Return the rows from number `first` on, column by column."""
        index = np.arange(first, self.rows) % self.capacity
        return {name: torch.from_numpy(getattr(self, name)[index]) for name in self.COLUMNS}

    def write_rows(self, columns: Mapping[str, Tensor]) -> None:
        """Append rows that `read_rows` returned."""
        last = self.rows + len(columns["rewards"])
        index = np.arange(self.rows, last) % self.capacity
        for name in self.COLUMNS:
            getattr(self, name)[index] = columns[name].numpy()
        self.rows, self.pos, self.full = last, last % self.capacity, last >= self.capacity
