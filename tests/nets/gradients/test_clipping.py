"""Clipping of gradients: by hand, against torch's own, and what it refuses."""

import numpy as np
import pytest
import torch
from torch import nn

from nets import MLP, clip_grads
from nets.process.seeding import seeded


def with_grads(*grads):
    parameters = [nn.Parameter(torch.zeros(len(g), dtype=torch.float64)) for g in grads]
    for p, g in zip(parameters, grads, strict=True):
        p.grad = torch.tensor(g, dtype=torch.float64)
    return [*parameters, nn.Parameter(torch.zeros(2))]  # the last one has no gradient


def grads(parameters):
    return [p.grad.tolist() for p in parameters if p.grad is not None]


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.5, [[-0.5, 0.45, 0.5]]), ((0.4, 0.6), [[0.4, 0.45, 0.6]]), ((-1.0, 0.2), [[-1, 0.2, 0.2]])],
)
def test_N_GRAD_01_clip_by_value(value, expected):
    parameters = with_grads([-2.0, 0.45, 3.0])
    total = clip_grads(parameters, value=value)
    assert grads(parameters) == expected
    assert total.item() == pytest.approx((4 + 0.45**2 + 9) ** 0.5)


def test_N_GRAD_02_clip_by_norm_of_each_tensor():
    parameters = with_grads([3.0, 4.0], [0.3, 0.4], [0.0, 0.0])
    clip_grads(parameters, norm=1.0)
    np.testing.assert_allclose(grads(parameters), [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]], atol=1e-6)


def test_N_GRAD_03_clip_by_global_norm_keeps_the_direction():
    parameters = with_grads([3.0, 4.0], [12.0])
    assert clip_grads(parameters, global_norm=2.0).item() == 13.0
    first, second = grads(parameters)
    np.testing.assert_allclose([*first, *second], [0.461538, 0.615385, 1.846154], atol=1e-6)
    whole, before = np.array([*first, *second]), np.array([3.0, 4.0, 12.0])
    cosine = whole @ before / np.linalg.norm(whole) / np.linalg.norm(before)
    assert cosine == pytest.approx(1.0, abs=1e-15)
    assert np.linalg.norm(whole) == pytest.approx(2.0)


@pytest.mark.parametrize("excess", [1.001, 1.5, 1.999])
def test_N_GRAD_03_a_gradient_little_above_the_bound_is_clipped_too(excess):
    parameters = with_grads([3.0, 4.0], [12.0])
    clip_grads(parameters, global_norm=13.0 / excess)
    first, second = grads(parameters)
    np.testing.assert_allclose([*first, *second], np.array([3.0, 4.0, 12.0]) / excess)
    parameters = with_grads([3.0, 4.0], [12.0])
    clip_grads(parameters, norm=5.0 / excess)  # of each tensor: 5 and 12
    first, second = grads(parameters)
    np.testing.assert_allclose(first, np.array([3.0, 4.0]) / excess)
    np.testing.assert_allclose(second, [5.0 / excess])


def test_N_GRAD_03_a_small_gradient_is_left_as_it_is():
    parameters = with_grads([3.0, 4.0], [12.0])
    assert clip_grads(parameters, global_norm=13.0).item() == 13.0
    assert grads(parameters) == [[3.0, 4.0], [12.0]]


@pytest.mark.parametrize("limit", [0.01, 1e6])
def test_N_GRAD_03_it_is_torchs_clip_grad_norm(limit):
    with seeded(0):
        ours, theirs = (MLP(3, [8], 2), MLP(3, [8], 2))
        x = torch.randn(16, 3)
    theirs.load_state_dict(ours.state_dict())
    for net in (ours, theirs):
        net(x).square().sum().backward()
    total = clip_grads(ours, global_norm=limit)
    torch.testing.assert_close(total, nn.utils.clip_grad_norm_(theirs.parameters(), limit))
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(
    "rules", [{}, {"value": 1.0, "norm": 1.0}, {"norm": 1.0, "global_norm": 1.0}]
)
def test_exactly_one_clipping_rule_is_needed(rules):
    with pytest.raises(ValueError, match="exactly one"):
        clip_grads(with_grads([1.0]), **rules)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"value": (1.0, 0.0)}, r"low <= high, got \[1.0, 0.0\]"),
        ({"value": -1.0}, "low <= high"),
        ({"norm": -1.0}, "not be negative, got -1.0"),
        ({"global_norm": -1.0}, "not be negative, got -1.0"),
    ],
)
def test_bounds_must_make_sense(rule, message):
    with pytest.raises(ValueError, match=message):
        clip_grads(with_grads([1.0]), **rule)


def test_nothing_to_clip_has_norm_zero():
    assert clip_grads(MLP(2, [2]), global_norm=1.0).item() == 0.0
