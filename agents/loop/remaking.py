"""How an actor is written down and made again: files, copies, pickles."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import torch

from nets.arguments import named
from nets.keywords import Keywords
from nets.process.device import resolve_device
from nets.runs.checkpoint import CheckpointError, fitting, load_checkpoint, save_checkpoint
from nets.runs.configurations import recalled, recorded, require_settings
from nets.runs.durable import as_path
from nets.runs.places import at_home

from ..environments.source import EnvSource, World
from .divergence import require_finite
from .shards import NoReplay, Replay

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LOADING = ("path", "env", "device", "trust")  # of `load`, beside settings
ConfigT = TypeVar("ConfigT", bound="DataclassInstance")


class Remade(Keywords, ABC, Generic[ConfigT]):
    """What can be made again from its settings, its environment's recipe and what it learned."""

    name: ClassVar[str]
    config_type: ClassVar[type]
    source: EnvSource
    config: ConfigT
    seed: int
    device: torch.device
    steps: int
    segment: int
    rng: np.random.Generator
    chance: np.random.Generator
    replay: Replay = NoReplay()

    @abstractmethod
    def __init__(
        self,
        env: World,
        config: ConfigT | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
        num_envs: int | None = None,
    ) -> None: ...

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything learned, as tensors, numbers and strings; the rows of `replay` apart."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned."""

    def adopt(self, replay: Replay) -> None:
        """Learn from this replay from now on."""
        self.replay = replay

    @named
    def save(self, path: str | Path) -> None:
        """Save algorithm, configuration, environment id and all that was learned, in one file.

        Raises:
            Diverged: something of it is not finite; nothing is written.
        """
        require_finite(self)  # type: ignore[arg-type]  # an Actor, which alone is made
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
        resolve_device(device)  # what was given is not the file's fault
        state = load_checkpoint(path)
        if state.get("algorithm") != cls.name:
            message = f"{path} was saved by {state.get('algorithm')!r}, not by {cls.name!r}"
            raise CheckpointError(message)
        require_settings(cls.config_type, settings, *LOADING, by="load")
        with fitting(path):
            state |= at_home(as_path(path), {name: state[name] for name in ("env", "config")})
            recipe = state["env"]
        world = EnvSource.restore(recipe, path, trust=trust) if env is None else env
        with fitting(path) if env is None else nullcontext():  # what was given is not its fault
            agent = cls.from_manifest(state, world, device, trust=trust, settings=settings)
        with fitting(path):
            agent.load_state_dict(state["agent"])
        return agent

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

    def __copy__(self) -> Self:
        """Return a copy that shares nothing with it, as `copy.deepcopy` does."""
        return deepcopy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Let copies and pickles be made anew, of what was learned: they share nothing with it."""
        made = type(self), self.source, self.config, self.seed, str(self.device)
        learned = self.steps, self.segment, self.state_dict()
        return _remade, (*made, *learned, self.rng, self.chance, self.replay)


def _remade(
    kind: type[Remade[Any]],
    source: EnvSource,
    config: Any,
    seed: int,
    device: str,
    steps: int,
    segment: int,
    state: dict[str, Any],
    rng: np.random.Generator,
    chance: np.random.Generator,
    replay: Replay,
) -> Remade[Any]:
    """Return an actor equal to the one that said all this of itself."""
    actor = kind(source, config, seed=seed, device=device)
    actor.steps, actor.segment = steps, segment
    actor.load_state_dict(state)
    actor.rng, actor.chance = rng, chance
    actor.adopt(replay)
    return actor
