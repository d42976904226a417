"""The contract that every registered world keeps, and worlds that break it on purpose."""

import copy
import importlib.util
import pickle
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pygame
import pytest
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.error import InvalidAction, ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.utils.play import PlayableGame
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import envs

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
IDS = [*sorted(id for id in gym.registry if id.startswith("dreamgym/")), "mine/Pendulum-v0"]
WORLDS = [(id, {}) for id in IDS] + [("dreamgym/Catch-v0", {"obs": "board"})]
every_world = pytest.mark.parametrize(
    ("id", "kwargs"), WORLDS, ids=["-".join([id, *map(str, kw.values())]) for id, kw in WORLDS]
)
Kwargs = dict[str, Any]


def same(a: Any, b: Any) -> bool:
    """Compare values, dtypes and shapes bit for bit."""
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b)


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
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and same(a, b)


# --- one text, many environments ---------------------------------------------------------------


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


@every_world
@pytest.mark.parametrize("mode", AutoresetMode)
def test_scalar_vector_and_sync_agree(id: str, kwargs: Kwargs, mode: AutoresetMode):
    check_one_text(id, 3, mode, limit=None, **kwargs)
    assert check_one_text(id, 1, mode, limit=1, **kwargs) > 0
    assert check_one_text(id, 37, mode, limit=13, **kwargs) > 37


@every_world
def test_results_share_no_memory(id: str, kwargs: Kwargs):
    for mode in AutoresetMode:
        make = partial(gym.make_vec, id, 5, "vector_entry_point", max_episode_steps=7, **kwargs)
        check_no_sharing(make(autoreset_mode=mode), make(autoreset_mode=mode))
    check_no_sharing_scalar(gym.make(id, **kwargs), gym.make(id, **kwargs))


def spoil(*results: Any) -> None:
    for result in results:
        if isinstance(result, np.ndarray) and result.dtype != object:
            result.fill(1)


def check_no_sharing(spoiled: VectorEnv, kept: VectorEnv) -> None:
    """Assert that writing into results changes nothing, and that results do not change later."""
    history = [spoiled.reset(seed=1)[0]]
    kept.reset(seed=1)
    for action, _ in zip(actions_of(kept), range(40), strict=False):
        passed = action.copy()
        (*said, info), (*expected, expected_info) = spoiled.step(passed), kept.step(action)
        assert equal(said, expected)
        finals = [final for final in info.get("final_obs", ()) if final is not None]
        others = [final for final in expected_info.get("final_obs", ()) if final is not None]
        assert equal(finals, others)
        arrays = [array for array in (*finals, *info.values()) if isinstance(array, np.ndarray)]
        arrays += [*said, passed]
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
    history = [spoiled.reset(seed=1)[0]]
    kept.reset(seed=1)
    for action, _ in zip(actions_of(kept), range(40), strict=False):
        said, expected = spoiled.step(copy.copy(action)), kept.step(action)
        assert equal(said[:4], expected[:4])
        assert [type(each) for each in said[1:4]] == [float, bool, bool]
        assert said[4] == {}
        said[4]["mine"] = 1
        if isinstance(said[0], np.ndarray):
            assert not any(np.shares_memory(said[0], old) for old in history)
            history.append(said[0])
            spoil(said[0])
        if said[2] or said[3]:
            spoiled.reset()
            kept.reset()


# --- the documented world ----------------------------------------------------------------------


def test_E_04_the_documented_pendulum_is_gymnasiums():
    env, theirs = gym.make("pendulum:mine/Pendulum-v0"), PendulumEnv()
    assert env.spec.max_episode_steps == gym.spec("Pendulum-v1").max_episode_steps
    assert env.action_space == theirs.action_space
    assert env.observation_space == theirs.observation_space
    env.reset(seed=0)
    theirs.reset(seed=0)
    theirs.state = np.array([*env.unwrapped.state_dict()["state"].values()])
    fastest = 0.0
    for action, _ in zip(actions_of(env), range(200), strict=False):
        observation, reward, terminated, _, _ = env.step(action)
        expected, expected_reward, _, _, _ = theirs.step(action)
        np.testing.assert_allclose(observation, expected, rtol=0, atol=1e-6)
        assert abs(reward - expected_reward) < 1e-6
        assert not terminated
        fastest = max(fastest, abs(observation[2]))
    assert fastest > 3.0
    starts, _ = gym.make_vec("mine/Pendulum-v0", 5000).reset(seed=0)
    angles, speeds = np.arctan2(starts[:, 1], starts[:, 0]) / np.pi, starts[:, 2]
    for number in angles, speeds:  # uniform on [-1, 1], by the Kolmogorov-Smirnov test
        assert abs(np.sort(number) - np.linspace(-1, 1, 5000)).max() < 2 * 1.95 / np.sqrt(5000)


# --- the checkers of others --------------------------------------------------------------------


@every_world
def test_gymnasium_and_sb3_accept(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs)
    with warnings.catch_warnings():
        # An unbounded velocity is no mistake.
        warnings.filterwarnings("ignore", r".*A Box observation space \w+ value is -?infinity")
        # Advice: actions in [-1, 1]; boards, which are no pictures, flat.
        warnings.filterwarnings("ignore", r".*recommend .*normalized .*space")
        if env.observation_space.dtype == np.float32 and len(env.observation_space.shape) > 1:
            warnings.filterwarnings("ignore", r".*[Yy]our observation .*(shape|image)")
            warnings.filterwarnings("ignore", r".*minimal resolution")
        check_env(env.unwrapped)
        sb3_check_env(env)
    env.close()
    env.close()


# --- seeds -------------------------------------------------------------------------------------


@every_world
def test_a_seed_repeats_and_episodes_do_not_depend_on_the_past(id: str, kwargs: Kwargs):
    one, other = gym.make(id, **kwargs), gym.make(id, **kwargs)
    first = rollout(one, 60, seed=3)
    assert equal(first, rollout(other, 60, seed=3))
    assert equal(first, rollout(one, 60, seed=3))
    assert one.unwrapped.np_random_seed == 3
    one.reset(seed=9)
    one.step(one.action_space.sample())
    other.reset(seed=9)
    assert equal(rollout(one, 30), rollout(other, 30))  # episode 1 of seed 9, whatever happened


@every_world
def test_a_first_reset_needs_no_seed(id: str, kwargs: Kwargs):
    env, again = gym.make(id, **kwargs), gym.make(id, **kwargs)
    said = rollout(env, 30)
    assert equal(said, rollout(again, 30, seed=env.unwrapped.np_random_seed))
    vector = gym.make_vec(id, 3, "vector_entry_point", **kwargs)
    observations, _ = vector.reset()
    again_vector = gym.make_vec(id, 3, "vector_entry_point", **kwargs)
    assert same(again_vector.reset(seed=vector.np_random_seed)[0], observations)


# --- drawing -----------------------------------------------------------------------------------


@every_world
def test_every_render_mode_works_and_changes_nothing(id: str, kwargs: Kwargs):
    modes = gym.make(id, **kwargs).unwrapped.metadata["render_modes"]
    if id.startswith("dreamgym/"):
        assert modes == ["human", "rgb_array", "ansi"]
    expected = rollout(gym.make(id, **kwargs), 20, seed=2)
    for mode in modes:
        env = gym.make(id, render_mode=mode, **kwargs)
        assert type(env.metadata["render_fps"]) is int
        env.unwrapped.metadata["render_fps"] = env.unwrapped._window._fps = 10_000
        env.reset(seed=2)
        shown = env.render()
        if mode == "ansi":
            assert isinstance(shown, str)
            assert shown
        elif mode == "rgb_array":
            assert shown.dtype == np.uint8
            assert shown.ndim == 3
            assert shown.shape[2] == 3
            assert shown.std() > 1.0
            assert shown.shape[0] % 16 == shown.shape[1] % 16 == 0  # as video encoders like it
            before = shown.copy()
            shown.fill(0)
            assert np.array_equal(env.render(), before)
        else:
            assert shown is None
        assert equal(rollout(env, 20, seed=2), expected)
        env.close()
        env.close()


@pytest.mark.parametrize("id", [id for id in IDS if id.startswith("dreamgym/")])
def test_a_vector_draws_what_its_environments_draw(id: str):
    vector = gym.make_vec(id, 3, "vector_entry_point", render_mode="rgb_array")
    many = SyncVectorEnv([partial(gym.make, id, render_mode="rgb_array")] * 3)
    vector.reset(seed=4)
    many.reset(seed=4)
    for action, _ in zip(actions_of(many), range(15), strict=False):
        frames, expected = vector.render(), many.render()
        assert isinstance(frames, tuple)
        assert equal(frames, expected)
        vector.step(action)
        many.step(action)


@every_world
def test_a_person_can_play(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs)
    keys = env.unwrapped.get_keys_to_action()
    if not id.startswith("dreamgym/"):
        assert keys == {}
        return
    assert set(keys.values()) <= set(range(env.action_space.n))
    noop = getattr(env.unwrapped.dynamics, "noop", None)
    assert set(keys.values()) | {noop} >= set(range(env.action_space.n))
    env = gym.make(id, render_mode="rgb_array", **kwargs)
    env.reset(seed=0)
    game = PlayableGame(env)
    assert game.relevant_keys == {key for combination in keys for key in combination}
    pygame.display.quit()


# --- saving ------------------------------------------------------------------------------------


@every_world
@pytest.mark.parametrize("copied", [lambda env: pickle.loads(pickle.dumps(env)), copy.deepcopy])
def test_copies_go_on_alike(id: str, kwargs: Kwargs, copied: Any):
    for mode in [None, *gym.make(id, **kwargs).metadata["render_modes"]]:
        env = gym.make(id, render_mode=mode, **kwargs)
        env.unwrapped._window._fps = 10_000
        rollout(env, 5, seed=1)
        if mode is not None:
            env.render()
        twin = copied(env)
        assert equal(rollout(env, 20, start=False), rollout(twin, 20, start=False))
        env.close()
        twin.close()
    vector = gym.make_vec(id, 4, "vector_entry_point", max_episode_steps=9, **kwargs)
    assert vectors_agree(vector, copied(vector), seed=1)  # copied before the first reset
    assert vectors_agree(vector, copied(vector), seed=None)


def vectors_agree(a: VectorEnv, b: VectorEnv, seed: int | None) -> bool:
    if seed is not None:
        assert same(a.reset(seed=seed)[0], b.reset(seed=seed)[0])
    steps = zip(actions_of(a), range(25), strict=False)
    return all(equal(a.step(action)[:4], b.step(action)[:4]) for action, _ in steps)


@every_world
def test_state_dicts_go_back(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs).unwrapped
    rollout(env, 5, seed=1)
    saved = env.state_dict()
    expected = rollout(env, 20, start=False)
    fresh = gym.make(id, **kwargs).unwrapped
    for target in (env, fresh):
        target.load_state_dict(copy.deepcopy(saved))
        assert equal(rollout(target, 20, start=False), expected)
    make = partial(gym.make_vec, id, 4, "vector_entry_point", max_episode_steps=9, **kwargs)
    vector, others = make(), make()
    vector.reset(seed=1)
    for action, _ in zip(actions_of(vector), range(12), strict=False):
        vector.step(action)
    saved = vector.unwrapped.state_dict()
    before = copy.deepcopy(saved)
    others.unwrapped.load_state_dict(saved)
    assert vectors_agree(vector, others, seed=None)
    for part in (lambda saved: saved["state"], lambda saved: {**saved, "state": 0}):
        assert equal(list(part(before).values()), list(part(saved).values()))  # not written to
    with pytest.raises(ValueError, match="expected 3 environments"):
        gym.make_vec(id, 3, "vector_entry_point", **kwargs).unwrapped.load_state_dict(saved)


# --- errors ------------------------------------------------------------------------------------


@every_world
def test_errors_are_clear_and_change_nothing(id: str, kwargs: Kwargs):
    env = gym.make(id, **kwargs).unwrapped
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        env.step(env.action_space.sample())
    rendering = gym.make(id, render_mode="ansi", **kwargs).unwrapped if has_text(env) else None
    if rendering is not None:
        with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
            rendering.render()
    with pytest.warns(UserWarning, match="render_mode"):
        env.render()
    with pytest.raises(gym.error.UnsupportedMode, match="'sepia' is not one of"):
        type(env)(env.dynamics, render_mode="sepia")
    expected = rollout(env, 20, seed=6)[1:]
    env.reset(seed=6)
    for wrong in wrong_actions(env.action_space):
        with pytest.raises(InvalidAction, match=re.escape(str(env.action_space))):
            env.step(wrong)
    assert equal(rollout(env, 20, start=False), expected)
    env.reset(seed=6)
    over = False
    for action, _ in zip(actions_of(env), range(20_000), strict=False):
        if over:
            with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
                env.step(action)
            env.reset()
            break
        over = env.step(action)[2]


def has_text(env: Any) -> bool:
    return "ansi" in env.metadata["render_modes"]


def wrong_actions(space: gym.Space) -> list[Any]:
    if isinstance(space, gym.spaces.Discrete):
        return [
            int(space.start + space.n),
            int(space.start) - 1,
            0.5,
            None,
            "a",
            [0],
            np.array([0]),
        ]
    return [space.high + 1.0, space.low - 1.0, np.full(space.shape, np.nan), np.zeros(7), 0.0]


@every_world
def test_vector_errors_are_clear_and_change_nothing(id: str, kwargs: Kwargs):
    make = partial(gym.make_vec, id, 3, "vector_entry_point", max_episode_steps=4, **kwargs)
    vector = make(autoreset_mode="Disabled", **draws(id, kwargs))
    actions = vector.action_space.sample()
    with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
        vector.step(actions)
    if vector.render_mode is not None:
        with pytest.raises(ResetNeeded, match=r"call reset\(\)"):
            vector.render()
    with pytest.raises(ResetNeeded, match="leave environments out"):
        vector.reset(options={"reset_mask": np.array([True, False, True])})
    with pytest.raises(gym.error.UnsupportedMode, match="'human' is not one of"):
        make(render_mode="human")
    with pytest.warns(UserWarning, match="render_mode"):
        make().render()
    vector.reset(seed=6)
    for wrong in wrong_actions(vector.single_action_space):
        bad = [*actions]
        bad[1] = wrong
        with pytest.raises(InvalidAction, match=re.escape(str(vector.single_action_space))):
            vector.step(bad)
    for wrong in (actions[:2], actions[None], None):
        with pytest.raises(InvalidAction):
            vector.step(wrong)
    for seed, error in (
        ([1, 2], ValueError),
        ([1, 2, -3], gym.error.Error),
        ([1, 2, 0.5], TypeError),
        (-1, gym.error.Error),
    ):
        with pytest.raises(error):
            vector.reset(seed=seed)
    for mask, error in (
        ([True, True, False], TypeError),
        (np.array([1, 0, 1]), TypeError),
        (np.array([True]), ValueError),
        (np.zeros(3, bool), ValueError),
    ):
        with pytest.raises(error, match="reset_mask"):
            vector.reset(options={"reset_mask": mask})
    assert vectors_agree_until_the_end(vector, make(autoreset_mode="Disabled"))


def draws(id: str, kwargs: Kwargs) -> Kwargs:
    modes = gym.make(id, **kwargs).metadata["render_modes"]
    return {"render_mode": "rgb_array"} if "rgb_array" in modes else {}


def vectors_agree_until_the_end(used: VectorEnv, fresh: VectorEnv) -> bool:
    """Step to the time limit of 4 and into the next episodes; `used` was reset with seed 6."""
    fresh.reset(seed=6)
    for action, _ in zip(actions_of(used), range(8), strict=False):
        said, expected = used.step(action)[:4], fresh.step(action)[:4]
        assert equal(said, expected)
        over = said[2] | said[3]
        if over.any():
            with pytest.raises(ResetNeeded, match=re.escape(f"{np.flatnonzero(over).tolist()}")):
                used.step(action)
            assert same(*(env.reset(options={"reset_mask": over})[0] for env in (used, fresh)))
    return True


# --- registration ------------------------------------------------------------------------------


def test_worlds_are_made_without_importing_envs(tmp_path: Path):
    program = (
        "import sys, gymnasium as gym\n"
        "print(gym.make('envs:dreamgym/Catch-v0').reset(seed=0)[0].shape)\n"
        "print(gym.make_vec('envs:dreamgym/CartPole-v0', num_envs=2).reset(seed=0)[0].shape)\n"
        "assert not {'torch', 'pygame', 'stable_baselines3', 'matplotlib'} & set(sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.stdout.split("\n")[:2] == ["(40, 40, 1)", "(2, 4)"], run.stderr


@every_world
def test_specs_are_portable(id: str, kwargs: Kwargs):
    spec = gym.make(id, **kwargs).spec
    again = gym.envs.registration.EnvSpec.from_json(spec.to_json())
    assert equal(rollout(gym.make(again), 10, seed=0), rollout(gym.make(id, **kwargs), 10, seed=0))
    vector = gym.make_vec(id, num_envs=2, **kwargs)  # prefers our own vector environment
    assert type(vector).__name__ == "DynamicsVectorEnv"
    assert vector.spec.max_episode_steps == spec.max_episode_steps


PAGES = sorted((DOCS / "envs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_are_complete_and_listed(page: Path):
    text = page.read_text(encoding="utf-8")
    for heading in ("Actions", "Observations", "Rewards", "Start", "End", "Reference scores"):
        assert f"## {heading}" in text
    assert f"(envs/{page.name})" in (DOCS / "envs.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("id", [id for id in IDS if id.startswith("dreamgym/")])
def test_every_world_has_a_page(id: str):
    assert any(f"`{id}`" in page.read_text(encoding="utf-8") for page in PAGES)


# --- worlds that break the rules ---------------------------------------------------------------


class One(NamedTuple):
    x: Any


class Logistic:
    """A chaotic map, which makes the last bit visible."""

    observation_space = gym.spaces.Box(0.0, 1.0, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def initial(self, xp: Any, random: Any) -> One:
        return One(random.uniform(0.2, 0.3))

    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        x = 3.9 * state.x * (1.0 - state.x)
        return One(x), x, False

    def observe(self, xp: Any, state: One) -> Any:
        return xp.stack(state, np.float64)


class Tangled(NamedTuple):
    now: Any
    before: Any
    action: Any
    over: Any
    constant: Any


class Tangle:
    """Returns the same array in many places, and constants: allowed."""

    observation_space = gym.spaces.Discrete(100)
    action_space = gym.spaces.Discrete(3)

    def initial(self, xp: Any, random: Any) -> Tangled:
        start = random.below(5)
        return Tangled(start, start, 0, False, 0)

    def step(self, xp: Any, state: Tangled, action: Any, random: Any) -> tuple[Tangled, Any, Any]:
        now = state.now + action + state.before % 2 + state.action % 2 + state.constant
        now = xp.where(state.over, 99, now)
        over = now > 20
        return Tangled(now, now, action, over, 1), now, over

    def observe(self, xp: Any, state: Tangled) -> Any:
        return state.now


class Power(Logistic):
    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        x = state.x
        return One(3.9 * (x**1.5 / xp.sqrt(x) - x * x)), x, False


class OwnGenerator(Logistic):
    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)

    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        return One(state.x * self.rng.random()), 0.0, False


class Remembers(Logistic):
    steps = 0

    def step(self, xp: Any, state: One, action: Any, random: Any) -> tuple[One, Any, Any]:
        self.steps += 1
        return One(state.x), float(self.steps), False


class SharesItsBuffer(Logistic):
    def __init__(self) -> None:
        self.buffers: dict[Any, np.ndarray] = {}

    def observe(self, xp: Any, state: One) -> Any:
        observation = super().observe(xp, state)
        buffer = self.buffers.setdefault(observation.shape, observation)
        buffer[...] = observation
        return buffer


WRONG = [Power, OwnGenerator, Remembers, SharesItsBuffer]
for broken in [Logistic, Tangle, *WRONG]:
    envs.register_world(f"test/{broken.__name__}-v0", f"{__name__}:{broken.__name__}")


def check_contract(id: str) -> None:
    for mode in AutoresetMode:
        check_one_text(id, 37, mode, limit=13)
    make = partial(gym.make_vec, id, 5, "vector_entry_point", max_episode_steps=7)
    check_no_sharing(make(), make())
    check_no_sharing_scalar(gym.make(id), gym.make(id))


@pytest.mark.parametrize("name", ["Logistic", "Tangle"])
def test_the_contract_accepts(name: str):
    check_contract(f"test/{name}-v0")


@pytest.mark.parametrize("broken", WRONG)
def test_the_contract_catches(broken: type):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Gymnasium's passive checker sees shared memory too
        with pytest.raises(AssertionError):
            check_contract(f"test/{broken.__name__}-v0")
