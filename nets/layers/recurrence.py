"""What recurrent layers share: resets where episodes begin, padding, two directions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..arguments import checked
from ..keywords import Keywords
from ..kinds import Count
from .padding import Padding, packed_like, padded, padding_of
from .resets import Timeline, unseen

State: TypeAlias = Tensor | tuple[Tensor, Tensor]
_RunLayer: TypeAlias = Callable[
    [Tensor, Sequence[Tensor], Sequence[Tensor]], tuple[Tensor, list[Tensor]]
]  # of input, states `[B, H]` and weights: outputs and last states


class Recurrent(nn.RNNBase, Keywords):
    """What the three layers share: parameters named as torch's, resets, one step or many."""

    _mode: ClassVar[str]
    _kernel: Callable[..., tuple[Tensor, ...]]
    _cell: Callable[..., State]
    _states: ClassVar[int] = 1
    _room: ClassVar[int] = 1

    @checked
    def __init__(
        self,
        in_features: Count,
        hidden_size: Count,
        num_layers: Count = 1,
        *,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(
            self._mode, in_features, hidden_size, num_layers, bidirectional=bidirectional
        )
        self.directions = 1 + bidirectional
        self.in_features = in_features
        self.out_features = self.directions * hidden_size

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: State | None = None,
        starts: Tensor | None = None,
        *,
        lengths: Tensor | None = None,
        valid: Tensor | None = None,
    ) -> tuple[Any, State]:
        """Run over a sequence, or over one step.

        Sequences of different lengths are each read as if alone: their outputs are 0 where there is
        padding, and the state is that after the last step of each.

        Args:
            x: `[T, B, D]`, or `[B, D]` for one step; or a `PackedSequence`.
            state: what an earlier call returned, each tensor `[num_layers, B, H]`, of both
                directions `[2·num_layers, B, H]`; None is 0.
            starts: bool `[T, B]` or `[B]`: whether `x[t, b]` is the first observation of an
                episode. The state is zeroed *before* such a step (N-RNN-10); who reads backwards
                forgets after it.
            lengths: integers `[B]`, steps of each sequence, padded behind.
            valid: bool `[T, B]`, where there are steps and no padding, before, behind or between.

        Returns:
            The outputs of the last layer, `[T, B, H]` or `[B, H]`, of both directions
            `[T, B, 2H]`, or packed as `x` is; and the state after the last step.

        Raises:
            ValueError: if a shape does not fit, or a sequence has no step.
            TypeError: if `starts` or `valid` is not bool, or `state` not what the layer returns.
        """
        if isinstance(x, PackedSequence):
            if lengths is not None or valid is not None or starts is not None:
                raise ValueError(
                    "a PackedSequence has its lengths: expected neither masks nor starts"
                )
            whole, unpacked = padded(x)
            y, last = self(whole, state, valid=unpacked.valid)
            return packed_like(y, unpacked, x), last
        one_step = x.dim() == 2
        if one_step:
            if lengths is not None or valid is not None or self.bidirectional:
                raise ValueError(f"x is one step, of shape {list(x.shape)}: expected a sequence")
            x, starts = x[None], None if starts is None else starts[None]
        self._check_input(x, starts)
        states = self._check_state(x, state)
        padding = padding_of(x, lengths, valid)
        if padding is not None:
            x, starts = padding.to_front(x), None if starts is None else padding.to_front(starts)
        if starts is not None:
            forward = torch.arange(len(states[0]), device=x.device) % self.directions == 0
            fresh = starts[0, :, None] & forward[:, None, None]  # [layers, B, 1]
            states = [s.masked_fill(fresh, 0.0) for s in states]
            if len(x) == 1 or not (unseen(starts) or starts[1:].any()):
                starts = None
        if one_step:
            y, states = self._layer_by_layer([self._step], x[0], states)
        elif starts is None and padding is None and not self.bidirectional:
            y, states = self._run(x, states, [w for layer in self.all_weights for w in layer])
        else:
            runs = [self._reading(x, starts, padding)]
            if self.bidirectional:
                runs.append(self._reading_back(x, starts, padding))
            y, states = self._layer_by_layer(runs, x, states)
        return y if padding is None else padding.put_back(y), self._joined(states)

    def _layer_by_layer(
        self, runs: Sequence[_RunLayer], x: Tensor, states: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Run each layer, once for each direction, on the outputs of the one below."""
        finals = []
        for layer in range(self.num_layers):
            outputs = []
            for direction, run in enumerate(runs):
                k = layer * len(runs) + direction
                y, final = run(x, [s[k] for s in states], self.all_weights[k])
                outputs.append(y)
                finals.append(final)
            x = torch.cat(outputs, -1) if len(outputs) > 1 else outputs[0]
        return x, [torch.stack(layers) for layers in zip(*finals, strict=True)]

    def _reading(self, x: Tensor, starts: Tensor | None, padding: Padding | None) -> _RunLayer:
        """Return a function that runs a layer over sequences like `x` from their first step on."""
        if starts is None and padding is None:
            return self._plain
        if starts is None:
            starts = torch.zeros(x.shape[:2], dtype=torch.bool, device=x.device)
        lengths = None if padding is None else padding.lengths
        return self._resetting(Timeline(starts, self._room, x.dtype, lengths), padding)

    def _reading_back(self, x: Tensor, starts: Tensor | None, padding: Padding | None) -> _RunLayer:
        """Return a function that runs a layer from the last step back, and forgets after starts."""
        turn = padding.backwards if padding is not None else lambda each: each.flip(0)
        if starts is not None:
            starts = turn(torch.cat([starts[1:], torch.zeros_like(starts[:1])]))
        run = self._reading(x, starts, padding)

        def back(
            x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor]
        ) -> tuple[Tensor, list[Tensor]]:
            y, final = run(turn(x), states, weights)
            return turn(y), final

        return back

    def _plain(
        self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Run a layer over whole sequences, `x` `[T, B, D]`."""
        y, final = self._run(x, [s[None] for s in states], weights)
        return y, [part[0] for part in final]

    def _step(
        self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Run a layer over one step, `x` `[B, D]`: a quarter of the time of a sequence of one."""
        final = self._cell(x, self._joined(states), *weights)
        finals = [final] if isinstance(final, Tensor) else list(final)
        return finals[0], finals

    def _resetting(self, timeline: Timeline, padding: Padding | None) -> _RunLayer:
        """Return a function that runs a layer over sequences in which episodes start, or that end.

        What ends early is held to the end by a signal, as a state; the output is that of its last.
        """

        def run(
            x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor]
        ) -> tuple[Tensor, list[Tensor]]:
            w_ih = torch.cat([weights[0], self._signal_weights(*weights)], dim=1)
            extended = [w_ih, *weights[1:]]
            if x.is_cuda:
                extended = _side_by_side(extended)
            y, final = self._run(timeline.spread(x), [s[None] for s in states], extended)
            y = timeline.collect(y)  # [T, B, H]
            last = y[-1] if padding is None else padding.last(y)  # [B, H]
            return y, [last, *(part[0] for part in final[1:])]

        return run

    def _run(
        self, x: Tensor, states: Sequence[Tensor], weights: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """Call torch's kernel with two weights and two biases for each layer."""
        layers, weights = len(weights) // 4, list(weights)
        state = self._joined(states)
        y, *final = self._kernel(x, state, weights, True, layers, 0.0, self.training, False, False)
        return y, final

    def _signal_weights(self, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
        """Return `[gates * H, room + 1]`, the input weights of a timeline's signals."""
        raise NotImplementedError

    def _joined(self, states: Sequence[Tensor]) -> State:
        return states[0] if self._states == 1 else (states[0], states[1])

    def _check_input(self, x: Tensor, starts: Tensor | None) -> None:
        if x.dim() != 3 or x.shape[-1] != self.in_features or len(x) == 0:
            raise ValueError(
                f"expected x of shape [T, B, {self.in_features}] with T >= 1, "
                f"or [B, {self.in_features}], got {list(x.shape)}"
            )
        if starts is None:
            return
        if starts.dtype != torch.bool:
            raise TypeError(f"starts must be bool, got {starts.dtype}; write starts.bool()")
        if starts.shape != x.shape[:2]:
            raise ValueError(
                f"starts must have shape {list(x.shape[:2])} beside x of {list(x.shape)}, "
                f"got {list(starts.shape)}"
            )

    def _check_state(self, x: Tensor, state: State | None) -> list[Tensor]:
        shape = (self.num_layers * self.directions, x.shape[1], self.hidden_size)
        if state is None:
            return [x.new_zeros(shape)] * self._states
        if isinstance(state, Tensor) != (self._states == 1):
            wanted = "one tensor" if self._states == 1 else "a tuple (h, c)"
            raise TypeError(f"the state must be {wanted}, got {type(state).__name__}")
        states = [state] if isinstance(state, Tensor) else list(state)
        for each in states:
            if each.shape != shape:
                raise ValueError(f"the state must have shape {shape}, got {tuple(each.shape)}")
        return states


def _side_by_side(weights: Sequence[Tensor]) -> list[Tensor]:
    """Copy `weights` into one piece of memory, as cuDNN wants them, and return the parts."""
    memory = torch.cat([weight.flatten() for weight in weights])
    parts = memory.split([weight.numel() for weight in weights])
    return [part.view_as(weight) for part, weight in zip(parts, weights, strict=True)]
