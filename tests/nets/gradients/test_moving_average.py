import numpy as np
import pytest
import torch
from torch import nn

from nets.gradients.averaging import ExponentialAverage, moving_average


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


@pytest.mark.parametrize(("warmup", "decay"), [(False, 0.9), (True, 6 / 15)])
def test_the_average_of_a_module_follows_parameters_and_statistics_and_copies_counts(warmup, decay):
    """Warming up, the sixth update weighs the past by 6/15."""
    module = nn.BatchNorm1d(2)
    average = ExponentialAverage(module, 0.9, warmup=warmup)
    nn.init.constant_(module.weight, 3.0)  # from 1
    module.running_mean.fill_(2.0)  # from 0
    module.num_batches_tracked.fill_(7)
    average.update(5)
    assert average.module.weight.tolist() == pytest.approx([3.0 - 2.0 * decay] * 2)
    assert average.module.running_mean.tolist() == pytest.approx([2.0 - 2.0 * decay] * 2)
    assert average.module.num_batches_tracked == 7
