"""Where two environments differ, attribute by attribute."""

import pickle
import random
from collections import deque
from collections.abc import Mapping
from functools import cached_property
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import wrappers
from gymnasium.vector import VectorEnv

Env = gym.Env | VectorEnv
Differences = dict[str, tuple[Any, Any]]
"""Where two differ, as a path of attributes, and what each has there."""

CHECKS = wrappers.PassiveEnvChecker, wrappers.OrderEnforcing  # they know what has been called
ELSEWHERE = {"env", "spec", "_cached_spec"}  # the next layer, and the recipe
GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)
NUMBERS = (int, float, complex, np.number, np.bool_)
NAMED = (type, str, bytes, FunctionType, BuiltinFunctionType, ModuleType, set, frozenset)
SEQUENCES = (list, tuple, deque)


class _Nothing:
    """Stands where one of two has no attribute."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


def layers(env: Env) -> list[Any]:
    """Return an environment's wrappers and what they wrap, the innermost first."""
    found: list[Any] = [env]
    while isinstance(found[-1], gym.Wrapper):
        found.append(found[-1].env)
    return found[::-1]


def differences(one: Env, other: Env) -> Differences:
    """Return where two environments of the same wrappers differ.

    Generators are no difference, since resets seed them; nor is what shows no attributes and cannot
    be pickled, such as surfaces to draw on and the inside of simulators written in C.
    """
    ours, theirs = layers(one), layers(other)
    if [*map(type, ours)] != [*map(type, theirs)]:
        return {"it": (one, other)}
    pairs = list(zip(ours, theirs, strict=True))
    walk = _Walk()
    walk.met = {(id(a), id(b)) for a, b in pairs}
    for a, b in pairs:
        if not isinstance(a, CHECKS):
            walk.attributes(a, b, type(a).__name__)
    return walk.found


class _Walk:
    """Goes through two objects side by side."""

    def __init__(self) -> None:
        self.found: Differences = {}
        self.met: set[tuple[int, int]] = set()  # objects may hold each other

    def attributes(self, one: Any, other: Any, path: str) -> None:
        """Compare what two objects have."""
        ours, theirs = vars(one), vars(other)
        for name in ours | theirs:
            if name in ELSEWHERE:
                continue
            a, b = _attribute(one, name), _attribute(other, name)
            self.values(a, b, f"{path}.{name}")

    def values(self, a: Any, b: Any, path: str) -> None:
        """Compare two values."""
        if a is b or (id(a), id(b)) in self.met or _is_opaque(a) or _is_opaque(b):
            return
        if isinstance(a, NUMBERS) and isinstance(b, NUMBERS):
            same = bool(a == b or (a != a and b != b))
        elif isinstance(a, FunctionType) and isinstance(b, FunctionType):
            self._functions(a, b, path)
            return
        elif type(a) is not type(b):
            same = False
        elif isinstance(a, torch.Tensor):
            same = torch.equal(a, b)
        elif isinstance(a, np.ndarray):
            same = _same_arrays(a, b)
        elif isinstance(a, (*NAMED, gym.Space)):
            same = bool(a == b)
        else:
            self.met.add((id(a), id(b)))
            self._composites(a, b, path)
            return
        if not same:
            self.found[path] = a, b

    def _composites(self, a: Any, b: Any, path: str) -> None:
        if isinstance(a, SEQUENCES) and len(a) == len(b):
            if not _equal(a, b):
                for k, pair in enumerate(zip(a, b, strict=True)):
                    self.values(*pair, f"{path}[{k}]")
        elif isinstance(a, Mapping) and a.keys() == b.keys():
            if not _equal(a, b):
                for key in a:
                    self.values(a[key], b[key], f"{path}[{key!r}]")
        elif isinstance(a, MethodType):
            self.values(a.__func__, b.__func__, path)
            self.values(a.__self__, b.__self__, path)
        elif not isinstance(a, (*SEQUENCES, Mapping)) and getattr(a, "__dict__", None):
            self.attributes(a, b, path)
        elif pickle.dumps(a) != pickle.dumps(b):
            self.found[path] = a, b

    def _functions(self, a: FunctionType, b: FunctionType, path: str) -> None:
        """Two functions are the same where the same lines made them around the same values."""
        if a.__code__ is not b.__code__:
            self.found[path] = a, b
            return
        self.values(a.__defaults__, b.__defaults__, path)
        for one, other in zip(a.__closure__ or (), b.__closure__ or (), strict=True):
            self.values(one.cell_contents, other.cell_contents, path)


def _attribute(owner: Any, name: str) -> Any:
    """Return what `owner` has by that name; what it would cache once asked, too."""
    cached = isinstance(getattr(type(owner), name, None), cached_property)
    return getattr(owner, name) if cached else vars(owner).get(name, NOTHING)


def _is_opaque(value: Any) -> bool:
    """Whether a value cannot be compared: it shows neither attributes nor bytes."""
    if isinstance(value, GENERATORS):
        return True
    if isinstance(value, (*SEQUENCES, Mapping)):
        inside = value.values() if isinstance(value, Mapping) else value
        return len(value) > 0 and all(map(_is_opaque, inside))
    if isinstance(value, (*NAMED, *NUMBERS, MethodType, np.ndarray, torch.Tensor, gym.Space)):
        return False
    if value is None or getattr(value, "__dict__", None):
        return False
    try:
        pickle.dumps(value)
    except Exception:  # whatever stands in the way
        return True
    return False


def _equal(a: Any, b: Any) -> bool:
    """Whether two containers say of themselves that they are equal, which is quick."""
    try:
        return bool(a == b)
    except Exception:  # they hold arrays
        return False


def _same_arrays(a: Any, b: Any) -> bool:
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
