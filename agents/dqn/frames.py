"""Pictures as the frames they are stacks of, each kept once however many rows show it.

A row of replay has a picture and the one that follows, and where four frames are stacked each of
them is in eight pictures. Frames are bytes of Python's, found by their content in a dictionary (by
a hash, then by comparison) and counted. So nothing need be known of what stacked them, how many
environments there are, where episodes end or how many steps a row spans; and worlds that show
nothing twice take what their pictures take.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from ..loop.experience import Array

LEAST = 256
"""Bytes of a frame: to find a smaller one again takes as much as to keep it again."""


class Frames:
    """The different frames of a replay, and in how many places of its rows each is.

    In pictures with three sides they lie along the shortest, as channels and stacks do; in those
    with more along the first, where Gymnasium's `FrameStackObservation` puts them.

    Args:
        picture: shape of a picture, a stack of k frames.
    """

    def __init__(self, picture: tuple[int, ...]) -> None:
        self.picture = picture
        self.axis = 0 if len(picture) > 3 else int(np.argmin(picture))
        self.depth = picture[self.axis]  # k
        self.shape = (*picture[: self.axis], 1, *picture[self.axis + 1 :])  # of a frame
        self.size = prod(self.shape)  # its bytes
        self._kept: dict[bytes, bytes] = {}
        self._places: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, frame: bytes) -> bytes:
        """Return the kept frame that equals `frame`, which is in one place more."""
        kept = self._kept.setdefault(frame, frame)
        self._places[kept] = self._places.get(kept, 0) + 1
        return kept

    def drop(self, kept: bytes) -> None:
        """Count one place less of a kept frame, and forget it where that was the last."""
        self._places[kept] -= 1
        if not self._places[kept]:
            del self._kept[kept], self._places[kept]

    def clear(self) -> None:
        """Forget all frames."""
        self._kept.clear()
        self._places.clear()

    def split(self, pictures: Array) -> Array:
        """Return the frames `[*, k]` of pictures `[*, *picture]`.

        Raises:
            ValueError: the pictures are of another shape.
        """
        lead = pictures.ndim - len(self.picture)
        if lead < 0 or pictures.shape[lead:] != self.picture:
            raise ValueError(f"pictures of shape {pictures.shape}, expected {self.picture} each")
        along = np.moveaxis(pictures.astype(np.uint8, copy=False), lead + self.axis, lead)
        flat = np.ascontiguousarray(along).reshape(-1, self.size)  # [* · k, bytes]
        frames = np.fromiter((frame.tobytes() for frame in flat), object, len(flat))
        return frames.reshape(along.shape[: lead + 1])

    def stack(self, frames: Array) -> Array:
        """Return the pictures `[*, *picture]` of frames `[*, k]`; they are copies."""
        *lead, depth = frames.shape
        joined = np.frombuffer(bytearray().join(frames.reshape(-1).tolist()), np.uint8)
        if self.axis == 0:
            return joined.reshape(*lead, *self.picture)
        layers = np.moveaxis(joined.reshape(*lead, depth, *self.shape), len(lead), 0)
        return np.concatenate(list(layers), axis=len(lead) + self.axis)

    def number(self, columns: Mapping[str, Array]) -> tuple[dict[str, Array], Tensor]:
        """Return columns with numbers `[*, k]` for frames, and the frames that they number."""
        numbers: dict[bytes, int] = {}
        told = dict(columns)
        for name, column in columns.items():
            if column.dtype == object:
                each = (numbers.setdefault(frame, len(numbers)) for frame in column.flat)
                told[name] = np.fromiter(each, np.int64, column.size).reshape(column.shape)
        joined = np.frombuffer(bytearray().join(numbers), np.uint8)
        return told, torch.from_numpy(joined.reshape(len(numbers), *self.shape))

    def recall(self, columns: Mapping[str, Array], frames: Tensor) -> dict[str, Array]:
        """Return columns with frames for the numbers that `number` gave them.

        Raises:
            ValueError, IndexError: they are not of such pictures, or lack frames.
        """
        if frames.dtype != torch.uint8 or frames.shape[1:] != self.shape:
            raise ValueError(f"frames of shape {tuple(frames.shape[1:])}, expected {self.shape}")
        found = np.fromiter((frame.tobytes() for frame in frames.numpy()), object, len(frames))
        if any(column.min(initial=0) < 0 for column in columns.values()):
            raise IndexError("a frame has a number below 0")
        return {name: found[column] for name, column in columns.items()}


class Pictures:
    """Places for pictures `[*shape, *picture]`, which columns of the same `frames` share.

    An index gives frames `[*, k]`, and takes them or pictures; `take` gives pictures.
    """

    def __init__(self, frames: Frames, *shape: int) -> None:
        self.frames = frames
        self._held = np.empty((*shape, frames.depth), object)  # None where nothing is yet

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, index: Any) -> Array:
        return self._held[index]

    def __setitem__(self, index: Any, values: Array) -> None:
        frames = values if values.dtype == object else self.frames.split(values)
        before = self._held[index]
        if frames.shape != before.shape:
            raise ValueError(f"frames {frames.shape} do not fit into places {before.shape}")
        after = np.fromiter(map(self.frames.keep, frames.flat), object, frames.size)
        for kept in filter(None, before.reshape(-1).tolist()):
            self.frames.drop(kept)
        self._held[index] = after.reshape(frames.shape)

    def take(self, places: Array, axis: int = 0) -> Array:
        """Return the pictures at `places`, as an array's `take` does."""
        return self.frames.stack(self._held.take(places, axis=axis))

    def clear(self) -> None:
        """Forget all pictures."""
        self._held = np.empty_like(self._held)
        self.frames.clear()


def has_frames(space: gym.Space) -> bool:
    """Whether observations of `space` are pictures of frames that are worth finding again."""
    shape, bytes_ = space.shape or (), isinstance(space, gym.spaces.Box) and space.dtype == np.uint8
    return bytes_ and len(shape) > 2 and Frames(shape).size >= LEAST
