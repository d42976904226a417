"""Which policies the compiled update takes."""

import torch
from torch import nn

from ..actions import GaussianActions
from ..actor_critic import ActorCritic
from ..discrete import CategoricalActions

LAYERS = (nn.Linear, nn.Tanh, nn.ReLU)


def unfit(network: ActorCritic) -> str:
    """Return why the compiled update cannot take a network; nothing where it can."""
    parameter = next(network.parameters())
    if parameter.device.type != "cpu":
        return f"on {parameter.device}, not the CPU"
    if parameter.dtype != torch.float32:
        return f"for weights of {parameter.dtype}, not float32"
    if network.memory is not None:
        return "with a memory"
    if list(network.body.children()):
        return "behind an encoder"
    if not isinstance(network.actions, CategoricalActions | GaussianActions):
        return "for actions that are neither Discrete nor a Box"
    for module in (*network.actor.children(), *network.critic.children()):
        if type(module) not in LAYERS:
            return f"with {type(module).__name__} in its networks: tanh and relu are compiled"
    return ""
