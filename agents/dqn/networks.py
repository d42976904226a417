"""Networks from observations to what is said about each action, with or without a memory."""

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from nets.gradients.backprop import backprop
from nets.gradients.modes import evaluation_mode
from nets.layers.chain import Chain
from nets.layers.recurrent import GRU, LSTM

from ..loop.experience import Array
from ..networks.fast import FastNetwork, numpy_forward
from ..networks.memory import remember
from .returns import ReturnModel
from .sequences import History

TARGET_ROWS = 512  # a piece that stays in the cache


class QNetwork(Chain):
    """Encoder and head: observations `[B, *]` to outputs `[B, A · size]`."""

    @property
    def body(self) -> nn.Module:
        """The encoder."""
        return self[0]

    def minibatches(self, observation: Tensor) -> Tensor:
        """Evaluate K minibatches at once, `[K, B, *]` to `[K, B, A · size]`."""
        rows = observation.flatten(0, 1).split(TARGET_ROWS)
        return torch.cat([self(piece) for piece in rows]).unflatten(0, observation.shape[:2])

    def step(
        self, observation: Tensor, state: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Return outputs `[N, A · size]` of observations `[N, *]`, and the state as it was."""
        return self(observation), state


class RecurrentQNetwork(nn.Module):
    """Encoder, memory and head: DRQN (Hausknecht & Stone, 2015).

    Args:
        body: observations `[B, *]` to features `[B, D]`.
        memory: features to features, over time.
        head: of the memory's features, to outputs `[..., A · size]`.
        burn_in: rows of a history that only bring the state up to date, without a gradient
            (Kapturowski et al., 2019).
    """

    def __init__(self, body: nn.Module, memory: LSTM | GRU, head: nn.Module, burn_in: int) -> None:
        super().__init__()
        self.body, self.memory, self.head, self.burn_in = body, memory, head, burn_in

    def forward(self, history: History) -> Tensor:
        """Return outputs `[T, B, A · size]` for the observations that one minibatch means."""
        state, begin = history.state, self.burn_in
        if begin:
            with torch.no_grad():
                early = history.observation[:begin], state, history.starts[:begin]
                _, state = self._remember(*early)
        late = history.observation[begin:], state, history.starts[begin:]
        features, _ = self._remember(*late)  # [L - burn-in, B, H]
        row = history.row.unsqueeze(-1).expand(-1, -1, features.shape[-1])  # [T, B, H]
        return self.head(features.gather(0, row))

    def minibatches(self, history: History) -> Tensor:
        """Evaluate K minibatches, one after the other: `[K, T, B, A · size]`."""
        return torch.stack([self(each) for each in history])

    def step(
        self, observation: Tensor, state: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return outputs `[N, A · size]` of observations `[N, *]`, and the state after them.

        Args:
            observation: `[N, *]`.
            state: before them, `[S, layers, N, H]`; None is 0.
            starts: bool `[N]`, where an episode begins.
        """
        starts = None if starts is None else starts[None]
        features, state = self._remember(observation[None], state, starts)
        return self.head(features[0]), state

    def _remember(
        self, observation: Tensor, state: Tensor | None, starts: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run body and memory over `[T, B, *]`: features `[T, B, H]`, and the state after them."""
        features = self.body(observation.flatten(0, 1)).unflatten(0, observation.shape[:2])
        return remember(self.memory, features, state, starts)


class FastQNetwork(FastNetwork[QNetwork | RecurrentQNetwork]):
    """A Q-network as it learns from minibatches and acts on arrays.

    Args:
        module: on its device.
        returns: what its outputs mean.
    """

    def __init__(self, module: QNetwork | RecurrentQNetwork, returns: ReturnModel) -> None:
        self._learner, self._returns = backprop(module), returns
        super().__init__(module, self._learner.weights)
        self._numpy = numpy_forward(module)
        self._part = slice(None)  # of a minibatch's rows, this process's

    def forward(self, observation: Any) -> Tensor:
        """Return outputs `[B, A · size]` of one minibatch; of a `History` `[T, B, A · size]`."""
        if self.team.size == 1:
            return self._learner.forward(observation)
        past = observation if isinstance(observation, History) else None
        rows = len(observation) if past is None else past.row.shape[1]
        part = self._part = self.team.part(rows)
        mine: Any = observation[part] if past is None else past.columns(part)
        outputs = self._learner.forward(mine)  # [..., B / P, A · size]
        return self.team.joined(outputs.movedim(-2, 0), rows).movedim(0, -2)

    def backward(self, slope: Tensor) -> None:
        """Set the gradient of `weights`, given dL/d(outputs) of the last `forward`."""
        if self.team.size > 1:
            slope = slope[..., self._part, :]
        self._learner.backward(slope)
        self.team.total_(self.weights.grad)  # type: ignore[arg-type]

    def values(
        self, observation: Array, state: Tensor | None, start: Array | None, *, noise: bool
    ) -> tuple[Array, Tensor | None]:
        """Return action values `[N, A]` of observations `[N, *]`, and the memory's next state.

        Args:
            observation: `[N, *]`.
            state: of the memory before them, `[S, layers, N, H]`; None is 0.
            start: bool `[N]`, where an episode begins.
            noise: whether noisy layers draw; else they take their means.
        """
        if self._numpy is not None:  # plain MLPs have neither noise nor a memory
            return self._returns.array_values(self._numpy(observation)), state
        starts = None if state is None or start is None else self.tensor(start)
        with nullcontext() if noise else evaluation_mode(self.module), torch.inference_mode():
            outputs, state = self.module.step(self.tensor(observation), state, starts)
            return self._returns.values(outputs).cpu().numpy(), state
