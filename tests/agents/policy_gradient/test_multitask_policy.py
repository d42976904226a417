"""Several tasks on one trunk, where agents need it: what to do, and what it is worth."""

import gymnasium as gym
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import envs  # noqa: F401  registers the worlds
from agents.tabular.dynamic_programming import policy_evaluation, value_iteration
from agents.tabular.model import Model
from nets import MLP, optimizer
from nets.networks.multitask import MultiTask, multitask_loss
from nets.process.seeding import seeded
from nets.supervised.fit import FitConfig, fit, predict

DISCOUNT = 0.95
UNKNOWN = 99.0  # stands where a value is not known


def test_S_MTL_01_one_trunk_learns_a_policy_and_half_told_values():
    """An optimal policy of the cliff's 48 states, and the values of every other one."""
    model = Model.from_env(gym.make("dreamgym/Cliff-v0"))
    best = value_iteration(model, DISCOUNT)
    states = np.arange(model.num_states)
    told = torch.from_numpy(states % 2 == 0)
    place = np.stack([states // 12, states % 12], axis=1) / [3, 11]
    x = torch.from_numpy(2.0 * place - 1.0).float()  # [48, 2]
    value = torch.from_numpy(best.values).float()
    targets = torch.stack(
        [torch.from_numpy(best.policy).float(), value.where(told, UNKNOWN), told.float()], dim=1
    )  # [48, 3]

    def loss(outputs, targets):
        action, value, told = targets.unbind(1)
        losses = {
            "policy": F.cross_entropy(outputs["policy"], action.long(), reduction="none"),
            "value": (outputs["value"][:, 0] - value).square(),
        }
        return multitask_loss(losses, weights={"value": 0.05}, labelled={"value": told.bool()})

    with seeded(0):
        heads = {"policy": nn.Linear(64, 4), "value": nn.Linear(64, 1)}
        network = MultiTask(MLP(2, [64, 64], activation="tanh"), heads)
    fit(network, (x, targets), loss=loss, optimizer=optimizer("adam", network, lr=0.01),
        config=FitConfig(epochs=400, batch_size=len(x)))  # fmt: skip
    found = predict(network, x)
    policy = found["policy"].argmax(1).numpy()
    achieved = policy_evaluation(model, policy, DISCOUNT)
    np.testing.assert_allclose(achieved, best.values, atol=1e-6)  # optimal from everywhere
    error = (found["value"][:, 0] - value).abs()
    assert error[told].max() < 0.5  # values go down to -9
    assert error[~told].mean() < 1.0  # of states whose values nobody told
    assert error[~told].mean() < 0.3 * (value - value.mean()).abs().mean()
