import math
from pathlib import Path

import pytest
import torch

from nets.runs.checkpoint import Damaged
from nets.runs.divergence import Diverged, cure, find_not_finite, require_finite_file

TREE = {
    "network": {"0.weight": torch.ones(2, 3), "steps": torch.tensor([2**60])},
    "moments": [{"mean": torch.zeros(2)}, {"square": torch.zeros(2)}],
    "rate": 0.1,
    "name": "nan",
    "kept": None,
    "rows": 3,
}


def broken(path, value):
    """The tree with a value at the path."""
    return {
        "network.0.weight": TREE | {"network": {"0.weight": torch.tensor([1.0, value])}},
        "moments.1.square": TREE | {"moments": [{}, {"square": torch.tensor(value)}]},
        "rate": TREE | {"rate": value},
    }[path]


def test_what_is_finite_is_left_alone():
    assert find_not_finite(TREE) is None
    assert find_not_finite({}) is None


def test_finite_numbers_may_have_a_sum_that_is_not():
    assert find_not_finite({"wide": torch.full((4,), 3e38)}) is None
    assert find_not_finite({"narrow": torch.full((4,), 60000.0, dtype=torch.float16)}) is None


def test_infinities_that_take_each_other_away_are_found():
    assert find_not_finite({"a": torch.tensor([math.inf, -math.inf])}) == "a"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("path", ["network.0.weight", "moments.1.square", "rate"])
def test_the_number_that_is_not_finite_is_named(path, value):
    assert find_not_finite(broken(path, value)) == path
    assert find_not_finite(broken(path, value), "state") == f"state.{path}"
    with pytest.raises(Damaged, match=f"^a.pt was saved .*: its {path} is not finite$"):
        require_finite_file(Path("a.pt"), broken(path, value))


def test_the_cure_is_of_settings_that_there_are():
    class Config:
        learning_rate = 1.0

    assert cure(None, "smaller rewards") == "try smaller rewards"
    assert cure(Config) == "try a smaller learning_rate"
    Config.max_grad_norm = 1.0
    all_three = "try a smaller learning_rate, a smaller max_grad_norm or smaller rewards"
    assert cure(Config, "smaller rewards") == all_three
    Config.max_grad_norm = 0.0
    assert cure(Config) == "try a smaller learning_rate or a max_grad_norm"


@pytest.mark.parametrize("kind", [RuntimeError, FloatingPointError])
def test_it_is_caught_as_what_it_was_before(kind):
    with pytest.raises(kind, match="the loss is nan"):
        raise Diverged("the loss is nan")
