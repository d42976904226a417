"""The memory of a world goes along with real episodes, alone as side by side."""

import pickle

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

import generative
from generative.latents import LATENT_ID, LatentObservation, VectorLatentObservation
from nets.process.seeding import seeded
from tests.helpers.worlds import KINDS, small_world

REMEMBER = ["pixels", "classic", "states", "memory"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A file of each kind of world."""
    folder = tmp_path_factory.mktemp("worlds")
    for kind in KINDS:
        generative.save(small_world(kind), folder / f"{kind}.pt")
    return lambda kind: str(folder / f"{kind}.pt")


def real(kind):
    return small_world(kind).spec.env_id


@pytest.mark.parametrize("kind", REMEMBER)
def test_what_is_known_is_that_of_the_model_step_by_step(runs, kind):
    world = small_world(kind)
    env, plain = LatentObservation(gym.make(real(kind)), runs(kind)), gym.make(real(kind))
    for seed in (1, 2):  # what was known of the first episode is forgotten
        (shown, _), (seen, _) = env.reset(seed=seed), plain.reset(seed=seed)
        with torch.no_grad():
            state = world.dynamics.looked(torch.as_tensor(np.array(seen))[None])
        for action in (1, 0, 1, 1):
            np.testing.assert_allclose(shown, world.dynamics.known(state)[0], atol=1e-5)
            shown, seen = env.step(action)[0], plain.step(action)[0]
            rows = torch.tensor([action]), torch.as_tensor(np.array(seen))[None]
            with torch.no_grad():
                state = world.dynamics.filtered(state, *rows)
        assert shown in env.observation_space


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED])
@pytest.mark.parametrize("kind", REMEMBER)
def test_many_episodes_are_known_as_each_would_be_alone(runs, kind, mode):
    """Bit for bit, through the beginnings of the next episodes."""
    inner = gym.make_vec(real(kind), 3, autoreset_mode=mode)
    many = VectorLatentObservation(inner, runs(kind))
    alone = [LatentObservation(gym.make(real(kind)), runs(kind)) for _ in range(3)]
    seen = many.reset(seed=5)[0]
    single = [env.reset(seed=5 + k)[0] for k, env in enumerate(alone)]
    over, began = np.zeros(3, bool), 0
    rng = np.random.default_rng(0)
    for _ in range(45):
        assert np.array_equal(seen, single)
        if mode is AutoresetMode.DISABLED and over.any():
            seen = many.reset(options={"reset_mask": over})[0]
            for k in np.flatnonzero(over):
                single[k] = alone[k].reset()[0]
            assert np.array_equal(seen, single)
            over[:] = False
        actions = rng.integers(2, size=3)
        seen, _, terminated, truncated, _ = many.step(actions)
        for k, action in enumerate(actions.tolist()):
            single[k] = alone[k].reset()[0] if over[k] else alone[k].step(action)[0]
        over = terminated | truncated
        began += over.sum()
    assert began >= 3


def test_a_memory_tells_what_is_not_seen_any_more(runs):
    """In the corridor both signs look the same, but are not known as the same."""
    env = LatentObservation(gym.make(real("memory")), runs("memory"))
    signs = {}
    for seed in range(8):
        sign = env.unwrapped.reset(seed=seed)[0][0]
        env.reset(seed=seed)
        signs[sign] = [env.step(0)[0] for _ in range(3)][-1]
    assert set(signs) == {-1, 1}
    assert np.abs(signs[1] - signs[-1]).max() > 1e-4


def test_it_is_an_environment_of_a_name_and_a_spec(runs):
    with pytest.warns(UserWarning, match="infinity"):
        check_env(gym.make(LATENT_ID, env_id=real("memory"), run=runs("memory")).unwrapped)
    env = LatentObservation(gym.make(real("memory")), runs("memory"))
    again = gym.make(env.spec)
    named = gym.make_vec(LATENT_ID, 2, env_id=real("memory"), run=runs("memory"))
    expected = [env.reset(seed=3)[0], env.step(1)[0]]
    assert np.array_equal(expected, [again.reset(seed=3)[0], again.step(1)[0]])
    shown = named.reset(seed=3)[0], named.step(np.array([1, 0]))[0]
    assert np.array_equal(expected, [rows[0] for rows in shown])
    copy = pickle.loads(pickle.dumps(env))
    assert np.array_equal(copy.step(0)[0], env.step(0)[0])


def test_looking_draws_nothing(runs):
    env = LatentObservation(gym.make(real("memory")), runs("memory"))
    with seeded(0):
        expected = torch.rand(1)
    with seeded(0):
        env.reset(seed=0)
        env.step(1)
        assert torch.equal(torch.rand(1), expected)


def test_an_agent_acts_on_what_a_world_knows_and_is_loaded_again(runs, tmp_path):
    agents = pytest.importorskip("agents")
    env = gym.make(LATENT_ID, env_id=real("memory"), run=runs("memory"))
    agent = agents.PPO(env, seed=0, device="cpu", num_envs=2)
    agent.learn(600, progress=False)
    agent.save(tmp_path / "agent")
    loaded = agents.load(tmp_path / "agent", device="cpu")
    found = [agents.evaluate(each, episodes=5, seed=1).mean_return for each in (agent, loaded)]
    assert found[0] == found[1]


def test_worlds_and_environments_that_do_not_suit_are_refused(runs):
    with pytest.raises(TypeError, match="a world of model ensemble remembers nothing"):
        LatentObservation(gym.make(real("ensemble")), runs("ensemble"))
    with pytest.raises(ValueError, match=r"has the observation space Discrete\(16\): the world of"):
        LatentObservation(gym.make("envs:dreamgym/Lake-v0"), runs("memory"))
    drawn = gym.make(real("memory"), render_mode="rgb_array")
    with pytest.raises(ValueError, match="source is 'render'"):
        LatentObservation(drawn, runs("memory"), source="render")
