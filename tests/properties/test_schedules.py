"""Learning rates: within bounds, falling where they should, joined and resumed without a seam."""

import copy
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from schedule_rates import walk

from nets.gradients.annealing import linear
from nets.gradients.schedules import schedule

EPOCHS = 12
FALLING = st.one_of(
    st.tuples(st.just("inverse_time"), st.fixed_dictionaries({"rate": st.floats(0, 10)})),
    st.tuples(st.just("linear"), st.fixed_dictionaries({"steps": st.integers(1, 20)})),
    st.tuples(
        st.just("step"),
        st.fixed_dictionaries({"every": st.integers(1, 9), "factor": st.floats(0.01, 1)}),
    ),
    st.tuples(
        st.just("milestones"),
        st.fixed_dictionaries(
            {
                "at": st.lists(st.integers(1, 20), max_size=4).map(sorted),
                "factor": st.floats(0.01, 1),
            }
        ),
    ),
    st.tuples(st.just("exponential"), st.fixed_dictionaries({"factor": st.floats(0.01, 1)})),
    st.tuples(
        st.just("cosine"),
        st.fixed_dictionaries({"steps": st.integers(EPOCHS, 40), "low": st.floats(0, 0.01)}),
    ),
)
RATES = st.floats(0.01, 10)


def build(kind, lr, warmup):
    name, options = kind
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    return optimizer, schedule(name, optimizer, warmup=warmup, **options)


@given(FALLING, RATES)
def test_N_SCH_01_to_04_rates_start_at_the_first_and_never_rise(kind, lr):
    rates = walk(*build(kind, lr, 0), EPOCHS + 1)
    assert rates[0] == pytest.approx(lr)
    assert min(rates) >= kind[1].get("low", 0.0) - 1e-12
    for before, after in pairwise(rates):
        assert after <= before * (1 + 1e-12)


@given(FALLING, RATES, st.integers(1, 5))
def test_N_SCH_04_a_warm_up_rises_evenly_to_where_the_schedule_begins(kind, lr, warmup):
    warm, plain = (walk(*build(kind, lr, steps), EPOCHS) for steps in (warmup, 0))
    assert warm[:warmup] == pytest.approx([lr * (e + 1) / (warmup + 1) for e in range(warmup)])
    assert warm[warmup:] == pytest.approx(plain[: EPOCHS - warmup], abs=1e-12)


@given(FALLING, RATES, st.integers(0, 4), st.integers(0, EPOCHS))
def test_N_SCH_04_resumed_at_any_epoch_the_rates_are_the_same(kind, lr, warmup, epoch):
    whole = walk(*build(kind, lr, warmup), 2 * EPOCHS)
    optimizer, scheduler = build(kind, lr, warmup)
    first = walk(optimizer, scheduler, epoch)
    saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
    optimizer, scheduler = build(kind, lr, warmup)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    assert first + walk(optimizer, scheduler, 2 * EPOCHS - epoch) == whole


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=30),
    st.integers(0, 4),
    st.floats(0.1, 0.9),
    st.floats(0, 0.05),
)
def test_N_SCH_05_a_plateau_lowers_the_rate_only_after_epochs_without_a_best(
    losses, patience, factor, low
):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.2)
    options = {"factor": factor, "patience": patience, "threshold": 0.0, "min_lr": low}
    scheduler = schedule("plateau", optimizer, **options)
    expected, best, stalled = 0.2, float("inf"), 0
    for loss in losses:
        scheduler.step(loss)
        best, stalled = (loss, 0) if loss < best else (best, stalled + 1)
        if stalled > patience:
            expected, stalled = max(expected * factor, low), 0
        assert optimizer.param_groups[0]["lr"] == pytest.approx(
            expected, abs=1e-7
        )  # torch ignores less


ENDS = st.floats(-10, 10)


@given(ENDS, ENDS, st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 12_000))
def test_A_CORE_04_exploration_moves_from_its_start_to_its_end_and_stays(
    start, end, steps, step, later
):
    now, then = (linear(at, start, end, steps) for at in (step, step + later))
    slack = 1e-9
    assert min(start, end) - slack <= now <= max(start, end) + slack
    assert (then - now) * (end - start) >= -slack
    assert linear(steps, start, end, steps) == end
    if steps:
        assert linear(0, start, end, steps) == start
