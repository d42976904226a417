"""What the compiled update is told of an agent's networks, optimiser and rollouts."""

from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from nets.gradients.flat_adam import FlatAdam

from ...loop.experience import Array, Metrics
from ..actions import GaussianActions
from ..actor_critic import FastActorCritic
from ..rollout import Rollout
from .acting import draw_of, outputs_of
from .chain import BLOCK, RELU, TANH, Chain
from .compiling import VERSION
from .products import SIZES
from .records import COLUMNS, Descent, Networks, Program, Rows

ACTIVATIONS: dict[type, int] = {nn.Tanh: TANH, nn.ReLU: RELU}
outputs, draw = outputs_of(VERSION), draw_of(VERSION)
STEPS = 32  # whose random numbers are drawn at a time
LINE = 16  # float32 numbers of a line of the processor's cache


class Memory:
    """One array, part by part: what a block of rows leaves behind in the processor's cache."""

    size = 0

    def take(self, columns: int) -> int:
        """Return where the part of some columns begins."""
        begin, self.size = self.size, self.size + columns * BLOCK
        return begin


class FusedUpdate:
    """An update by compiled code, on the agent's own weights and the optimiser's own moments.

    Args:
        network: for which `unfit` has nothing to say.
        optimizer: of its weights.
        program: the algorithm's.
    """

    def __init__(self, network: FastActorCritic, optimizer: FlatAdam, program: Program) -> None:
        self.network, self.optimizer, self.program = network, optimizer, program
        memory, module = Memory(), network.module
        given = memory.take(module.actor.in_features)
        chains = (
            _chain(each, network.weights, given, memory) for each in (module.actor, module.critic)
        )
        self._actor, self._critic = chains
        self._gaussian = isinstance(module.actions, GaussianActions)
        self._actions = actions = module.actions.size
        self._log_std = (
            _place(cast(Tensor, module.actions.log_std), network.weights) if self._gaussian else 0
        )
        self._memory, self._sizes = _aligned(memory.size), np.zeros(SIZES, np.int32)
        self._weights: Array = network.weights.detach().numpy()
        room = self._weights, self._memory, self._sizes
        self._acting, self._judging = (_in_one(self._actor), *room), (_in_one(self._critic), *room)
        self._state: dict[str, Tensor] = {}  # Adam's, of which `_net` has arrays
        self._noise: list[Array] = []
        self._noise_of: np.random.Generator | None = None
        self._workspace: dict[str, Array] = {
            "memory": self._memory,
            "columns": np.zeros(COLUMNS * BLOCK, np.float32),
            "choice": np.zeros((actions if self._gaussian else 1, BLOCK), np.float32),
            "probability": np.zeros((actions, BLOCK), np.float32),
            "sizes": self._sizes,
        }

    def policy(self, observation: Array) -> Array:
        """Return the policy's outputs `[N, size]` for observations `[N, in]`."""
        out = np.empty((len(observation), self._actions), np.float32)
        outputs(*self._acting, observation, out)
        return out

    def draw(self, observation: Array, rng: np.random.Generator) -> Array:
        """Draw choices `[N, *]` for observations `[N, in]`, as the model of the actions does."""
        if self._gaussian:
            return self.network.module.actions.sample(self.policy(observation), rng)
        noise = self._gumbel(len(observation), rng)
        choice = np.empty(len(observation), np.int64)
        draw(*self._acting, observation, noise, choice)
        return choice

    def value(self, observation: Array) -> Array:
        """Return v(s) `[N]` for observations `[N, in]`."""
        out = np.empty((len(observation), 1), np.float32)
        outputs(*self._judging, observation, out)
        return out[:, 0]

    def _gumbel(self, count: int, rng: np.random.Generator) -> Array:
        """Return Gumbel's numbers `[count, A]`, drawn for many steps at a time."""
        noise = self._noise.pop() if self._noise and self._noise_of is rng else None
        if noise is None or len(noise) != count:
            drawn = rng.gumbel(size=(STEPS, count, self._actions))
            self._noise, self._noise_of = [*drawn[::-1]], rng
            noise = self._noise.pop()
        return noise

    def __call__(
        self, rollout: Rollout, *orders: Array, max_grad_norm: float, **settings: Any
    ) -> Metrics:
        """Learn from a rollout.

        Args:
            rollout: without masks.
            *orders: where the algorithm has some, rows as each epoch takes them, or all, int64
                `[epochs or 1, T · B]`.
            max_grad_norm: the largest norm of a gradient.
            **settings: the algorithm's.
        """
        update, kind, names = self.program
        state, group = self.optimizer.moments(), self.optimizer.param_groups[0]
        if state is not self._state:  # that of a checkpoint is another
            self._state, self._net = state, self._networks(state)
            self._steps = state["step"].numpy()
        beta1, beta2 = group["betas"]
        descent = Descent(
            max_grad_norm=np.float32(max_grad_norm),
            learning_rate=float(group["lr"]),
            beta1=beta1,
            beta2=beta2,
            epsilon=np.float32(group["eps"]),
            steps=int(self._steps),
        )
        metrics = np.zeros(len(names))
        told = descent, _typed(kind, settings), metrics
        self._steps += update(self._net, _rows(rollout), *told, *orders)
        return dict(zip(names, metrics.tolist(), strict=True))

    def _networks(self, state: dict[str, Tensor]) -> Networks:
        weights: Any = self.network.weights
        return Networks(
            actor=self._actor,
            critic=self._critic,
            gaussian=self._gaussian,
            log_std=self._log_std,
            weights=self._weights,
            gradient=weights.grad.numpy(),
            mean=state["exp_avg"].numpy(),
            square=state["exp_avg_sq"].numpy(),
            **self._workspace,
        )


def _aligned(count: int) -> Array:
    """Return zeros `[count]` that begin where a line of the processor's cache does."""
    longer = np.zeros(count + LINE, np.float32)
    begin = -(longer.ctypes.data // longer.itemsize) % LINE
    return longer[begin : begin + count]


def _typed(kind: type, settings: dict[str, Any]) -> Any:
    """Return numbers as a record of what an update was compiled for."""
    kinds = kind.__annotations__
    return kind(**{name: kinds[name](value) for name, value in settings.items()})


def _rows(rollout: Rollout) -> Rows:
    """Return a rollout of arrays, or of tensors, as the compiled update reads it."""
    reward, weight = np.asarray(rollout.reward), np.asarray(rollout.weight)
    count = reward.size
    log_prob, value, advantage, target = np.empty((4, count), np.float32)
    return Rows(
        observation=np.asarray(rollout.observation).reshape(count, -1),
        choice=np.asarray(rollout.choice).reshape(count, -1).astype(np.float32),
        reward=reward,
        discount=np.asarray(rollout.discount),
        goes_on=np.asarray(rollout.goes_on),
        bootstrap=np.asarray(rollout.bootstrap),
        weight=weight.reshape(-1),
        log_prob=log_prob,
        value=value,
        advantage=advantage,
        target=target,
    )


def _chain(mlp: nn.Module, weights: nn.Parameter, given: int, memory: Memory) -> Chain:
    """Return where the parts of an MLP lie, with room for what a block leaves in it."""
    modules = list(mlp.children())
    layers = [module for module in modules if isinstance(module, nn.Linear)]
    activations = [ACTIVATIONS[type(m)] for m in modules if not isinstance(m, nn.Linear)]
    sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
    outputs = [given, *(memory.take(size) for size in sizes[1:])]
    turns = [memory.take(max(sizes)) for _ in range(2)]
    places = {
        "size": sizes,
        "weight": [_place(layer.weight, weights) for layer in layers],
        "bias": [_place(layer.bias, weights) for layer in layers],
        "activation": activations,
        "output": outputs,
        "slope": [turns[k % 2] for k in range(len(layers))],
    }
    return Chain(**{name: np.array(each, np.int64) for name, each in places.items()})


def _in_one(chain: Chain) -> Array:
    """Return the parts of a chain as rows of one array, which is passed on faster than six."""
    places = np.zeros((len(chain), len(chain.size)), np.int64)
    for row, each in zip(places, chain, strict=True):
        row[: len(each)] = each
    return places


def _place(part: Tensor, whole: Tensor) -> int:
    """Return at which index of the vector of all weights a parameter begins."""
    return (part.data_ptr() - whole.data_ptr()) // whole.element_size()
