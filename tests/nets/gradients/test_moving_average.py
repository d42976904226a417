import numpy as np
import pytest
import torch

from nets.gradients.averaging import moving_average


def test_N_OPT_04_a_constant_signal_is_its_own_average_from_the_first_step():
    signal = torch.full((30, 2), 3.5, dtype=torch.float64)
    torch.testing.assert_close(moving_average(signal, 0.9), signal)


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.98])
def test_N_OPT_04_the_average_weighs_the_past_exponentially(decay):
    x = np.random.default_rng(0).normal(size=40)
    found = moving_average(torch.from_numpy(x), decay)
    for t in (1, 2, 17, 40):
        weights = decay ** np.arange(t)[::-1]
        assert found[t - 1].item() == pytest.approx((weights * x[:t]).sum() / weights.sum())
