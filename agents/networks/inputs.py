"""What comes before an encoder: rows of observations in the form that it takes."""

from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from ..environments.parts import COMPOSITES, parts


class OneHot(nn.Module):
    """Turn states `[B]` into unit vectors `[B, S]`."""

    def __init__(self, states: int, start: int = 0) -> None:
        super().__init__()
        self.states, self.start = states, start

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 at the state's place, 0 elsewhere."""
        places = torch.arange(self.start, self.start + self.states, device=x.device)
        return (x.unsqueeze(-1) == places).float()  # [B, S]


class OneHots(nn.Module):
    """Turn several states `[B, *]` into their unit vectors side by side `[B, S₁ + S₂ + …]`."""

    def __init__(self, sizes: Sequence[int], starts: Sequence[int]) -> None:
        super().__init__()
        pairs = zip(sizes, starts, strict=True)
        self.columns = nn.ModuleList(OneHot(size, start) for size, start in pairs)

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 at each state's place, 0 elsewhere."""
        states = x.flatten(1).unbind(1)
        return torch.cat([f(s) for f, s in zip(self.columns, states, strict=True)], dim=1)


class Flatten(nn.Module):
    """Flatten `[B, *]` to float `[B, D]`, bytes to [0, 1].

    Networks that were saved before bytes were scaled take them as they come.

    Args:
        bytes_: whether numbers are from 0 to 255.
    """

    scale: Tensor

    def __init__(self, *, bytes_: bool = False) -> None:
        super().__init__()
        self.bytes = bytes_
        if bytes_:
            self.register_buffer("scale", torch.tensor(1.0 / 255.0))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the batch dimension."""
        flat = x.reshape(x.shape[0], -1).float()
        return flat * self.scale if self.bytes else flat

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        if self.bytes:
            state.setdefault(f"{prefix}scale", torch.tensor(1.0))
        super()._load_from_state_dict(state, prefix, *rest)


class Numbers(nn.Module):
    """Takes whole numbers, as boards hold them, for what they are: floats, not scaled."""

    def forward(self, x: Tensor) -> Tensor:
        """Map `[B, *]` to float32."""
        return x.to(torch.float32)


class Members(nn.Module):
    """Rows `[B, *]` as batches of members of a space: of parts `[B, *]` each, as dict and tuple.

    Numbers are of the space's dtype, floats float32.
    """

    def __init__(self, space: gym.Space) -> None:
        super().__init__()
        self.space = space
        self.parts = parts(space)

    def forward(self, rows: Tensor) -> Any:
        """Take rows apart where the space has parts."""
        if not isinstance(self.space, COMPOSITES):
            return rows.float() if rows.is_floating_point() else rows
        columns = (
            rows[:, part.columns]
            .reshape(len(rows), *(part.space.shape or ()))
            .to(_dtype(part.space))
            for part in self.parts
        )
        return _structured(self.space, columns)


class SB3Members(nn.Module):
    """Rows `[B, *]` as stable-baselines3 shows them to its features extractors.

    Pictures are channels first and in [0, 1], states one-hot.

    Args:
        space: of observations.
        shown: the space that the extractor was made for, whose pictures are channels first.
    """

    def __init__(self, space: gym.Space, shown: gym.Space) -> None:
        super().__init__()
        self.members, self.space, self.shown = Members(space), space, shown

    def forward(self, rows: Tensor) -> Any:
        """Preprocess a batch."""
        from stable_baselines3.common.preprocessing import preprocess_obs

        return preprocess_obs(_transposed(self.members(rows), self.space, self.shown), self.shown)


def _dtype(space: gym.Space) -> torch.dtype:
    dtype = torch.as_tensor(np.empty(0, space.dtype)).dtype
    return torch.float32 if dtype.is_floating_point else dtype


def _structured(space: gym.Space, columns: Iterator[Tensor]) -> Any:
    if isinstance(space, gym.spaces.Dict):
        return {key: _structured(part, columns) for key, part in space.spaces.items()}
    if isinstance(space, gym.spaces.Tuple):
        return tuple(_structured(part, columns) for part in space.spaces)
    return next(columns)


def _transposed(members: Any, space: gym.Space, shown: gym.Space) -> Any:
    if isinstance(space, gym.spaces.Dict) and isinstance(shown, gym.spaces.Dict):
        return {key: _transposed(members[key], space[key], shown[key]) for key in members}
    return members if space.shape == shown.shape else members.movedim(-1, 1)
