import math

import pytest
import torch
from schedule_rates import walk

from nets.gradients.schedules import SCHEDULES, schedule


def rates(name, epochs, *, lr=0.2, **arguments):
    """The learning rate of every epoch, from 0 on."""
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    return walk(opt, schedule(name, opt, **arguments), epochs)


def test_N_SCH_01_inverse_time_keeps_the_first_rate():
    assert rates("inverse_time", 20, rate=0.5) == pytest.approx(
        [0.2 / (1 + 0.5 * e) for e in range(20)]
    )


def test_N_SCH_02_linear_falls_to_a_last_share():
    found = rates("linear", 103, steps=100)
    assert found[:100] == pytest.approx([0.2 * (100 - e) / 100 for e in range(100)])
    assert found[99] == pytest.approx(0.2 / 100)
    assert found[100:] == pytest.approx([0.0] * 3, abs=1e-15)


def test_N_SCH_03_steps_fall_where_they_are_told_to():
    assert rates("step", 9, every=3, factor=0.5) == pytest.approx(
        [0.2] * 3 + [0.1] * 3 + [0.05] * 3
    )
    assert rates("milestones", 6, at=[1, 4], factor=0.1) == pytest.approx(
        [0.2] + [0.02] * 3 + [0.002] * 2
    )
    assert rates("function", 4, factor=lambda e: 1.0 if e < 2 else 0.25) == pytest.approx(
        [0.2, 0.2, 0.05, 0.05]
    )


def test_N_SCH_04_exponential_cosine_and_warm_up():
    assert rates("exponential", 5, factor=0.9) == pytest.approx([0.2 * 0.9**e for e in range(5)])
    cosine = [0.02 + 0.09 * (1 + math.cos(math.pi * e / 8)) for e in range(9)]
    assert rates("cosine", 9, steps=8, low=0.02) == pytest.approx(cosine)
    warm = rates("exponential", 8, warmup=3, factor=0.5)
    assert warm == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.1, 0.05, 0.025, 0.0125])


def test_N_SCH_05_a_plateau_lowers_the_rate():
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    scheduler = schedule("plateau", opt, factor=0.5, patience=1)
    seen = []
    for loss in (1.0, 0.9, 0.9, 0.9, 0.9, 0.9):
        scheduler.step(loss)
        seen.append(opt.param_groups[0]["lr"])
    assert seen == pytest.approx([0.2, 0.2, 0.2, 0.1, 0.1, 0.05])


def test_unknown_names_are_corrected_and_a_plateau_has_no_warm_up():
    opt = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    with pytest.raises(ValueError, match="did you mean 'cosine'"):
        schedule("cosin", opt)
    with pytest.raises(ValueError, match="no place after a warm-up"):
        schedule("plateau", opt, warmup=2)
    with pytest.raises(TypeError, match="every"):
        schedule("step", opt)
    assert len(SCHEDULES) == 8
