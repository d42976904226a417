"""Functions refuse arguments of other types than they say, by name, before they begin."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import generative
from generative.data import load_dataset
from nets.arguments import checked, named
from nets.kinds import Count, Share
from nets.supervised import augmentation, metrics, sampling, splits
from nets.supervised.fit import FitConfig, evaluate, fit, predict


@checked
def example(
    rows: Tensor | None,
    count: Count = 1,
    *,
    share: Share = 0.5,
    pair: tuple[Tensor, Tensor] | None = None,
    call: Callable[[int], int] = abs,
    names: Sequence[str] = (),
    table: Mapping[str, int] | None = None,
    kind: Literal["a", "b"] = "a",
    anything: object = None,
    **rest: int,
) -> tuple[object, ...]:
    """An example."""
    return rows, count, rest


ROWS = torch.zeros(3)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"rows": [1]}, TypeError, "rows is [1]: expected a Tensor or None"),
        ({"count": 0}, ValueError, "count is 0: expected at least 1"),
        ({"count": "x"}, ValueError, "count is 'x': expected a whole number"),
        ({"share": 2}, ValueError, "share is 2: expected a number in [0, 1]"),
        ({"pair": 3}, TypeError, "pair is 3: expected 2 values or None"),
        ({"pair": (ROWS, 3)}, TypeError, "pair is (tensor([0., 0., 0.]), 3): expected a Tensor or"),
        ({"call": 3}, TypeError, "call is 3: expected a function"),
        ({"names": 3}, TypeError, "names is 3: expected several values"),
        ({"names": "ab"}, TypeError, "names is 'ab': expected several values"),
        ({"table": [1]}, TypeError, "table is [1]: expected a Mapping or None"),
        ({"kind": "c"}, ValueError, "kind is 'c': expected one of 'a', 'b'"),
    ],
)
def test_what_does_not_fit_is_named_with_what_was_expected(values, error, message):
    with pytest.raises(error) as raised:
        example(**{"rows": ROWS, **values})
    assert str(raised.value).startswith(message)


def test_what_fits_goes_on_as_it_is():
    rows, count, rest = example(ROWS, 1e2, pair=[ROWS, ROWS], anything=3, other=4)
    assert rows is ROWS
    assert (repr(count), rest) == ("100", {"other": 4})
    assert example.__doc__ == "An example."
    assert list(inspect.signature(example).parameters)[:2] == ["rows", "count"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: splits.k_fold(12, 3, label=ROWS),
            "k_fold has no argument 'label': did you mean 'labels'?",
        ),
        (lambda: splits.k_fold(12), "k_fold: missing a required argument: 'k'"),
    ],
)
def test_keywords_that_are_none_name_the_nearest(call, message):
    with pytest.raises(TypeError) as raised:
        call()
    assert str(raised.value) == message


X, Y, LABELS = torch.randn(12, 3), torch.randn(12, 2), torch.arange(12) % 3
PICTURES, NETWORK = torch.rand(4, 1, 8, 8), nn.Linear(3, 2)
ODD = [
    *(None, "x", 3, -1, 1.5, float("nan"), [], [1, 2], {}, object, (3, 4)),
    *(np.zeros((12, 3)), np.zeros(0), torch.zeros(0), torch.zeros(0, 3), torch.zeros(5).long()),
    *(torch.full((12,), -7), torch.full((12,), 99), (X,), (X, Y[:3]), (X[:0], Y[:0])),
]
SGD = torch.optim.SGD(NETWORK.parameters(), 0.1)
FUNCTIONS = {
    "fit": (
        *(fit, {"network": NETWORK, "train": (X, Y), "loss": F.mse_loss, "optimizer": SGD}),
        {"config": FitConfig(epochs=1)},
    ),
    "predict": (predict, {"network": NETWORK, "batch_size": 4}, {"inputs": X}),
    "evaluate": (evaluate, {"rows": (X, Y), "measures": {}}, {"network": NETWORK}),
    "hold_out": (splits.hold_out, {"rows": 12, "share": 0.3, "seed": 1, "labels": LABELS}, {}),
    "k_fold": (splits.k_fold, {"rows": 12, "k": 3, "seed": 1, "labels": LABELS}, {}),
    **{
        name: (getattr(metrics, name), {"logits": X, "labels": LABELS}, {})
        for name in ("accuracy", "balanced_accuracy", "precision", "recall", "f1")
    },
    **{
        name: (getattr(sampling, name), {"labels": LABELS, "num_classes": 3}, {})
        for name in ("one_hot", "label_counts", "class_weights")
    },
    "over_sample": (sampling.over_sample, {"labels": LABELS, "seed": 1}, {}),
    "synthetic_sample": (sampling.synthetic_sample, {"inputs": X, "labels": LABELS}, {}),
    "random_scale": (augmentation.random_scale, {"images": PICTURES, "low": 0.5, "high": 2.0}, {}),
    "random_shift": (augmentation.random_shift, {"images": PICTURES, "pixels": 1}, {}),
    "random_crop": (augmentation.random_crop, {"images": PICTURES, "height": 3, "width": 3}, {}),
    "load_dataset": (load_dataset, {"limit": 30, "seed": 1, "size": None}, {"spec": "ring"}),
    "find_model": (generative.find_model, {"name": "vae"}, {}),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore:class .* has a single row")
def test_whatever_is_given_is_taken_or_refused_in_our_words(name):
    function, values, others = FUNCTIONS[name]
    function(**values, **others)
    for argument in values:
        for odd in ODD:
            try:
                function(**{**values, **others, argument: odd})
            except (ValueError, TypeError, FileNotFoundError) as error:
                told = str(error)
                assert "\n" not in told, (argument, odd)
                assert not any(words in told for words in PYTHONS), (argument, odd, told)


PYTHONS = (
    *("object has no attribute", "not supported between", "unsupported operand", "to unpack"),
    *("invalid combination", "argument must be", "is not iterable", "received an invalid"),
    *("could not convert", "invalid literal", "expected str, bytes", "must be Tensor"),
)


class Named(Protocol):
    name: str


def test_what_may_be_anything_is_not_looked_at():
    @checked
    def keep(first, second: Any, third: Named | None, fourth: "int" = 1) -> tuple[Any, ...]:
        return first, second, third, fourth

    assert keep(1, "two", "three") == (1, "two", "three", 1)
    with pytest.raises(ValueError, match="fourth is 'x': expected a whole number"):
        keep(1, 2, None, "x")


def test_a_named_function_keeps_its_own_errors():
    @named
    def half(number: int, *, times: int = 1) -> float:
        return number / 2 * times

    assert half(4, times=3) == 6
    for call, message in (
        (lambda: half("4"), "unsupported operand"),
        (lambda: half(4, tims=3), "^half has no argument 'tims': did you mean 'times'"),
        (lambda: half(4, 3), "^half takes the rest by name, as in times=3$"),
        (lambda: half(), "^half: missing a required argument: 'number'$"),
    ):
        with pytest.raises(TypeError, match=message):
            call()
