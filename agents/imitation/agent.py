"""Behaviour cloning: supervised learning of what another agent does (Pomerleau, 1989)."""

import weakref
from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any, ClassVar, Self, Unpack

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from nets.process.seeding import hash31, seeded
from nets.runs.checkpoint import CheckpointError
from nets.runs.divergence import Diverged
from nets.supervised.fit import predict
from nets.tracking.tracking import Tracking

from ..agent import Agent
from ..environments.source import World
from ..equations.exploration import boltzmann
from ..equations.masks import masked
from ..loop.actor import ActorOptions
from ..loop.experience import Array, Episode, Metrics, Stream, Transition
from ..loop.interaction import Interaction
from ..loop.shards import Replay
from ..networks.encoders import build_encoder
from .config import BCConfig
from .datasets import Recorded, read_demonstrations
from .demonstrations import Demonstrations, disagreement
from .fit import describe, diagnosis, fit_clone

FIRST_FIT = 20  # steps; later fits follow whenever their number has doubled


class BehaviourCloning(Agent[BCConfig]):
    """Maximises Σ log π(a* | s) over the states s and actions a* of an expert's episodes.

    The environment steps of a run are those of the expert, who acts greedily. The network is fitted
    anew whenever their number has doubled, and at the end of each segment. Each fit is diagnosed:
    the error on episodes held out is the training-dev error; the error where the *clone* comes is
    the dev error, for small mistakes lead it to states that the expert never showed (Ross, Gordon &
    Bagnell, 2011).

    Raises:
        TypeError: the actions are not discrete.
        ValueError: no expert is named, or `balance` does not suit the observations.
    """

    name = "bc"
    config_type = BCConfig
    default_num_envs: ClassVar[int] = 8

    def __init__(
        self, env: World, config: BCConfig | None = None, **options: Unpack[ActorOptions]
    ) -> None:
        super().__init__(env, config, **options)
        c, name = self.config, self.source.name
        if not isinstance(self.action_space, gym.spaces.Discrete):
            raise TypeError(f"{name} has actions {self.action_space}: bc needs Discrete")
        if bool(c.expert) == bool(c.demonstrations):
            message = "bc needs an agent to imitate: --from RUN, or BCConfig(expert=RUN)"
            others = "or a data set: --demonstrations ID, or BCConfig(demonstrations=ID)"
            raise ValueError(f"{message}; {others}; one of the two")
        floats = np.issubdtype(self.observation_space.dtype or np.int64, np.floating)
        if c.balance == "synthetic" and not floats:
            message = f"{name} has observations {self.observation_space}, and nothing is between"
            raise ValueError(f"{message} them: balance 'synthetic' needs floats")
        self.action_space: gym.spaces.Discrete
        self.actions, self._first_action = int(self.action_space.n), int(self.action_space.start)
        self.network: nn.Module = self._build(self.seed).eval()
        self.demonstrations = self.replay = Demonstrations()
        self.fitted_rows = 0
        self.metrics: dict[str, float] = {}
        self.mistakes: list[int] = []  # validation rows of each action that were taken for another

    def adopt(self, replay: Replay) -> None:
        """Learn from these demonstrations from now on."""
        assert isinstance(replay, Demonstrations)
        self.demonstrations = self.replay = replay

    # The expert ----------------------------------------------------------------------------------

    @cached_property
    def expert(self) -> Agent:
        """The agent to imitate.

        Raises:
            FileNotFoundError: it is not where the settings say.
            CheckpointError: it acts in another kind of world.
        """
        from ..loading import load

        path, ours = self.config.expert, self
        try:
            expert = load(path, device=str(self.device))
        except FileNotFoundError as error:
            remedy = "put it back, or say where it is, in Python: agents.load(run, expert=...)"
            raise FileNotFoundError(
                f"the expert {path} is not there ({error}): {remedy}"
            ) from error
        if expert.masks and not ours.masks:
            message = f"{self.config.expert} takes only actions that its world allows"
            raise CheckpointError(f"{message}: to imitate it, bc needs mask_actions=True")
        theirs = expert.observation_space.shape, expert.action_space
        if theirs != (ours.observation_space.shape, ours.action_space):
            found = f"{expert.source.name}: {expert.observation_space} to {expert.action_space}"
            message = f"{self.config.expert} acts in {found}; {self.source.name} has"
            raise CheckpointError(f"{message} {ours.observation_space} and {ours.action_space}")
        return expert

    @cached_property
    def recorded(self) -> Recorded:
        """The data set to imitate."""
        spaces = self.observation_space, self.action_space
        return read_demonstrations(self.config.demonstrations, *spaces)

    def begin(self) -> None:
        """Load the expert, or the data set."""
        super().begin()
        _ = self.recorded if self.config.demonstrations else self.expert

    def reseed(self, seed: int) -> None:
        """Begin anew, with no episode of the expert under way."""
        super().reseed(seed)
        self._expert_state: Any = None
        self._episode = np.zeros(self.num_envs, np.int64)

    def stream(self, seed: int) -> Stream:
        """Return a stream in which the expert acts, or is read, and the clone learns at times."""
        if self.config.demonstrations:
            return Reading(self)
        return Cloning(self, Interaction(self, self.source.stepper(masks=self.masks), seed))

    def act(
        self, observation: Array, episode_start: Array, mask: Array | None = None
    ) -> tuple[Array, Mapping[str, Array]]:
        """Do what the expert does."""
        now = observation, self._expert_state, episode_start
        allowed = () if mask is None else (mask,)
        action, self._expert_state = self.expert.predict(*now, True, *allowed)
        return action, {"start": episode_start}

    def observe(self, transition: Transition) -> None:
        """Write down what the expert saw and did."""
        start, first = transition.extras["start"], self.demonstrations.episodes
        self._episode[start] = first + np.arange(start.sum())
        valid = transition.valid
        self.demonstrations.append(
            np.asarray(transition.observation, self.observation_space.dtype)[valid],
            np.asarray(transition.action)[valid],
            self._episode[valid],
        )

    # Learning ------------------------------------------------------------------------------------

    @property
    def due(self) -> bool:
        """Whether there are twice as many demonstrations as at the last fit."""
        return self.demonstrations.rows >= max(2 * self.fitted_rows, FIRST_FIT)

    def imitate(self) -> Metrics:
        """Fit a new network to all demonstrations, and find out what is wrong with it."""
        rows = self.demonstrations.rows
        seed = hash31(self.seed, "imitation", rows)
        observation, action, episode = self.demonstrations.tensors()
        data = observation, action - self._first_action
        try:
            fitted = fit_clone(partial(self._build, seed), data, episode, self.config, seed)
        except Diverged as error:
            where = f"{self.name} on {self.source.name} diverged at step {self.steps}"
            raise Diverged(f"{where}: {error}") from error
        self.network, self.fitted_rows = fitted.network.eval(), rows
        self.mistakes = fitted.mistakes
        self.metrics = {"demonstrations": float(rows), **fitted.metrics}
        asked = self.config.expert and self.source.spec is not None  # in fresh environments
        if asked:
            self.metrics["disagreement"] = disagreement(
                self, self.expert, self.source, seed=seed, masks=self.masks
            )
        gaps = diagnosis(self.metrics).gaps
        self.metrics |= {name.replace(" ", "_"): value for name, value in gaps.items()}
        return self.metrics

    def learn(
        self,
        total_timesteps: int | None = None,
        callback: Any = None,
        progress: bool = True,
        track: Tracking | None = None,
        **settings: Any,
    ) -> Self:
        """Watch the expert for `total_timesteps` more steps, and learn all it showed."""
        super().learn(total_timesteps, callback, progress, track, **settings)
        if self.demonstrations.rows > self.fitted_rows:
            self.imitate()
        return self

    def report(self) -> str:
        """Tell how well the expert is imitated, and what would help."""
        if not self.metrics:
            return f"nothing has been learned from {self._imitated} yet"
        names = [str(self._first_action + action) for action in range(self.actions)]
        text = describe(self.metrics, self.mistakes, names)
        return f"imitates {self._imitated}\n{text}"

    @property
    def _imitated(self) -> str:
        return self.config.demonstrations or self.config.expert

    # Acting --------------------------------------------------------------------------------------

    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Return the most probable actions, or random ones."""
        members = np.asarray(observation, self.observation_space.dtype)
        logits = masked(self._logits(torch.from_numpy(members)).cpu().numpy(), mask)
        action = logits.argmax(1) if deterministic else boltzmann(logits, 1.0, self.rng)
        return action + self._first_action, state

    def _logits(self, observation: Tensor) -> Tensor:
        return predict(self.network, observation)

    def _build(self, seed: int) -> nn.Sequential:
        c = self.config
        with seeded(hash31(seed, "network")):
            encoder, features = build_encoder(
                self.observation_space,
                encoder=c.encoder,
                hidden=c.hidden,
                activation=c.activation,
                channels=c.channels,
            )
            return nn.Sequential(encoder, nn.Linear(features, self.actions)).to(self.device)

    # Files ---------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """Network, measures, and how many demonstrations they are from."""
        return {
            "network": self.network.state_dict(),
            "metrics": dict(self.metrics),
            "mistakes": list(self.mistakes),
            "fitted_rows": self.fitted_rows,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned, without demonstrations."""
        self.network.load_state_dict(state["network"])
        self.metrics, self.mistakes = dict(state["metrics"]), list(state["mistakes"])
        self.fitted_rows = state["fitted_rows"]
        self.demonstrations.clear()


class Reading:
    """The stream of a clone of a data set: its steps in their order, and a fit now and then.

    Steps past its end bring nothing new.
    """

    def __init__(self, clone: BehaviourCloning) -> None:
        self.clone: BehaviourCloning = weakref.proxy(clone)
        self.episodes: list[Episode] = []

    def advance(self, steps: int, *, last: bool = False) -> Metrics | None:
        """Read `steps` steps; fit when due, and at the end."""
        clone, data = self.clone, self.clone.recorded
        first = clone.demonstrations.rows
        end = min(first + steps, len(data.action))
        if end > first:
            rows = slice(first, end)
            clone.demonstrations.append(
                data.observation[rows], data.action[rows], data.episode[rows]
            )
            self.episodes += data.episodes(first, end, clone.steps)
        clone.steps += steps
        new = clone.demonstrations.rows > clone.fitted_rows
        return clone.imitate() if new and (last or clone.due) else None

    def close(self) -> None:
        """Nothing is held."""


class Cloning:
    """The stream of a clone: the expert's steps, and a fit now and then."""

    def __init__(self, clone: BehaviourCloning, interaction: Interaction) -> None:
        self.clone, self.interaction = weakref.proxy(clone), interaction
        self.episodes = interaction.episodes

    def advance(self, steps: int, *, last: bool = False) -> Metrics | None:
        """Let the expert take `steps` steps; fit when due, and at the end."""
        self.interaction.advance(steps, last=last)
        return self.clone.imitate() if last or self.clone.due else None

    def close(self) -> None:
        """Release the environments."""
        self.interaction.close()
