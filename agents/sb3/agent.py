"""What stable-baselines3's algorithms share behind our verbs."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, TypeVar, Unpack

import gymnasium as gym
from gymnasium.vector import VectorEnv
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv

from nets.gradients.annealing import is_number, linear
from nets.process.seeding import hash31, seeded

from ..agent import Agent
from ..environments.guard import Guarded
from ..environments.raw_returns import metered
from ..environments.source import World
from ..equations.schedules import current, shape
from ..loop.actor import ActorOptions
from ..loop.experience import Array, Transition
from ..loop.progress import Callback
from ..loop.sb3_callbacks import as_callback
from .config import MASKING, WORDS, SB3Config, translate
from .learning import Learning, Listener
from .networks import SPACES, architecture, check_actions, check_observations, holds_pictures

ConfigT = TypeVar("ConfigT", bound=SB3Config)


class SB3Agent(Agent[ConfigT]):
    """An algorithm of stable-baselines3; use one of its five kinds.

    Raises:
        TypeError: the algorithm cannot take these observations or actions.
        ValueError: a setting does not fit the environment.
    """

    algorithm: ClassVar[type[BaseAlgorithm]]
    actions: ClassVar[tuple[type[gym.Space], ...]] = SPACES
    model: BaseAlgorithm

    def __init__(
        self, env: World, config: ConfigT | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        check_observations(self.source.name, self.observation_space)
        check_actions(self.source.name, self.action_space, self.name, self.actions)
        pictures = holds_pictures(self.observation_space)
        with seeded(hash31(self.seed, "network")):
            self.model = self.algorithm(
                policy="CnnPolicy" if pictures else "MlpPolicy",
                env=self.environments(),
                policy_kwargs=architecture(self.observation_space, self.config),
                device=self.device,
                **translate(self.config) | self.arguments(),
            )
        if self.source.spec is not None and self.model.env is not None:
            self.model.env.close()
        self.model.set_logger(Logger(None, []))
        self.model.save = self.save  # type: ignore[method-assign, assignment]  # never a pickle
        self.listener = Listener(self)

    def arguments(self) -> dict[str, Any]:
        """Return the settings that take more than another word."""
        return {"learning_rate": self.scheduled("learning_rate")}

    def scheduled(self, name: str) -> Callable[[float], float]:
        """Return a setting as stable-baselines3 asks for it, by our own account of what is left.

        Its own depends on how many steps one call of its `learn` is asked for, and a training is
        many of them.
        """

        def now(_: float) -> float:
            c = self.config
            value, steps = getattr(c, name), c.anneal_steps or self.horizon
            if is_number(value) and shape(c) == "linear" and steps:
                return linear(self.steps, value, 0.0, steps)
            return current(c, name, self.steps, self.horizon)

        return now

    def follow_config(self) -> None:
        """Hand adjusted settings to the model; schedules ask for their own."""
        for name in set(self.config.adjustable) - {"learning_rate", "clip"}:
            if name in WORDS:
                setattr(self.model, WORDS[name], getattr(self.config, name))

    def environments(self) -> DummyVecEnv:
        """Make fresh environments side by side, in stable-baselines3's way.

        Raises:
            TypeError: the agent's environment is a vector environment that cannot be made anew.
        """
        instance = self.source.instance
        if isinstance(instance, VectorEnv):
            message = f"{self.source.name} cannot be made anew: {self.name} needs an id, or an"
            raise TypeError(f"{message} environment of which it makes copies")
        make = self.source.make if instance is None else lambda: instance
        name = self.source.name
        return DummyVecEnv([lambda: Monitor(Guarded(metered(make()), name))] * self.num_envs)

    # The loop's side ----------------------------------------------------------------------------

    def stream(self, seed: int) -> Learning:
        """Return a stream that calls stable-baselines3's `learn`."""
        return Learning(self, self.model, self.environments(), self.listener, seed)

    def act(
        self, observation: Array, episode_start: Array, mask: Array | None = None
    ) -> tuple[Array, Mapping[str, Array]]:
        """Choose exploring actions."""
        return self.predict(observation, action_masks=mask)[0], {}

    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Choose greedy or exploring actions as the model does.

        Raises:
            ValueError: a mask is given.
        """
        if mask is not None:
            raise ValueError(f"{self.name} cannot mask actions: {MASKING}")
        if deterministic:
            return self.model.predict(observation, state, episode_start, deterministic=True)
        seed = int(self.rng.integers(2**31))
        self.model.action_space.seed(seed)
        with seeded(seed):
            return self.model.predict(observation, state, episode_start)

    def observe(self, transition: Transition) -> None:
        """Refuse: stable-baselines3 learns in a loop of its own.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self.name} learns by its own loop: call learn")

    @contextmanager
    def callbacks(self, callback: Any, total_timesteps: int) -> Iterator[tuple[Callback, ...]]:
        """Let stable-baselines3's callbacks hear every step of its loop."""
        if callback is None or callable(callback):
            with super().callbacks(callback, total_timesteps) as ours:
                yield ours
            return
        self.listener.follow(as_callback(callback))
        try:
            yield (lambda _: not self.listener.stopped,)
        finally:
            self.listener.follow(None)

    def networks(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return the networks of a `state_dict`, without the optimisers."""
        return {"parameters": {"policy": state["parameters"]["policy"]}}

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimisers and counters, as tensors and numbers."""
        return {"parameters": self.model.get_parameters(), "updates": self.model._n_updates}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.model.set_parameters(state["parameters"], device=self.device)
        self.model._n_updates = state["updates"]
