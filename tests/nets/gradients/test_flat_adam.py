import copy

import torch
from torch import nn

from nets.gradients.flat_adam import FlatAdam
from nets.gradients.optim import set_rate


def beside(seed=0):
    """Return a vector under each of the two optimisers, both at the same place."""
    weights = nn.Parameter(torch.randn(50, generator=torch.Generator().manual_seed(seed)))
    weights.grad = torch.zeros(50)
    ours = FlatAdam(weights, lr=0.1, eps=1e-5)
    twin = nn.Parameter(weights.detach().clone())
    twin.grad = torch.zeros(50)
    return ours, torch.optim.Adam([twin], lr=0.1, eps=1e-5, fused=True)


def vector(optimizer):
    return optimizer.param_groups[0]["params"][0]


def step(optimizers, times, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(times):
        gradient = torch.randn(50, generator=generator)
        for optimizer in optimizers:
            vector(optimizer).grad.copy_(gradient)
            optimizer.step()


def test_steps_are_torchs_to_the_last_bit():
    ours, torchs = beside()
    step([ours, torchs], 10)
    for optimizer in (ours, torchs):
        set_rate(optimizer, 0.02)
    step([ours, torchs], 10, seed=1)
    assert torch.equal(vector(ours), vector(torchs))


def test_either_goes_on_from_what_the_other_kept():
    ours, torchs = beside()
    step([ours], 5)
    torchs.load_state_dict(copy.deepcopy(ours.state_dict()))
    vector(torchs).data.copy_(vector(ours).data)
    step([ours, torchs], 5, seed=1)
    ours.load_state_dict(copy.deepcopy(torchs.state_dict()))
    step([ours, torchs], 5, seed=2)
    assert torch.equal(vector(ours), vector(torchs))


def test_a_copy_steps_its_own_weights():
    ours, _ = beside()
    step([ours], 3)
    twin = copy.deepcopy(ours)
    vector(twin).grad = torch.zeros(50)
    before = vector(ours).detach().clone()
    step([twin], 3, seed=1)
    assert torch.equal(vector(ours), before)
    assert not torch.equal(vector(twin), before)
