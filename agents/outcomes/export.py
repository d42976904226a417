"""A trained policy as one torch program: observations in, greedy actions out, nothing else needed.

Normalisation goes before the network, scaling and bounds after it, so that the program speaks the
environment's own units.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import singledispatch
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.export import Dim

from nets.arguments import checked
from nets.layers.precision import set_convolutions
from nets.layers.recurrent import GRU, LSTM
from nets.runs.program import Program, described

from ..agent import Agent
from ..dqn.agent import DQN
from ..dqn.build import build_return_model
from ..dqn.networks import RecurrentQNetwork
from ..environments.masks import choices
from ..environments.parts import COMPOSITES, parts, row_space
from ..imitation.agent import BehaviourCloning
from ..policy_gradient.agent import PolicyGradient
from ..policy_gradient.discrete import CategoricalActions
from ..tabular.agent import Tabular
from ..tabular.planners import Planner
from .policy_modules import (
    ActorStep,
    Lookup,
    MaskedLookup,
    MostProbable,
    MostValuable,
    Normalize,
    Policy,
    QStep,
    RecurrentPolicy,
    StableBaselines,
    Stateless,
    initial_state,
)

if TYPE_CHECKING:
    from ..sb3.agent import SB3Agent

ROWS = 3  # of the batch that is traced; a batch of 1 would be taken for a constant
BATCH_AXIS = {"observation": 0, "state": 2, "episode_start": 0, "action_mask": 0, "action": 0}


@checked
def export_policy(agent: Agent) -> Program:
    """Export the greedy policy of an agent, for the CPU and batches of any size N.

    Without a memory the program maps `observation` `[N, *observation]` to `action` `[N, *action]`;
    with one, `observation`, `state` and `episode_start` (bool `[N]`) to `action` and the next
    `state`. Of an agent that masks actions it takes one input more, the last: `action_mask`, bool
    `[N, A]`.

    Observations of several parts are rows `[N, D]`; `columns` says where each part is.

    Raises:
        TypeError: the agent, or its spaces, are of a kind that cannot be exported.
    """
    module = policy_module(agent).eval().requires_grad_(False)
    module.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    set_convolutions(module, None)  # any processor multiplies float32 well
    inputs = {"observation": _zeros(agent.observation_space)}
    memory = next((part for part in module.modules() if isinstance(part, LSTM | GRU)), None)
    if memory is not None:
        inputs["state"] = initial_state(memory, ROWS)
        inputs["episode_start"] = torch.ones(ROWS, dtype=torch.bool)
    if agent.masks:
        size = sum(choices(agent.action_space))
        inputs["action_mask"] = torch.ones(ROWS, size, dtype=torch.bool)
    batch = Dim("N", min=1)
    shapes = {name: {BATCH_AXIS[name]: batch} for name in inputs}
    with torch.no_grad(), _unchecked_distributions():
        exported = torch.export.export(module, tuple(inputs.values()), dynamic_shapes=shapes)
        results = module(*inputs.values())
    for node in exported.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    outputs = (
        dict(zip(("action", "state"), results, strict=True))
        if memory is not None
        else {"action": results}
    )
    about = {
        "algorithm": agent.name,
        "steps": agent.steps,
        "env": agent.source.describe(),
        "observation_space": str(agent.observation_space),
        "action_space": str(agent.action_space),
        "inputs": [described(name, value, BATCH_AXIS[name]) for name, value in inputs.items()],
        "outputs": [described(name, value, BATCH_AXIS[name]) for name, value in outputs.items()],
        "columns": _columns(agent.observation_space),
        "versions": {"dreamgym": version("dreamgym"), "torch": torch.__version__},
    }
    return Program(exported, about)


@singledispatch
def policy_module(agent: Agent) -> nn.Module:
    """Return the greedy policy of `agent` as a module that shares nothing with it.

    Raises:
        TypeError: the agent, or its actions, are of a kind that cannot be exported.
    """
    if agent.name.startswith("sb3-"):
        return _stable_baselines(agent)  # type: ignore[arg-type]
    raise TypeError(f"{agent.name} cannot be exported: nobody wrote its policy as a torch module")


@policy_module.register
def _(agent: PolicyGradient) -> nn.Module:
    norm, network = agent.observation_norm, deepcopy(agent.network.module)
    return (Policy if network.memory is None else RecurrentPolicy)(
        nn.Identity() if norm is None else Normalize(norm),
        ActorStep(network),
        MostProbable(deepcopy(agent.actions)),
    )


@policy_module.register
def _(agent: DQN) -> nn.Module:
    first = int(getattr(agent.action_space, "start", 0))
    choose = MostValuable(build_return_model(agent.config, torch.device("cpu")), first)
    kind = RecurrentPolicy if isinstance(agent.online.module, RecurrentQNetwork) else Policy
    return kind(nn.Identity(), QStep(deepcopy(agent.online.module)), choose)


@policy_module.register
def _(agent: BehaviourCloning) -> nn.Module:
    choose = MostProbable(CategoricalActions(agent.action_space))
    return Policy(nn.Identity(), Stateless(deepcopy(agent.network)), choose)


@policy_module.register(Tabular)
@policy_module.register(Planner)
def _(agent: Tabular | Planner) -> nn.Module:
    if not isinstance(agent.action_space, gym.spaces.Discrete):
        raise TypeError(f"{agent.name} acts in {agent.action_space}: expected Discrete")
    start, index = int(agent.action_space.start), (agent.states.strides, agent.states.offset)
    if agent.masks:
        return MaskedLookup(Lookup(torch.tensor(agent.q), *index), start)
    return Lookup(torch.tensor(agent.policy) + start, *index)


def _stable_baselines(agent: "SB3Agent") -> nn.Module:
    policy = agent.model.policy
    acting = getattr(policy, "actor", None) or getattr(policy, "q_net", None) or policy
    return StableBaselines(deepcopy(acting), agent.observation_space, agent.action_space)


@contextmanager
def _unchecked_distributions() -> Iterator[None]:
    """Leave the checks of arguments, which ask for numbers, out of the program."""
    before = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        Distribution.set_default_validate_args(before)


def _zeros(space: gym.Space) -> Tensor:
    """Return observations of the space's type and shape, `[ROWS, *observation]`."""
    space = row_space(space)
    return torch.from_numpy(np.zeros((ROWS, *(space.shape or ())), space.dtype))


def _columns(space: gym.Space) -> list[dict[str, Any]]:
    """Return which columns of a row the parts of an observation have, where it has parts."""
    if not isinstance(space, COMPOSITES):
        return []
    places = [(part.label, part.columns) for part in parts(space)]
    return [{"part": label, "first": c.start, "end": c.stop} for label, c in places]
