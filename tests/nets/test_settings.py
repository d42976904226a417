"""Settings refuse what their types exclude, and say what was expected."""

import math
import re
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch

from agents.algorithms import ALGORITHMS
from generative.catalogue import MODELS
from nets.kinds import Count, NonNegative, Part, Positive, Range, Rate, Real, Share, Whole
from nets.settings import Settings, from_plain, required


@dataclass(frozen=True)
class Example(Settings):
    count: Count = 1
    whole: Whole = 0
    real: Real = -1.0
    positive: Positive = 1.0
    weight: NonNegative = 0.0
    share: Share = 0.5
    rate: Rate = 1.0
    part: Part = 0.0
    middle: Annotated[float, Range(-1.0, 1.0, above=True, below=True)] = 0.0
    clip: Positive | None = None
    kind: Literal["huber", "mse"] = "huber"
    hidden: tuple[Count, ...] = (64, 64)
    interval: tuple[Real, Positive] = (-1.0, 1.0)
    name: Annotated[str, "shown as NAME"] = ""
    flag: bool = False


@pytest.mark.parametrize(
    ("name", "refused", "expected"),
    [
        ("count", (0, -1), "at least 1"),
        ("count", (1.5, math.nan, "2", None), "a whole number"),
        ("whole", (-1,), "at least 0"),
        ("real", (math.nan, math.inf, -math.inf), "a finite number"),
        ("positive", (0.0, -1e-9, math.nan, math.inf), "more than 0"),
        ("positive", ("1", None), "a number"),
        ("weight", (-1e-9, math.nan), "at least 0"),
        ("share", (-1e-9, 1.0 + 1e-9, math.nan), "a number in [0, 1]"),
        ("rate", (0.0, 1.5), "a number in (0, 1]"),
        ("part", (1.0, -0.1), "a number in [0, 1)"),
        ("middle", (-1.0, 1.0), "a number in (-1, 1)"),
        ("clip", (0.0, -0.2), "more than 0"),
        ("kind", ("l1", None, 0), "one of 'huber', 'mse'"),
        ("hidden", ((0,), (64, -1), (64, 8.5)), "for each"),
        ("interval", ((0.0, 0.0), (math.nan, 1.0)), "for each"),
    ],
)
def test_values_outside_a_type_are_refused_by_name(
    name: str, refused: tuple[Any, ...], expected: str
) -> None:
    for value in refused:
        message = f"{name} is {value!r}: expected "
        with pytest.raises(ValueError, match=re.escape(message)) as error:
            Example(**{name: value})
        assert expected in str(error.value)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("count", (1, 10**9, np.int64(3))),
        ("whole", (0, 7)),
        ("real", (-1e300, 0, 2.5)),
        ("positive", (1e-12, 3, np.float32(0.1))),
        ("share", (0.0, 1.0, 1)),
        ("rate", (1e-9, 1.0)),
        ("part", (0.0, 0.999999)),
        ("middle", (-0.999, 0.999)),
        ("clip", (None, 0.2)),
        ("kind", ("huber", "mse")),
        ("name", ("", "run")),
        ("hidden", ((), (1,), (64, 64, 64))),
        ("interval", ((-5.0, 0.1),)),
    ],
)
def test_values_of_a_type_are_kept(name: str, allowed: tuple[Any, ...]) -> None:
    for value in allowed:
        assert getattr(Example(**{name: value}), name) == value


@pytest.mark.parametrize("entry", [*ALGORITHMS.values(), *MODELS.values()], ids=lambda e: e.name)
def test_no_number_of_any_algorithm_or_model_may_be_nan(entry: Any) -> None:
    config = entry.config_type()()
    assert isinstance(config, Settings)
    for field in fields(config):
        value = getattr(config, field.name)
        if type(value) in (int, float):
            with pytest.raises(ValueError, match=f"^{field.name} is nan: expected"):
                replace(config, **{field.name: math.nan})
        elif isinstance(value, tuple) and value:
            with pytest.raises(ValueError, match=f"^{field.name} is .*nan.*: expected"):
                replace(config, **{field.name: (math.nan,) * len(value)})


def test_lists_of_files_become_the_tuples_of_settings():
    assert from_plain({"hidden": [3, 4], "rate": 0.1, "name": "x"}) == {
        "hidden": (3, 4),
        "rate": 0.1,
        "name": "x",
    }


@pytest.mark.parametrize("foreign", [np.float64, np.float32, torch.tensor])
def test_numbers_of_other_libraries_become_pythons(foreign) -> None:
    example = Example(rate=foreign(0.5), interval=(foreign(-5.0), 0.1))
    assert (type(example.rate), example.rate) == (float, 0.5)
    assert [type(bound) for bound in example.interval] == [float, float]
    assert type(Example(hidden=[np.int64(3)]).hidden[0]) is int
    assert Example(interval=foreign([-5.0, 0.5])).interval == (-5.0, 0.5)


@pytest.mark.parametrize("several", [np.array([8, 9]), torch.tensor([8, 9]), range(8, 10)])
def test_several_values_may_come_in_any_form(several) -> None:
    assert Example(hidden=several).hidden == (8, 9)
    assert [type(size) for size in Example(hidden=several).hidden] == [int, int]
    with pytest.raises(ValueError, match=r"count is \(8, 9\): expected a whole number"):
        Example(count=several)


def test_whole_numbers_may_be_written_as_floats():
    """As people do: 1e5 steps."""

    @dataclass(frozen=True)
    class Counts(Settings):
        several: tuple[Count, ...] = ()
        pair: tuple[Count, Real] = (1, 1.0)
        maybe: Count | tuple[Count, Count] | None = None
        real: Real = 0.0

    made = Counts((1e2, 3), (2.0, 2.0), np.float32(7), 3.0)
    assert repr(made).endswith("(several=(100, 3), pair=(2, 2.0), maybe=7, real=3.0)")
    assert Counts(maybe=(1e1, 2)).maybe == (10, 2)
    assert repr(required("steps", 1e5, Count)) == "100000"
    for value in (1.5, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"steps is .*: expected a whole number"):
            required("steps", value, Count)
    with pytest.raises(ValueError, match=r"pair is .*: expected 2 values"):
        Counts(pair=(1.0,))
    with pytest.raises(ValueError, match="several is True: expected several values"):
        Counts(several=True)
