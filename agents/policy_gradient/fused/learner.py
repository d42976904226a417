"""What the compiled update is told of an agent's networks, optimiser and rollouts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor, nn

from nets.gradients.flat_adam import FlatAdam

from ...loop.experience import Array, Metrics
from ..actions import GaussianActions
from ..actor_critic import FastActorCritic
from ..rollout import Rollout
from .chain import LINEAR, RELU, TANH, Chain
from .products import SIZES
from .update import BLOCK, COLUMNS, FACTS, METRICS, Networks, Rows, Settings, update

ACTIVATIONS: dict[type, int] = {nn.Linear: LINEAR, nn.Tanh: TANH, nn.ReLU: RELU}


class Memory:
    """One array, part by part: what a block of rows leaves behind in the processor's cache."""

    size = 0

    def take(self, columns: int) -> int:
        """Return where the part of some columns begins."""
        begin, self.size = self.size, self.size + columns * BLOCK
        return begin


class FusedUpdate:
    """PPO's update by compiled code, on the agent's own weights and the optimiser's own moments.

    Args:
        network: for which `unfit` has nothing to say.
        optimizer: of its weights.
    """

    def __init__(self, network: FastActorCritic, optimizer: FlatAdam) -> None:
        self.network, self.optimizer = network, optimizer
        memory, module = Memory(), network.module
        given = memory.take(module.actor.in_features)
        chains = (_chain(each, network.weights, given, memory) for each in (module.actor, module.critic))
        self._actor, self._critic = chains
        self._gaussian = isinstance(module.actions, GaussianActions)
        actions = module.actions.size
        self._log_std = _place(module.actions.log_std, network.weights) if self._gaussian else 0
        self._workspace = (
            np.zeros(memory.size, np.float32),
            np.zeros((COLUMNS, BLOCK), np.float32),
            np.zeros((actions if self._gaussian else 1, BLOCK), np.float32),
            np.zeros((actions, BLOCK), np.float32),
            np.zeros(SIZES, np.int32),
        )

    def __call__(self, rollout: Rollout, orders: Array, **settings: Any) -> Metrics:
        """Learn from a rollout.

        Args:
            rollout: without masks.
            orders: rows as each epoch takes them, int64 `[epochs, T · B]`.
            **settings: those of `Settings` that are not the optimiser's.
        """
        state, group = self.optimizer.moments(), self.optimizer.param_groups[0]
        weights: Any = self.network.weights
        net = Networks(
            self._actor,
            self._critic,
            self._gaussian,
            self._log_std,
            *(each.numpy() for each in (weights.detach(), weights.grad)),
            *(state[name].numpy() for name in ("exp_avg", "exp_avg_sq")),
            *self._workspace,
        )
        beta1, beta2 = group["betas"]
        adam = {"learning_rate": group["lr"], "beta1": beta1, "beta2": beta2}
        adam |= {"epsilon": group["eps"], "steps": int(state["step"])}
        metrics = np.zeros(len(METRICS))
        state["step"] += update(net, _rows(rollout), _typed(adam | settings), orders, metrics)
        return dict(zip(METRICS, metrics.tolist(), strict=True))


def _typed(settings: dict[str, Any]) -> Settings:
    """Return numbers as what the compiled update was compiled for."""
    kinds = Settings.__annotations__
    return Settings(**{name: kinds[name](value) for name, value in settings.items()})


def _rows(rollout: Rollout) -> Rows:
    count = rollout.weight.numel()
    known = np.empty((FACTS, count), np.float32)
    known[0] = rollout.weight.reshape(-1)
    return Rows(
        rollout.observation.reshape(count, -1).numpy(),
        rollout.choice.reshape(count, -1).numpy().astype(np.float32),
        *(
            each.numpy()
            for each in (rollout.reward, rollout.discount, rollout.goes_on, rollout.bootstrap)
        ),
        known,
    )


def _chain(mlp: nn.Module, weights: nn.Parameter, given: int, memory: Memory) -> Chain:
    """Return where the parts of an MLP lie, with room for what a block leaves in it."""
    modules: Sequence[Any] = list(mlp.children())
    layers = [module for module in modules if isinstance(module, nn.Linear)]
    after = [*modules[1:], None]
    activations = [
        ACTIVATIONS.get(type(follows), LINEAR)
        for module, follows in zip(modules, after, strict=True)
        if isinstance(module, nn.Linear)
    ]
    sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
    outputs = [given, *(memory.take(size) for size in sizes[1:])]
    turns = [memory.take(max(sizes)) for _ in range(2)]
    return Chain(
        *(
            np.array(each)
            for each in (
                sizes,
                [_place(layer.weight, weights) for layer in layers],
                [_place(layer.bias, weights) for layer in layers],
                activations,
                outputs,
                [turns[k % 2] for k in range(len(layers))],
            )
        )
    )


def _place(part: Tensor, whole: Tensor) -> int:
    """Return at which index of the vector of all weights a parameter begins."""
    return (part.data_ptr() - whole.data_ptr()) // whole.element_size()
