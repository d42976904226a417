import pytest
import torch
from torch import nn

from nets import MLP, optimizer
from nets.gradients.modes import freeze
from nets.process.seeding import seeded
from nets.supervised.diagnose import REMEDIES, capacity, diagnose, error_analysis
from nets.supervised.fit import FitConfig, evaluate, fit

# errors in percent, the problem, its gap
CASES = [
    ({"human": 1, "train": 8, "train_dev": 9, "dev": 10}, "avoidable bias", 7),
    ({"human": 7.5, "train": 8, "train_dev": 9, "dev": 10.5}, "data mismatch", 1.5),
    ({"human": 0, "train": 1, "train_dev": 9, "dev": 10}, "variance", 8),
    ({"human": 0, "train": 1, "train_dev": 1.5, "dev": 10}, "data mismatch", 8.5),
    ({"human": 0, "train": 10, "train_dev": 11, "dev": 12}, "avoidable bias", 10),
    ({"human": 0, "train": 1, "dev": 11}, "variance", 10),
    ({"train": 15, "dev": 16}, "avoidable bias", 15),
    ({"train": 1, "train_dev": 2, "dev": 3, "test": 9}, "overfitting to the dev set", 6),
    ({"human": 4, "train": 7, "train_dev": 10, "dev": 6, "test": 6}, "avoidable bias", 3),
]


@pytest.mark.parametrize(("errors", "problem", "gap"), CASES)
def test_S_DIAG_02_the_largest_gap_is_the_problem(errors, problem, gap):
    found = diagnose(**errors)
    assert found.problem == problem
    assert found.gaps[problem] == pytest.approx(gap)
    assert found.remedies == REMEDIES[problem]
    # the gaps add up to all that could be avoided
    last = errors.get("test", errors["dev"])
    assert sum(found.gaps.values()) == pytest.approx(last - errors.get("human", 0))


def test_S_DIAG_02_a_dev_set_may_be_the_easier_one():
    found = diagnose(human=4, train=7, train_dev=10, dev=6, test=6)
    assert found.gaps["data mismatch"] == -4
    assert diagnose(human=5, train=5, dev=5).problem is None
    assert "no gap" in str(diagnose(human=5, train=5, dev=5))


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("avoidable bias", ["larger", "longer", "another architecture"]),
        ("variance", ["more data", "augmentation", "penalty", "early stopping", "dropout"]),
        ("data mismatch", ["move part of the dev", "synthesise"]),
    ],
)
def test_S_DIAG_03_S_DIAG_05_remedies_are_those_of_the_problem(problem, words):
    errors = next(errors for errors, found, _ in CASES if found == problem)
    text = " ".join(diagnose(**errors).remedies)
    assert all(word in text for word in words)
    others = " ".join(" ".join(ways) for name, ways in REMEDIES.items() if name != problem)
    assert words[0] not in others


def test_S_DIAG_02_the_table_reads_well():
    text = str(diagnose(human=0.01, train=0.08, train_dev=0.09, dev=0.10))
    assert text.splitlines()[0] == "avoidable bias  +0.0700"
    assert "avoidable bias: try\n- a larger network" in text


def test_S_DIAG_01_too_small_a_net_underfits_and_too_long_a_training_overfits():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(80, 2, generator=generator)
    y = ((x[:, 0] * x[:, 1]) > 0).long()
    flipped = torch.rand(80, generator=generator) < 0.15
    y = torch.where(flipped, 1 - y, y)
    found = {}
    for name, hidden in (("small", []), ("large", [64, 64])):
        with seeded(0):
            network = MLP(2, hidden, 2)
        fit(
            network,
            (x[:40], y[:40]),
            loss=nn.CrossEntropyLoss(),
            optimizer=optimizer("adam", network, lr=0.03),
            config=FitConfig(epochs=80, batch_size=40),
        )
        error = lambda logits, labels: (logits.argmax(1) != labels).float().mean()  # noqa: E731
        train, dev = (
            evaluate(network, (x[rows], y[rows]), {"error": error})["error"]
            for rows in (slice(40), slice(40, None))
        )
        found[name] = diagnose(train=train, dev=dev).problem
    assert found == {"small": "avoidable bias", "large": "variance"}


def test_S_DIAG_06_the_ceiling_of_an_error_type_is_its_share_of_the_error():
    """100 mistakes among 1000 rows: 10 % error; 5 dogs can take it to 9.5 %, 50 to 5 %."""
    mistakes = [{"dog"}] * 5 + [{"blurred"}] * 45 + [{"blurred", "cat"}] * 5 + [()] * 45
    found = {each.name: each for each in error_analysis(mistakes, 1000)}
    assert list(found) == ["blurred", "cat", "dog"]
    assert (found["dog"].count, found["dog"].share) == (5, 0.05)
    assert 0.1 - found["dog"].ceiling == pytest.approx(0.095)
    assert found["blurred"].share == 0.5
    assert 0.1 - found["blurred"].ceiling == pytest.approx(0.05)
    for each in found.values():
        assert each.ceiling == pytest.approx(0.1 * each.share)


def test_S_DIAG_06_no_mistakes_and_impossible_numbers():
    assert error_analysis([], 10) == []
    assert [each.count for each in error_analysis([["dog", "dog"]], 10)] == [1]
    with pytest.raises(ValueError, match="there are 2 mistakes among 1 rows"):
        error_analysis([["dog"], ["cat"]], 1)


def test_S_DIAG_07_capacity_is_what_can_be_learned():
    network = MLP(4, [8], 3)
    assert capacity(network) == 4 * 8 + 8 + 8 * 3 + 3
    freeze(network[0])
    assert capacity(network) == 8 * 3 + 3
    shared = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    shared[1].weight = shared[0].weight
    assert capacity(shared) == 4 + 2 + 2
