"""What every agent is to people: `predict`, `learn`, `save` and `load`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

from nets.arguments import checked
from nets.kinds import Whole
from nets.runs.configurations import require_settings
from nets.runs.places import rooted
from nets.settings import required
from nets.tracking.tracking import Tracking
from nets.warned import warn

from .environments.source import EnvSource, World
from .environments.together import TeamStepper
from .loop.actor import Actor
from .loop.beginning import take_networks
from .loop.continuing import Continuing
from .loop.experience import Stream
from .loop.interaction import Interaction
from .loop.progress import Callback
from .loop.remaking import ConfigT
from .loop.run import RunConfig
from .presets import require_preset

WORDS = ("total_timesteps", "callback", "progress", "track")  # of `learn`, beside settings


class Agent(Actor[ConfigT]):
    """An actor that can be told to learn; the signatures are those of stable-baselines3."""

    plans: ClassVar[bool] = False
    """Whether it solves a model instead of trying an environment out."""
    tuned_steps: int | None = None
    """How long to train, as a preset says."""
    left_episodes: bool = False
    """Whether it is a copy that an agent left behind in the midst of episodes, which it has not."""
    _training: Continuing | None = None

    @classmethod
    @checked
    def preset(
        cls,
        env: World,
        name: str | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
        num_envs: int | None = None,
        **settings: Any,
    ) -> Self:
        """Return an agent with settings that are known to work, as the shell's has them.

        `learn()` then takes as many steps as they are known for.

        Args:
            env: an id, an environment, or a vector environment; arguments and wrappers of the
                preset are put upon it.
            name: of a variant of the algorithm, such as `"rainbow"`.
            seed: everything random in the agent follows from it.
            device: `"auto"`, `"cpu"`, `"cuda"`, ...
            num_envs: how many copies to train on; as many as the preset says when None.
            **settings: in place of the preset's.

        Raises:
            ValueError: there is no such preset, or no such setting: the nearest are named. Or a
                setting cannot work.
        """
        source = EnvSource.of(env)
        preset = require_preset(cls.name, source.name, name)
        copies = preset.num_envs if num_envs is None and source.num_envs is None else num_envs
        source = EnvSource.of(source, copies).adapted(
            preset.env, preset.wrappers, said_by=preset.file
        )
        require_settings(cls.config_type, settings)
        config = replace(preset.apply(cls.config_type()), **settings)
        agent = cls(source, config, seed=seed, device=device)
        agent.tuned_steps = preset.steps
        return agent

    def start_from(self, path: str | Path) -> Self:
        """Begin with the networks, and the statistics, of another training of the same algorithm.

        Optimiser, counters and replay are fresh.

        Args:
            path: a run folder, whose best checkpoint counts, or a file that `save` wrote.

        Raises:
            FileNotFoundError: there is no such file, or no checkpoint in the folder.
            CheckpointError: the file is damaged, of another algorithm, or its networks are others;
                the first difference is named.
            ValueError: this agent has trained already, has a pretrained encoder, or no networks.
        """
        take_networks(self, path)
        self.begun_from = rooted(path)
        return self

    def stream(self, seed: int) -> Stream:
        """Return the stream of experience of one segment; agents with a fused loop override it."""
        if self.team.size > 1:
            return Interaction(self, TeamStepper(self.source, self.team, masks=self.masks), seed)
        return Interaction(self, self.source.stepper(masks=self.masks), seed)

    def run_config(self, steps: int, eval_every: int | None = None) -> RunConfig:
        """Return how a run of `steps` steps is cut up; planners take as many as they need."""
        return RunConfig.default(self, steps, eval_every)

    def report(self) -> str:
        """Return what is to be told of the agent at the end of a run; nothing, for most."""
        return ""

    def learn(
        self,
        total_timesteps: int | None = None,
        callback: Any = None,
        progress: bool = True,
        track: Tracking | None = None,
        **settings: Any,
    ) -> Self:
        """Train for `total_timesteps` more environment steps, going on where the last call stopped.

        Without a number it is as many as the agent's preset says. `callback` sees a `Progress`
        after every step; returning False stops the training. It may also be a callback of
        stable-baselines3's, or a list of them. `track` tells a tracker, such as W&B, what is
        learned and how it goes; whoever made it closes it. `settings`, such as
        `learning_rate=1e-5`, take the place of those so far from here on.

        A copy, by `copy.deepcopy` or a pickle, knows what its original has learned, and begins new
        episodes, with a warning where the original is in the midst of some.

        Raises:
            KeyboardInterrupt: Ctrl-C, after a clean stop; the next call goes on from that step, in
                new episodes.
            ValueError: the number is no whole one; there is no such setting, or it cannot change in
                a training; see `adjust`.
        """
        require_settings(self.config_type, settings, *WORDS, by="learn")
        if total_timesteps is None:
            total_timesteps = self._tuned_steps()
        total_timesteps = required("total_timesteps", total_timesteps, Whole)
        if settings:
            self.adjust(**settings)
        if self._training is None:
            self._training = Continuing(self)
            if self.left_episodes:
                self._warn_of_copy()
        training = self._training
        config = RunConfig.default(self, self.steps + total_timesteps, eval_every=0)
        with self.callbacks(callback, total_timesteps) as callbacks:
            training.show_progress = progress
            training.run_more(self, total_timesteps, config, callbacks, track)
        return self

    def _tuned_steps(self) -> int:
        if self.tuned_steps is None:
            raise TypeError("learn needs a number of steps: only agents of a preset bring theirs")
        return self.tuned_steps

    def _warn_of_copy(self) -> None:
        self.left_episodes = False
        lacks = (
            "the episodes under way, with what was gathered in them, and the state of generators"
        )
        message = (
            f"this {self.name} is a copy of an agent in the midst of its training, without {lacks}"
        )
        warn(f"{message}: it learns on in new episodes, and ends elsewhere than the agent itself")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies and pickles know how long to train, too, and that they lack open episodes."""
        under_way = self._training is not None and self._training.under_way and not self.plans
        state = {"left_episodes": under_way or self.left_episodes}
        return (*super().__reduce__(), state | {"tuned_steps": self.tuned_steps})

    @contextmanager
    def callbacks(self, callback: Any, total_timesteps: int) -> Iterator[tuple[Callback, ...]]:
        """Turn what `learn` was given into callbacks of the trainer, for as long as it trains."""
        if callback is None or callable(callback):
            yield () if callback is None else (callback,)
            return
        from .loop.sb3_callbacks import Adapter

        with Adapter(self, callback, total_timesteps) as adapter:
            yield (adapter,)
