"""What a world shows and takes: its spaces, as plain values, and as numbers that networks read."""

import math
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from ..data.making import making, qualified
from .config import Kind

if TYPE_CHECKING:  # what a world shows is told without torch
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class WorldSpec:
    """The world that is learned.

    Attributes:
        env_id: Gymnasium's, with its module.
        observation_space: Discrete, or Box.
        action_space: Discrete, or Box.
        options: arguments of the environment, plain values.
        levels: how many values cells of each plane of a board take, where these are told apart, 1
            elsewhere; `()`: nowhere.

    Raises:
        ValueError: a space is none of these.
    """

    env_id: str
    observation_space: gym.Space
    action_space: gym.Space
    options: Mapping[str, Any] = field(default_factory=dict)
    levels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("observation_space", "action_space"):
            space = getattr(self, name)
            if not isinstance(space, spaces.Discrete | spaces.Box):
                message = f"the {name.replace('_', ' ')} of {self.env_id} is {space}"
                raise ValueError(f"{message}: worlds are learned of Discrete and Box")
            if space.shape == () and isinstance(space, spaces.Box):
                message = (
                    f"the {name.replace('_', ' ')} of {self.env_id} is {space}, of no dimension"
                )
                raise ValueError(f"{message}: expected one or more")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one observation; `()` of a discrete one."""
        return tuple(self.observation_space.shape or ())

    @property
    def kind(self) -> Kind:
        """What observations are: numbers of states, vectors, boards of cells, or pictures.

        A board has two dimensions or more and cells in [0, 1], a picture has bytes.
        """
        space = self.observation_space
        if isinstance(space, spaces.Discrete):
            return "discrete"
        assert isinstance(space, spaces.Box)
        if len(self.shape) < 2:
            return "vector"
        if space.dtype == np.uint8 and space.high.max() > 1:
            return "picture"
        return "board" if space.low.min() >= 0 and space.high.max() <= 1 else "vector"

    @property
    def dtype(self) -> "torch.dtype":
        """The type of observations, as torch has it."""
        import torch

        return torch.from_numpy(np.zeros(0, self.observation_space.dtype)).dtype

    @property
    def num_states(self) -> int:
        """How many states a discrete observation tells apart."""
        assert isinstance(self.observation_space, spaces.Discrete)
        return int(self.observation_space.n)

    @property
    def action_size(self) -> int:
        """How many numbers `actions` makes of one action."""
        space = self.action_space
        return int(space.n) if isinstance(space, spaces.Discrete) else math.prod(space.shape or ())

    def actions(self, action: "Tensor") -> "Tensor":
        """Return actions `[*]` as float32 `[*, action_size]`: one of A, or scaled to [-1, 1]."""
        import torch
        from torch.nn.functional import one_hot

        space = self.action_space
        if isinstance(space, spaces.Discrete):
            return one_hot(action - int(space.start), int(space.n)).float()
        assert isinstance(space, spaces.Box)
        flat = action.flatten(action.dim() - len(space.shape)).float()
        low, high = (torch.from_numpy(b).flatten().to(flat) for b in (space.low, space.high))
        bounded = torch.isfinite(low) & torch.isfinite(high)
        middle = torch.where(bounded, (low + high) / 2, 0.0)
        return (flat - middle) / torch.where(bounded, (high - low) / 2, 1.0)

    def random_actions(self, n: int) -> "Tensor":
        """Draw actions `[n, *]` uniformly, unbounded ones normally, from torch's generator."""
        import torch

        space = self.action_space
        if isinstance(space, spaces.Discrete):
            return torch.randint(int(space.n), (n,)) + int(space.start)
        assert isinstance(space, spaces.Box)
        low, high = (torch.from_numpy(b).float() for b in (space.low, space.high))
        bounded = torch.isfinite(low) & torch.isfinite(high)
        drawn = low + (high - low) * torch.rand(n, *space.shape)
        return torch.where(bounded, drawn, torch.randn(n, *space.shape))

    def states(self, observation: "Tensor") -> "Tensor":
        """Return discrete observations `[*]` as states in 0..S-1."""
        assert isinstance(self.observation_space, spaces.Discrete)
        return observation - int(self.observation_space.start)

    def describe(self) -> dict[str, Any]:
        """Return the spec as plain values."""
        levels = {"levels": list(self.levels)} if self.levels else {}
        return levels | {
            "env": self.env_id,
            "options": dict(self.options),
            "observation_space": _described(self.observation_space),
            "action_space": _described(self.action_space),
        }

    @classmethod
    def restore(cls, description: Mapping[str, Any]) -> "WorldSpec":
        """Return the spec that `describe` described.

        Raises:
            ValueError: it describes none.
        """
        return cls(
            str(description["env"]),
            _restored(description["observation_space"]),
            _restored(description["action_space"]),
            dict(description["options"]),
            tuple(description.get("levels", ())),
        )

    def make(self) -> gym.Env:
        """Make the real world.

        Raises:
            gymnasium.error.Error: there is none of this name.
        """
        with making(self.env_id, self.options):
            return gym.make(self.env_id, **self.options)


def spec_of(env_id: str, **options: Any) -> WorldSpec:
    """Return what a world shows and takes.

    Args:
        env_id: `Name-v0`, or `module:namespace/Name-v0` where a module registers it.
        **options: arguments of the environment.

    Raises:
        gymnasium.error.Error: there is no such environment; the nearest is suggested.
        ValueError: its spaces are neither Discrete nor Box.
    """
    with making(env_id, options):
        made = gym.make(qualified(env_id), **options)
    with closing(made) as env:
        return WorldSpec(qualified(env_id), env.observation_space, env.action_space, options)


def _described(space: gym.Space) -> dict[str, Any]:
    if isinstance(space, spaces.Discrete):
        return {"n": int(space.n), "start": int(space.start)}
    assert isinstance(space, spaces.Box)
    bounds = {name: _plain(getattr(space, name)) for name in ("low", "high")}
    return bounds | {"shape": list(space.shape), "dtype": str(space.dtype)}


def _plain(bound: np.ndarray[Any, Any]) -> list[float | None]:
    """Return a bound as numbers, one where all are the same; None where there is none."""
    values = bound.ravel().tolist()
    values = values[:1] if len(set(values)) == 1 else values
    return [value if math.isfinite(value) else None for value in values]


def _restored(description: Mapping[str, Any]) -> gym.Space:
    if "n" in description:
        return spaces.Discrete(description["n"], start=description["start"])
    shape, dtype = tuple(description["shape"]), np.dtype(description["dtype"])
    bounds = []
    for name, missing in (("low", -math.inf), ("high", math.inf)):
        values = [missing if value is None else value for value in description[name]]
        full = np.array(values, np.float64)
        bounds.append(np.broadcast_to(full if len(full) > 1 else full[:1], math.prod(shape)))
    low, high = (bound.reshape(shape).astype(dtype) for bound in bounds)
    return spaces.Box(low, high, shape, dtype.type)
