"""What the loop calls: an actor acts, observes, and can be saved and made again."""

import operator
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypedDict, TypeVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv

from nets.process.device import resolve_device
from nets.process.seeding import hash31
from nets.runs.checkpoint import CheckpointError, fitting, load_checkpoint, save_checkpoint
from nets.runs.configurations import (
    adjusted,
    recalled,
    recorded,
    require_found,
    require_settings,
)

from ..environments.masks import as_masks, choices
from ..environments.source import EnvSource
from ..environments.spaces import as_rows
from .experience import Array, Metrics, Stream, Transition
from .shards import NoReplay, Replay

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

World = str | gym.Env | VectorEnv | EnvSource
ConfigT = TypeVar("ConfigT", bound="DataclassInstance")


class ActorOptions(TypedDict, total=False):
    """What every actor takes beside its environment and its configuration."""

    seed: int
    device: str
    num_envs: int | None


class Actor(ABC, Generic[ConfigT]):
    """What acts and learns on a Gymnasium environment; `agents.agent.Agent` trains it.

    Args:
        env: an id (`"CartPole-v1"`, `"module:Name-v0"`), an environment, or a vector environment.
        config: the frozen dataclass of the algorithm; its defaults when None.
        seed: everything random in the agent follows from it.
        device: `"auto"`, `"cpu"`, `"cuda"`, ...
        num_envs: how many copies to train on; None for `default_num_envs`.
    """

    name: ClassVar[str]
    config_type: ClassVar[type]
    default_num_envs: ClassVar[int] = 1
    inherited: ClassVar[tuple[str, ...]] = ()
    """Parts of its state that a new training can begin with: networks and statistics."""
    replay: Replay = NoReplay()
    most_steps_at_risk: ClassVar[int] = 100_000
    """Steps that a crash may cost: minutes, on slow environments."""
    threads: ClassVar[int] = 1
    """CPU threads of torch, on any machine: more would sum in another order, and change results;
    several runs side by side are faster than one after the other on all cores."""
    begun_from: str = ""
    """The run, or the file, whose networks it began with; nothing, for most."""
    horizon: int = 0
    """The step at which the training in progress ends: schedules go by it; 0: none has begun."""

    def __init__(
        self,
        env: World,
        config: ConfigT | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
        num_envs: int | None = None,
    ) -> None:
        source = EnvSource.of(env, num_envs)
        if source.num_envs is None and source.spec is not None:
            source = replace(source, num_envs=self.default_num_envs)
        self.source = source
        self.config: ConfigT = self.config_type() if config is None else config
        require_found(self.config)
        self.seed = operator.index(seed)  # of NumPy, too
        self.device = resolve_device(device)
        self.observation_space = self.source.observation_space
        self.action_space = self.source.action_space
        self.num_envs = self.source.num_envs or 1
        if self.masks:
            choices(self.action_space)
        self.steps = 0
        self.segment = 0
        self.reseed(hash31(seed, "agent"))

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

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything learned, as tensors, numbers and strings; the rows of `replay` apart."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""

    def networks(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a `state_dict` that a new training can begin with."""
        return {name: state[name] for name in self.inherited if name in state}

    def begin(self) -> None:
        """Get ready for a training that begins from nothing; refuse what it lacks."""
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
            ValueError: the agent needs masks and got none, or they do not fit.
        """
        rows, single = as_rows(self.observation_space, observation)
        now = rows, state, episode_start, deterministic
        if action_masks is not None:
            actions, state = self.choose(*now, as_masks(self.action_space, action_masks, len(rows)))
        elif self.masks:
            message = f"{self.name} was configured with mask_actions=True, and got no masks"
            raise ValueError(f"{message}: expected predict(observation, action_masks=...)")
        else:
            actions, state = self.choose(*now)
        return (actions[0] if single else actions), state

    def save(self, path: str | Path) -> None:
        """Save algorithm, configuration, environment id and all that was learned, in one file."""
        save_checkpoint(path, self.manifest() | {"agent": self.state_dict()})

    @classmethod
    def load(
        cls,
        path: str | Path,
        env: World | None = None,
        device: str = "auto",
        *,
        trust: bool = False,
        **settings: Any,
    ) -> Self:
        """Load what `save`, or a training run, wrote.

        Args:
            path: the file.
            env: another environment to act in; its own by default.
            device: where to put it.
            trust: whether the file's environment and networks may be of any module, with any
                wrapper.
            **settings: settings in place of the recorded ones, such as the `encoder`, where that
                was a lambda or an object.

        Raises:
            UntrustedError: its environment, or network, is not known to be harmless, and `trust` is
                False.
            CheckpointError: the file is damaged, unsafe, or of another algorithm; or it names a
                network that is not there.
            ValueError: the environment had no id, and `env` is not given; or there is no such
                setting.
        """
        state = load_checkpoint(path)
        if state.get("algorithm") != cls.name:
            message = f"{path} was saved by {state.get('algorithm')!r}, not by {cls.name!r}"
            raise CheckpointError(message)
        require_settings(cls.config_type, settings)
        with fitting(path):
            recipe = state["env"]
        world = EnvSource.restore(recipe, path, trust=trust) if env is None else env
        with fitting(path) if env is None else nullcontext():  # what was given is not its fault
            agent = cls.from_manifest(state, world, device, trust=trust, settings=settings)
        with fitting(path):
            agent.load_state_dict(state["agent"])
        return agent

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies and pickles be made anew, of what was learned: they share nothing with it."""
        made = type(self), self.source, self.config, self.seed, str(self.device)
        return _remade, (*made, self.steps, self.segment, self.state_dict(), self.rng, self.replay)

    def adopt(self, replay: Replay) -> None:
        """Learn from this replay from now on."""
        self.replay = replay

    def manifest(self) -> dict[str, Any]:
        """What it takes to construct this agent again, as plain values."""
        return {
            "algorithm": self.name,
            "config": recorded(self.config),
            "env": self.source.describe(),
            "seed": self.seed,
            "steps": self.steps,
            "segment": self.segment,
        }

    @classmethod
    def from_manifest(
        cls,
        manifest: Mapping[str, Any],
        env: World | None = None,
        device: str = "auto",
        *,
        trust: bool = False,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """Construct the agent that wrote `manifest`, without what it had learned; see `load`."""
        source = EnvSource.restore(manifest["env"]) if env is None else EnvSource.of(env)
        with fitting("the recorded configuration"):
            config: Any = recalled(cls.config_type, manifest["config"], settings, trust=trust)
            counts = [manifest[name] for name in ("seed", "steps", "segment")]
            if not all(type(count) is int for count in counts):
                raise ValueError(f"seed, steps and segment are {counts}")
        seed, steps, segment = counts
        agent = cls(source, config, seed=seed, device=device)
        agent.steps, agent.segment = steps, segment
        return agent


def _remade(
    kind: type[Actor[Any]],
    source: EnvSource,
    config: Any,
    seed: int,
    device: str,
    steps: int,
    segment: int,
    state: dict[str, Any],
    rng: np.random.Generator,
    replay: Replay,
) -> Actor[Any]:
    """Return an actor equal to the one that said all this of itself."""
    actor = kind(source, config, seed=seed, device=device)
    actor.steps, actor.segment = steps, segment
    actor.load_state_dict(state)
    actor.rng = rng
    actor.adopt(replay)
    return actor
