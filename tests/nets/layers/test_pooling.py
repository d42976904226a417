"""Pooling layers against NumPy, SciPy and torch."""

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from nets.layers.pooling import POOLS, GlobalMeanPool2d, LpPool2d, MedianPool2d, MixedPool2d, pool2d


@pytest.fixture
def image():
    return torch.randn(2, 3, 7, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def windows(x, k, s):
    """Every window of every channel, by loops: `[B, C, H', W', k·k]`."""
    b, c, h, w = x.shape
    rows, columns = (h - k) // s + 1, (w - k) // s + 1
    out = np.empty((b, c, rows, columns, k * k))
    for i in range(rows):
        for j in range(columns):
            out[:, :, i, j] = x[:, :, i * s : i * s + k, j * s : j * s + k].reshape(b, c, -1)
    return out


@pytest.mark.parametrize(("k", "s"), [(2, None), (3, 2), (3, 1)])
def test_N_POOL_01_max_and_where_its_gradient_goes(image, k, s):
    x = image.clone().requires_grad_()
    y = pool2d("max", k, s)(x)
    np.testing.assert_array_equal(y.detach(), windows(image.numpy(), k, s or k).max(-1))
    y[0, 0, 0, 0].backward()
    window = image[0, 0, :k, :k]
    expected = torch.zeros_like(image)
    expected[0, 0, window.argmax() // k, window.argmax() % k] = 1.0
    torch.testing.assert_close(x.grad, expected)


def test_N_POOL_01_borders_of_max_count_for_nothing():
    x = -torch.ones(1, 1, 3, 3)  # zeros around it would win
    assert (pool2d("max", 3, 2, padding=1)(x) == -1.0).all()


def test_N_POOL_02_borders_of_the_mean_count_for_nothing(image):
    np.testing.assert_allclose(
        pool2d("mean", 3, 2)(image), windows(image.numpy(), 3, 2).mean(-1), rtol=1e-12
    )
    assert (pool2d("average", 3, 2, padding=1)(torch.ones(1, 1, 5, 5)) == 1.0).all()


def test_N_POOL_03_stochastic_draws_in_proportion_and_averages_in_evaluation():
    torch.manual_seed(0)
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    pool = pool2d("stochastic", 2)
    draws = pool(x.expand(200_000, 1, 2, 2)).flatten()
    counts = torch.bincount(draws.long(), minlength=5)[1:] / len(draws)
    np.testing.assert_allclose(counts, np.array([1, 2, 3, 4]) / 10, atol=4 * 0.5 / 200_000**0.5)
    assert pool.eval()(x[None, None]).item() == pytest.approx(30 / 10)  # Σ a² / Σ a


def test_N_POOL_03_a_window_of_zeros_gives_0_and_negative_activations_an_error():
    pool, x = pool2d("stochastic", 2), torch.zeros(1, 1, 2, 2, requires_grad=True)
    for training in (True, False):
        y = pool.train(training)(x)
        assert y.item() == 0.0
        (gradient,) = torch.autograd.grad(y.sum(), x)
        assert gradient.isfinite().all()
    with pytest.raises(ValueError, match=r"got -2: put it behind a ReLU"):
        pool(torch.tensor([[[[1.0, -2.0], [0.0, 1.0]]]]))


def test_N_POOL_03_the_gradient_goes_to_what_was_drawn():
    torch.manual_seed(1)
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], requires_grad=True)
    y = pool2d("stochastic", 2)(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad, (x.detach() == y.item()).float())


@pytest.mark.parametrize(("k", "s"), [(2, None), (3, 2), (4, 1)])
def test_N_POOL_04_median_is_numpys(image, k, s):
    expected = np.median(windows(image.numpy(), k, s or k), axis=-1)
    np.testing.assert_allclose(MedianPool2d(k, s)(image), expected, rtol=1e-15)
    assert MedianPool2d(2)(torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).item() == 2.5


def test_N_POOL_04_odd_windows_equal_scipys_filter(image):
    expected = ndimage.median_filter(image[0, 0].numpy(), size=3)[1:-1, 1:-1]
    np.testing.assert_array_equal(MedianPool2d(3, 1)(image)[0, 0], expected)


def test_N_POOL_05_mixed_lies_between_max_and_mean(image):
    most, mean = pool2d("max", 3, 2)(image), pool2d("mean", 3, 2)(image)
    torch.testing.assert_close(MixedPool2d(3, 2, 1.0)(image), most)
    torch.testing.assert_close(MixedPool2d(3, 2, 0.0)(image), mean)
    torch.testing.assert_close(MixedPool2d(3, 2, 0.25)(image), 0.25 * most + 0.75 * mean)


def test_N_POOL_05_the_weight_can_be_learned_or_drawn(image):
    most, mean = pool2d("max", 2)(image), pool2d("mean", 2)(image)
    learned = MixedPool2d(2, weight="learned").double()
    y = learned(image)
    torch.testing.assert_close(y, 0.5 * (most + mean))
    y.sum().backward()
    assert learned.logit.grad.item() == pytest.approx(0.25 * (most - mean).sum().item())
    torch.manual_seed(0)
    drawn = MixedPool2d(2, weight="random")
    kinds = {int(torch.equal(drawn(image), most)) for _ in range(20)}
    assert kinds == {0, 1}
    torch.testing.assert_close(drawn.eval()(image), 0.5 * (most + mean))


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, 7.0])
def test_N_POOL_06_p_norm_keeps_the_absolute_value(image, p):
    expected = (np.abs(windows(image.numpy(), 3, 2)) ** p).sum(-1) ** (1 / p)
    y = LpPool2d(3, 2, p)(image)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    theirs = nn.LPPool2d(p, 3, 2)(image)
    if p == 2.0:
        torch.testing.assert_close(y, theirs, rtol=1e-14, atol=0.0)
    elif p == 3.0:
        assert theirs.isnan().any()


def test_N_POOL_06_large_p_is_nearly_the_maximum_and_infinite_p_is():
    x = 50.0 * torch.randn(1, 1, 6, 6, generator=torch.Generator().manual_seed(3))
    largest = pool2d("max", 3)(x.abs())
    torch.testing.assert_close(LpPool2d(3, p=64.0)(x), largest, rtol=9 ** (1 / 64) - 1, atol=0.0)
    assert (LpPool2d(3, p=64.0)(x) >= largest * (1 - 1e-6)).all()
    torch.testing.assert_close(LpPool2d(3, p=float("inf"))(x), largest)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_N_POOL_06_gradients_are_right_and_finite_at_zero(image, p):
    x = image[:1, :1].clone().requires_grad_()
    assert torch.autograd.gradcheck(LpPool2d(3, 2, p), (x,))
    zeros = torch.zeros(1, 1, 2, 2, requires_grad=True)
    y = LpPool2d(2, p=p)(zeros)
    y.sum().backward()
    assert y.item() == 0.0
    assert (zeros.grad == 0.0).all()


def test_N_POOL_07_global_mean_is_the_mean_of_each_channel(image):
    torch.testing.assert_close(GlobalMeanPool2d()(image), image.mean((2, 3)))


def test_N_POOL_08_max_forgets_where_in_its_window_a_thing_is():
    still, moved = torch.zeros(2, 1, 1, 8, 8)
    still[..., 2, 2], moved[..., 3, 3] = 1.0, 1.0
    assert torch.equal(pool2d("max")(still), pool2d("max")(moved))
    moved = torch.zeros_like(still)
    moved[..., 4, 4] = 1.0
    assert not torch.equal(pool2d("max")(still), pool2d("max")(moved))


@pytest.mark.parametrize("name", POOLS)
def test_every_pooling_stands_in_a_convolutional_network(name):
    from nets.layers.conv import CNN

    network = CNN((3, 16, 16), [4, 8], 3, 1, pool=name, out_features=5)
    assert network(torch.rand(2, 3, 16, 16)).shape == (2, 5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pool2d("medan"), "did you mean 'median'"),
        (lambda: pool2d("lp", 2, p=0.5), "p must be at least 1, got 0.5"),
        (lambda: pool2d("mixed", 2, weight=1.5), r"weight must be in \[0, 1\], got 1.5"),
        (lambda: pool2d("mixed", 2, weight="often"), "'learned' or 'random', got 'often'"),
        (lambda: pool2d("median", 0), "kernel_size must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
