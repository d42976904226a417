"""What the loop calls: an actor acts and observes."""

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, ClassVar, TypedDict

import numpy as np

from nets.arguments import named
from nets.glance import changed, in_a_line, in_a_table
from nets.habits import ATTRIBUTES, SETTINGS
from nets.keywords import without
from nets.kinds import Whole
from nets.process.device import resolve_device
from nets.process.distributed import ALONE, Team
from nets.process.seeding import hash31
from nets.runs.configurations import (
    adjusted,
    require_found,
    require_schedules,
)
from nets.settings import required, settings_of
from nets.warned import warn

from ..environments.masks import as_masks, choices
from ..environments.source import EnvSource, World
from ..environments.spaces import as_rows, as_starts, require_numbers
from .experience import Array, Metrics, Stream, Transition
from .ineffective import ineffective, unfit
from .remaking import ConfigT, Remade


class ActorOptions(TypedDict, total=False):
    """What every actor takes beside its environment and its configuration."""

    seed: int
    device: str
    num_envs: int | None


@without(ATTRIBUTES, SETTINGS)
class Actor(Remade[ConfigT]):
    """What acts and learns on a Gymnasium environment; `agents.agent.Agent` trains it.

    Args:
        env: an id (`"CartPole-v1"`, `"module:Name-v0"`), an environment, or a vector environment.
        config: the frozen dataclass of the algorithm; its defaults when None.
        seed: everything random in the agent follows from it.
        device: `"auto"`, `"cpu"`, `"cuda"`, ...
        num_envs: how many copies to train on; None for `default_num_envs`.
    """

    default_num_envs: ClassVar[int] = 1
    inherited: ClassVar[tuple[str, ...]] = ()
    """Parts of its state that a new training can begin with: networks and statistics."""
    most_steps_at_risk: ClassVar[int] = 100_000
    """Steps that a crash may cost: minutes, on slow environments."""
    threads: ClassVar[int] = 1
    """CPU threads of torch, on any machine: more would sum in another order, and change results;
    several runs side by side are faster than one after the other on all cores."""
    begun_from: str = ""
    """The run, or the file, whose networks it began with; nothing, for most."""
    horizon: int = 0
    """The step at which the training in progress ends: schedules go by it; 0: none has begun."""
    learns_together: ClassVar[bool] = False
    """Whether several processes can train it together."""
    team: Team = ALONE
    """The processes that train it together, each with an agent of its own that stays the same."""

    def __init__(
        self,
        env: World,
        config: ConfigT | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
        num_envs: int | None = None,
    ) -> None:
        if isinstance(env, str) and env.endswith("Policy"):
            raise TypeError(
                f"env is {env!r}: expected an environment; {type(self).__name__} builds its network"
                f" itself, as {self.config_type.__name__}(...) says"
            )
        self.config: ConfigT = settings_of(self.config_type, config)
        source = EnvSource.of(env, num_envs)
        if source.num_envs is None and source.spec is not None:
            source = replace(source, num_envs=self.default_num_envs)
        self.source = source
        require_found(self.config)
        self.seed: int = required("seed", seed, Whole)
        self.device = resolve_device(device)
        self.observation_space = self.source.observation_space
        self.action_space = self.source.action_space
        require_numbers(self.observation_space, f"the observation space of {source.name}")
        require_numbers(self.action_space, f"the action space of {source.name}")
        self.num_envs = self.source.num_envs or 1
        if self.masks:
            choices(self.action_space)
        self.steps = 0
        self.segment = 0
        self.reseed(hash31(self.seed, "agent"))

    @property
    def facts(self) -> dict[str, Any]:
        """What it is, in a few words and numbers."""
        about = {"env": self.source.name, "num_envs": self.num_envs, "steps": self.steps}
        return about | {"device": str(self.device), "seed": self.seed} | changed(self.config)

    def __repr__(self) -> str:
        return in_a_line(self, self.facts)

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        return in_a_table(self, self.facts)

    @property
    def masks(self) -> bool:
        """Whether it takes only actions that its worlds allow, and reads from them which."""
        return getattr(self.config, "mask_actions", False)

    @abstractmethod
    def act(
        self, observation: Array, episode_start: Array, mask: Array | None = None
    ) -> tuple[Array, Mapping[str, Array]]:
        """Choose exploring actions for `[N, *observation]`; extras travel in the transition.

        Args:
            observation: N members of the space.
            episode_start: bool `[N]`, where an episode begins.
            mask: bool `[N, A]`, which actions are allowed; None: all.
        """

    @abstractmethod
    def observe(self, transition: Transition) -> Metrics | None:
        """Remember a transition and learn when due; metrics when something was learned."""

    def networks(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a `state_dict` that a new training can begin with."""
        return {name: state[name] for name in self.inherited if name in state}

    def join(self, team: Team) -> None:
        """Learn with others: environments, and rows of gradients, are dealt out to all.

        Raises:
            ValueError: it can only learn alone, or its environments cannot be dealt evenly.
        """
        if team.size > 1 and not self.learns_together:
            raise ValueError(f"{self.name} learns in one process, not in {team.size}")
        if team.size > 1 and self.source.spec is None:
            raise ValueError(f"{self.source.name} has no spec, so no other process can make it")
        if self.num_envs % team.size:
            message = f"num_envs is {self.num_envs}: expected a multiple of {team.size}"
            raise ValueError(f"{message}, as many processes step them")
        self.team = team

    def require(self) -> None:
        """Refuse what learning needs and does not find here.

        Raises:
            ValueError: a function that the settings name is gone.
            ModuleNotFoundError: a library is not installed.
        """
        require_found(self.config, to_learn=True)

    def begin(self) -> None:
        """Get ready for a training that begins from nothing; refuse what it lacks."""
        self.require()
        require_schedules(self.config)
        spaces = self.observation_space, self.action_space
        for said in (*ineffective(self.config, *spaces), *unfit(self.config, spaces[0])):
            warn(f"{said} ({self.name} on {self.source.name})")
        if self.masks and self.source.spec is not None:
            with closing(self.source.stepper(masks=True)) as stepper:
                stepper.reset(self.seed)  # a world that tells no masks is refused

    def adjust(self, **changes: Any) -> None:
        """Go on with other settings.

        Raises:
            ValueError: there is no such setting: the nearest is named; a value cannot work; or the
                setting cannot change in a training.
        """
        config = adjusted(self.config, changes, self.name)
        require_found(config)
        if config != self.config:
            self.config = config
            self.follow_config()

    def follow_config(self) -> None:
        """Let what was made of the settings at construction follow adjusted ones; see `adjust`."""

    def reseed(self, seed: int) -> None:
        """Begin every generator of the agent anew: called at the start of each segment."""
        self.rng = np.random.default_rng(seed)
        self.chance = np.random.default_rng(seed)  # what predictions draw from

    @abstractmethod
    def stream(self, seed: int) -> Stream:
        """Return the stream of experience of one segment."""

    @property
    def rollout_steps(self) -> int:
        """How many steps are gathered at a time: what a segment cuts off is lost."""
        return 1

    def idle(self, steps: int) -> str:
        """Return which setting keeps all of `steps` steps from learning; nothing, where they learn.

        It is no error: a run may be there to be timed, or to be extended.
        """
        return ""

    @abstractmethod
    def choose(
        self,
        observation: Array,
        state: Any,
        episode_start: Array | None,
        deterministic: bool,
        mask: Array | None = None,
    ) -> tuple[Array, Any]:
        """Return actions `[N, *action]` for `[N, *observation]`, and the memory's next state.

        Args:
            observation: N members of the space.
            state: of the memory before them; None is that of an episode's start.
            episode_start: bool `[N]`, where an episode begins.
            deterministic: whether to choose the best known actions, or to explore.
            mask: bool `[N, A]`, which actions are allowed; None: all.
        """

    @named
    def predict(
        self,
        observation: Any,
        state: Any = None,
        episode_start: Array | None = None,
        deterministic: bool = False,
        action_masks: Any = None,
    ) -> tuple[Any, Any]:
        """Return actions for one observation or for `[N, *observation]`, and the next state.

        Stable-baselines3's `evaluate_policy` works on anything with this signature, and
        sb3-contrib's on agents that mask actions.

        Args:
            observation: one member of the space, or N.
            state: of the memory before them; None is that of an episode's start.
            episode_start: bool `[N]`, where an episode begins.
            deterministic: whether to choose the best known actions, or to explore.
            action_masks: `[A]` or `[N, A]`, which actions are allowed.

        Raises:
            ValueError: the agent needs masks and got none, or what was given does not fit.
        """
        rows, single = as_rows(self.observation_space, observation)
        if type(deterministic) is not bool:
            deterministic = required("deterministic", deterministic, bool)
        if episode_start is not None:
            episode_start = as_starts(episode_start, len(rows))
        now: tuple[Any, ...] = (rows, state, episode_start, deterministic)
        if action_masks is not None:
            now += (as_masks(self.action_space, action_masks, len(rows)),)
        elif self.masks:
            message = f"{self.name} was configured with mask_actions=True, and got no masks"
            raise ValueError(f"{message}: expected predict(observation, action_masks=...)")
        training, self.rng = self.rng, self.chance  # a look disturbs no training
        try:
            actions, state = self.choose(*now)
        finally:
            self.rng = training
        actions = np.asarray(actions, self.action_space.dtype)
        return (actions[0] if single else actions), state
