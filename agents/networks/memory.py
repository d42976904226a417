"""Memories of agents: an LSTM or a GRU behind an encoder."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from nets.layers.init import init_
from nets.layers.recurrent import GRU, LSTM
from nets.near import shortened
from nets.networks.classic import CLASSIC
from nets.networks.encoders import ENCODERS
from nets.registry import Registry

MEMORIES: dict[str, type[LSTM] | type[GRU]] = {"lstm": LSTM, "gru": GRU}
_MEMORIES = Registry("memory", MEMORIES)


def build_memory(name: str, in_features: int, size: int) -> LSTM | GRU:
    """Return a memory of `size` units, its gates more open to its past than to the present."""
    memory = init_(MEMORIES[name](in_features, size), "orthogonal")
    kept = slice(size, 2 * size)  # the gate f of an LSTM, z of a GRU
    nn.init.ones_(memory.get_parameter("bias_ih_l0")[kept])
    return memory


def remember(
    memory: LSTM | GRU, x: Tensor, state: Tensor | None, starts: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Run a memory over `x` `[T, B, D]`, its state in one piece.

    Args:
        memory: LSTM (S = 2) or GRU (S = 1).
        x: `[T, B, D]`.
        state: before the first step, `[S, layers, B, H]`; None is 0.
        starts: bool `[T, B]`, where an episode begins.

    Returns:
        Outputs `[T, B, H]`, and the state after the last step.
    """
    before: Tensor | tuple[Tensor, Tensor] | None = None
    if state is not None:
        if not isinstance(state, Tensor) or state.dim() != 4:
            expected = "None, or what predict returned beside the action before"
            raise ValueError(f"the state is {shortened(state)}: expected {expected}")
        before = (state[0], state[1]) if isinstance(memory, LSTM) else state[0]
    y, after = memory(x, before, starts)
    return y, torch.stack(after) if isinstance(after, tuple) else after[None]


_SINGLE = ("auto", "mlp", *ENCODERS, *CLASSIC)


_ENCODERS: Registry[tuple[str, str | None]] = Registry(
    "encoder",
    {name: (name, None) for name in _SINGLE}
    | {memory: ("auto", memory) for memory in MEMORIES}
    | {f"{name}+{memory}": (name, memory) for name in _SINGLE for memory in MEMORIES},
)


def parse_encoder(
    encoder: str | Callable[..., Any], memory: str = "none"
) -> tuple[str | Callable[..., Any], str | None]:
    """Return the encoder of single observations, and the memory after it or None.

    Args:
        encoder: `"auto"` (a CNN for pictures), `"mlp"`, `"nature"`, `"impala"`, `"small-cnn"`, a
            name of `nets.classic_cnn`; a memory, `"lstm"` or `"gru"`, over what auto takes; both,
            as in `"impala+lstm"`; or somebody's own, see `build_own`.
        memory: `"lstm"`, `"gru"`, or what the encoder's name says.

    Raises:
        ValueError: naming the nearest that exists; or there are two memories.
    """
    named: str | None = None
    if isinstance(encoder, str) and ":" in encoder:
        encoder, _, named = encoder.partition("+")
        named = _MEMORIES.canonical(named) if named else None
    elif isinstance(encoder, str):
        encoder, named = _ENCODERS[encoder]
    wanted = None if memory == "none" else memory
    if named and wanted not in (None, named):
        raise ValueError(f"memory is {memory!r}, but the encoder has the memory {named!r}")
    return encoder, named or wanted
