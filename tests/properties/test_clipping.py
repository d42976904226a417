"""Gradient clipping: within the bound, in the same direction, and untouched where it is small."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from nets.gradients.optim import clip_grads

# beyond 1e18 the square of a float32 overflows; below 1e-18 it is lost
NUMBERS = st.floats(-(2.0**50), 2.0**50, width=32).filter(lambda x: x == 0 or abs(x) > 2.0**-50)
GRADIENTS = st.lists(
    arrays(np.float32, array_shapes(max_dims=2, max_side=4), elements=NUMBERS),
    min_size=1,
    max_size=4,
)
BOUNDS = st.one_of(st.just(0.0), st.floats(2.0**-20, 2.0**20))


def parameters(gradients):
    """Parameters with these gradients, and one that has none."""
    made = [torch.nn.Parameter(torch.zeros(g.shape)) for g in gradients]
    for parameter, gradient in zip(made, gradients, strict=True):
        parameter.grad = torch.from_numpy(gradient.copy())
    return [*made, torch.nn.Parameter(torch.zeros(3))]


def norm(gradients):
    return np.sqrt(sum(np.square(g, dtype=np.float64).sum() for g in gradients))


def check(gradients, clipped, bound):
    """`clipped` is the vector `gradients` cut to `bound`."""
    before, after = norm(gradients), norm(clipped)
    assert after <= bound * (1 + 1e-5)
    if before <= bound * (1 - 1e-5):
        for old, new in zip(gradients, clipped, strict=True):
            np.testing.assert_array_equal(new, old)
    elif before > 0 and bound > 0:
        assert after == pytest.approx(bound, rel=1e-5) or before == pytest.approx(bound, rel=1e-5)
        for old, new in zip(gradients, clipped, strict=True):
            np.testing.assert_allclose(new, old * (after / before), rtol=1e-4, atol=1e-30)


@given(GRADIENTS, BOUNDS)
def test_N_GRAD_03_the_global_norm_is_bounded_and_the_direction_stays(gradients, bound):
    params = parameters(gradients)
    reported = clip_grads(params, global_norm=bound)
    assert reported.item() == pytest.approx(norm(gradients), rel=1e-5)
    assert params[-1].grad is None
    check(gradients, [p.grad.numpy() for p in params[:-1]], bound)


@given(GRADIENTS, BOUNDS)
def test_N_GRAD_02_every_tensor_s_norm_is_bounded_alone(gradients, bound):
    params = parameters(gradients)
    clip_grads(params, norm=bound)
    for gradient, parameter in zip(gradients, params, strict=False):
        check([gradient], [parameter.grad.numpy()], bound)


@given(GRADIENTS, st.tuples(NUMBERS, NUMBERS).map(sorted))
def test_N_GRAD_01_every_element_is_brought_between_the_bounds(gradients, bounds):
    params = parameters(gradients)
    clip_grads(params, value=tuple(bounds))
    for gradient, parameter in zip(gradients, params, strict=False):
        np.testing.assert_array_equal(parameter.grad.numpy(), np.clip(gradient, *bounds))


@given(GRADIENTS, BOUNDS, st.sampled_from(["norm", "global_norm"]))
def test_N_GRAD_03_clipping_twice_is_clipping_once(gradients, bound, rule):
    params = parameters(gradients)
    clip_grads(params, **{rule: bound})
    once = [p.grad.clone() for p in params[:-1]]
    clip_grads(params, **{rule: bound})
    for parameter, first in zip(params, once, strict=False):
        torch.testing.assert_close(parameter.grad, first)
