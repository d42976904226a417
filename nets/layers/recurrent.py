"""Recurrent layers that forget at the beginning of an episode, at the speed of torch's own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..arguments import checked
from ..kinds import Count
from . import early_reset_gru
from .recurrence import Recurrent, State
from .resets import gru_signals, lstm_signals, rnn_signals


class RNN(Recurrent):
    """Vanilla recurrent layer: hₜ = tanh(W_ih·xₜ + b_ih + W_hh·hₜ₋₁ + b_hh) (N-RNN-01).

    Args:
        in_features: D, size of the input at each step.
        hidden_size: H, size of the state and of the output (N-RNN-08).
        num_layers: layers, each fed by the one below, each with its own weights (N-RNN-07).
        bidirectional: whether a second layer reads from the last step back; outputs are of both.
    """

    _mode = "RNN_TANH"
    _kernel = staticmethod(torch.rnn_tanh)
    _cell = staticmethod(torch.rnn_tanh_cell)
    _room = 2

    def _signal_weights(self, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
        return rnn_signals(w_hh, b_ih, b_hh)


class LSTM(Recurrent):
    """Long short-term memory (N-RNN-04); the state is the tuple (h, c).

    i, f, o = σ(W·[xₜ, hₜ₋₁] + b), g = tanh(W·[xₜ, hₜ₋₁] + b),
    cₜ = f ⊙ cₜ₋₁ + i ⊙ g, hₜ = o ⊙ tanh(cₜ).

    Parameters and gate order (i, f, g, o) are those of `nn.LSTM`: state dicts are exchangeable.
    `init_(lstm, "forget_gate")` sets the forget bias to 1.

    Args:
        in_features: D, size of the input at each step.
        hidden_size: H, size of the state and of the output (N-RNN-08).
        num_layers: layers, each fed by the one below, each with its own weights (N-RNN-07).
        bidirectional: whether a second layer reads from the last step back; outputs are of both.
    """

    _mode = "LSTM"
    _kernel = staticmethod(torch.lstm)
    _cell = staticmethod(torch.lstm_cell)
    _states = 2

    def _signal_weights(self, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
        return lstm_signals(b_ih)


class GRU(Recurrent):
    """Gated recurrent unit, where z keeps (N-RNN-06).

    r, z = σ(W·[xₜ, hₜ₋₁] + b), n = tanh(W_in·xₜ + b_in + r ⊙ (W_hn·hₜ₋₁ + b_hn)),
    hₜ = (1 - z) ⊙ n + z ⊙ hₜ₋₁.

    Args:
        in_features: D, size of the input at each step.
        hidden_size: H, size of the state and of the output (N-RNN-08).
        num_layers: layers, each fed by the one below, each with its own weights (N-RNN-07).
        bidirectional: whether a second layer reads from the last step back; outputs are of both.
        reset_after: True for the form above, which torch's fast kernels compute. False for the
            published one, W_hn·(r ⊙ hₜ₋₁) + b_hn; with the weights of z negated, z there updates.
    """

    _mode = "GRU"
    _kernel: Callable[..., tuple[Tensor, ...]] = staticmethod(torch.gru)
    _cell: Callable[..., State] = staticmethod(torch.gru_cell)

    @checked
    def __init__(
        self,
        in_features: Count,
        hidden_size: Count,
        num_layers: Count = 1,
        *,
        bidirectional: bool = False,
        reset_after: bool = True,
    ) -> None:
        super().__init__(in_features, hidden_size, num_layers, bidirectional=bidirectional)
        self.reset_after = reset_after
        if not reset_after:
            self._kernel, self._cell = early_reset_gru.sequence, early_reset_gru.cell

    def _signal_weights(self, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
        n = slice(2 * self.hidden_size, None)
        return gru_signals(b_ih[n] if self.reset_after else b_ih[n] + b_hh[n])
