import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chisquare

from agents.equations.exploration import boltzmann, epsilon_greedy
from nets.gradients.annealing import linear

VALUES = np.array([0.1, 2.0, -1.0, 0.5])


def frequencies(choose, draws=40_000):
    return np.bincount(choose(np.tile(VALUES, (draws, 1))), minlength=len(VALUES))


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.6, 1.0])
def test_A_CORE_04_epsilon_greedy_frequencies(epsilon):
    counts = frequencies(lambda q: epsilon_greedy(q, epsilon, np.random.default_rng(3)))
    expected = np.full(4, epsilon / 4)
    expected[VALUES.argmax()] += 1 - epsilon
    if epsilon == 0.0:
        assert counts[1] == counts.sum()
    else:
        assert chisquare(counts, expected * counts.sum()).pvalue > 0.01


@pytest.mark.parametrize("temperature", [0.5, 1.0, 50.0])
def test_A_CORE_04_boltzmann_frequencies(temperature):
    counts = frequencies(lambda q: boltzmann(q, temperature, np.random.default_rng(4)))
    expected = softmax(VALUES / temperature)
    assert chisquare(counts, expected * counts.sum()).pvalue > 0.01


def test_A_CORE_04_rows_choose_for_themselves():
    values = np.eye(4)[[2, 0, 3, 1]]
    assert epsilon_greedy(values, 0.0, np.random.default_rng(0)).tolist() == [2, 0, 3, 1]
    assert boltzmann(values, 0.01, np.random.default_rng(0)).tolist() == [2, 0, 3, 1]


def test_streams_stay_aligned_whatever_is_chosen():
    streams = [np.random.default_rng(0) for _ in range(2)]
    for epsilon, rng in zip((0.0, 1.0), streams, strict=True):
        epsilon_greedy(np.tile(VALUES, (5, 1)), epsilon, rng)
    assert streams[0].random() == streams[1].random()


@pytest.mark.parametrize(
    ("step", "value"), [(0, 1.0), (25, 0.775), (50, 0.55), (100, 0.1), (101, 0.1), (10**9, 0.1)]
)
def test_A_CORE_04_the_schedule_is_a_line_and_then_constant(step, value):
    assert linear(step, 1.0, 0.1, 100) == pytest.approx(value)


def test_a_schedule_of_no_steps_is_its_end():
    assert linear(0, 1.0, 0.1, 0) == 0.1


def test_schedules_rise_too():
    assert linear(30, 0.4, 1.0, 60) == pytest.approx(0.7)
