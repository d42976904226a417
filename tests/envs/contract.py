"""The contract of every world, as checks: shared by the tests beside this file."""

import copy
import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

import envs  # noqa: F401  registers the worlds

DOCS = Path(__file__).parents[2] / "docs"


def load_documented_world() -> None:
    """Run the example of docs/envs.md as the module `pendulum`."""
    example = re.search(
        r"```python\n(from typing.*?)```", (DOCS / "envs.md").read_text(encoding="utf-8"), re.S
    )
    assert example is not None
    spec = importlib.util.spec_from_loader("pendulum", loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["pendulum"] = module
    exec(example.group(1), module.__dict__)


load_documented_world()
HOME = ("dreamgym", "envs.scalar:DynamicsEnv")
OURS = sorted(id for id, s in gym.registry.items() if (s.namespace, s.entry_point) == HOME)
IDS = [*OURS, "mine/Pendulum-v0"]
WORLDS = [(id, {}) for id in IDS]
WORLDS += [(f"dreamgym/{name}-v0", {"obs": "board"}) for name in ("Catch", "Bricks", "Snake")]
every_world = pytest.mark.parametrize(
    ("id", "kwargs"), WORLDS, ids=["-".join([id, *map(str, kw.values())]) for id, kw in WORLDS]
)
Kwargs = dict[str, Any]


def same(a: Any, b: Any) -> bool:
    """Compare values, dtypes and shapes bit for bit; of dicts, part by part."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def actions_of(env: gym.Env | VectorEnv, seed: int = 0) -> Iterator[Any]:
    env.action_space.seed(seed)
    while True:
        yield env.action_space.sample()


def rollout(env: gym.Env, steps: int, seed: int | None = None, start: bool = True) -> list[Any]:
    """Return everything the environment says, resetting at the end of each episode."""
    said = [env.reset(seed=seed)[0]] if start else []
    for action, _ in zip(actions_of(env), range(steps), strict=False):
        observation, *rest, _ = env.step(action)
        said.append((observation, *rest))
        if rest[1] or rest[2]:
            said.append(env.reset()[0])
    return said


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return same(a, b)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and same(a, b)


def vectors_agree(a: VectorEnv, b: VectorEnv, seed: int | None) -> bool:
    if seed is not None:
        assert same(a.reset(seed=seed)[0], b.reset(seed=seed)[0])
    steps = zip(actions_of(a), range(25), strict=False)
    return all(equal(a.step(action)[:4], b.step(action)[:4]) for action, _ in steps)


def check_one_text(id: str, n: int, mode: AutoresetMode, limit: int | None, **kwargs: Any) -> int:
    """Assert that the vector environment is SyncVectorEnv of scalar ones; return the ends seen."""
    if limit is not None:
        kwargs["max_episode_steps"] = limit
    many = SyncVectorEnv([partial(gym.make, id, **kwargs)] * n, autoreset_mode=mode)
    one = gym.make_vec(id, n, "vector_entry_point", autoreset_mode=mode, **kwargs)
    assert many.single_observation_space == one.single_observation_space
    assert many.observation_space == one.observation_space
    assert many.action_space == one.action_space
    rng = np.random.default_rng(n)
    ends = 0

    def reset(**arguments: Any) -> None:
        a, b = many.reset(**copy.deepcopy(arguments)), one.reset(**arguments)
        assert same(a[0], b[0])
        assert a[1] == b[1] == {}

    reset(seed=5)
    for step, action in zip(range(160), actions_of(one), strict=False):
        (*said, info), (*expected, expected_info) = one.step(action), many.step(action)
        for ours, theirs in zip(said, expected, strict=True):
            assert same(ours, theirs), f"step {step}"
        over = said[2] | said[3]
        ends += int(over.sum())
        assert info.keys() == expected_info.keys()
        if info:
            assert info["final_info"] == expected_info["final_info"] == {}
            assert same(info["_final_obs"], expected_info["_final_obs"])
            assert same(info["_final_info"], expected_info["_final_info"])
            assert info["final_obs"].dtype == object
            for ours, theirs in zip(info["final_obs"], expected_info["final_obs"], strict=True):
                assert (ours is None and theirs is None) or equal(ours, theirs)
        if mode is AutoresetMode.DISABLED and over.any():
            reset(options={"reset_mask": over})
        if step == 50:  # the next episode everywhere
            reset()
        if step == 70:  # a seed each
            reset(seed=[11 + 3 * i * i for i in range(n)])
        if step == 90:  # some go on with their stream
            reset(seed=[None if i % 2 else 1000 + i for i in range(n)])
        if step % 20 == 7:  # some rows only, with and without seeds
            mask = rng.random(n) < 0.5
            mask[rng.integers(n)] = True
            reset(seed=step if step > 100 else None, options={"reset_mask": mask})
    many.close()
    one.close()
    return ends


def check_no_sharing(spoiled: VectorEnv, kept: VectorEnv) -> None:
    """Assert that writing into results changes nothing, and that results do not change later."""
    history = arrays_in(spoiled.reset(seed=1)[0])
    kept.reset(seed=1)
    for action, _ in zip(actions_of(kept), range(40), strict=False):
        passed = action.copy()
        (*said, info), (*expected, expected_info) = spoiled.step(passed), kept.step(action)
        assert equal(said, expected)
        finals = [final for final in info.get("final_obs", ()) if final is not None]
        others = [final for final in expected_info.get("final_obs", ()) if final is not None]
        assert equal(finals, others)
        arrays = [
            array for each in (*finals, *info.values(), *said, passed) for array in arrays_in(each)
        ]
        for index, array in enumerate(arrays):
            assert not any(np.shares_memory(array, other) for other in arrays[:index])
            assert not any(np.shares_memory(array, old) for old in history)
        spoil(*arrays)
        history = [*history[-20:], *arrays]
        over = expected[2] | expected[3]
        if over.any() and kept.metadata["autoreset_mode"] is AutoresetMode.DISABLED:
            spoiled.reset(options={"reset_mask": over.copy()})
            kept.reset(options={"reset_mask": over})


def check_no_sharing_scalar(spoiled: gym.Env, kept: gym.Env) -> None:
    history = arrays_in(spoiled.reset(seed=1)[0])
    kept.reset(seed=1)
    for action, _ in zip(actions_of(kept), range(40), strict=False):
        said, expected = spoiled.step(copy.copy(action)), kept.step(action)
        assert equal(said[:4], expected[:4])
        assert [type(each) for each in said[1:4]] == [float, bool, bool]
        assert said[4] == {}
        said[4]["mine"] = 1
        for array in arrays_in(said[0]):
            assert not any(np.shares_memory(array, old) for old in history)
            history.append(array)
        spoil(*arrays_in(said[0]))
        if said[2] or said[3]:
            spoiled.reset()
            kept.reset()


def arrays_in(value: Any) -> list[np.ndarray]:
    """Return an array, or those that a dict holds; of others, nothing."""
    if isinstance(value, dict):
        return [array for part in value.values() for array in arrays_in(part)]
    return [value] if isinstance(value, np.ndarray) else []


def spoil(*results: Any) -> None:
    for result in results:
        if isinstance(result, np.ndarray) and result.dtype != object:
            result.fill(1)


def check_contract(id: str) -> None:
    for mode in AutoresetMode:
        check_one_text(id, 37, mode, limit=13)
    make = partial(gym.make_vec, id, 5, "vector_entry_point", max_episode_steps=7)
    check_no_sharing(make(), make())
    check_no_sharing_scalar(gym.make(id), gym.make(id))
