"""CartPole (curriculum E-04): Gymnasium's physics, rewards, limits; pictures."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.classic_control import CartPoleEnv

import envs  # noqa: F401
from envs.worlds.cartpole import CartPole, CartPoleState


def reference(state: CartPoleState) -> CartPoleEnv:
    """Return Gymnasium's own environment in a state."""
    env = CartPoleEnv()
    env.reset(seed=0)
    env.state = np.array(state)
    return env


def test_E_04_random_episodes_equal_gymnasiums_to_1e_6():
    env = gym.make("dreamgym/CartPole-v0").unwrapped
    rng = np.random.default_rng(0)
    lengths = []
    for episode in range(200):
        env.reset(seed=0 if episode == 0 else None)
        theirs = reference(CartPoleState(**env.state_dict()["state"]))
        over, length, bias = False, 0, rng.uniform()
        while not over:
            action = int(rng.uniform() < bias) if episode % 2 else int(rng.integers(2))
            observation, reward, over, truncated, _ = env.step(action)
            expected, expected_reward, expected_over, _, _ = theirs.step(action)
            state = np.array([*env.state_dict()["state"].values()])
            np.testing.assert_allclose(state, theirs.state, rtol=0, atol=1e-6)
            np.testing.assert_allclose(observation, expected, rtol=0, atol=1e-6)
            assert (reward, over, truncated) == (expected_reward, expected_over, False)
            length += 1
        lengths.append(length)
    assert max(lengths) > 60


def test_E_04_every_step_of_long_episodes_equals_gymnasiums():
    # A balanced pole amplifies differences by e per quarter of a second, so each step starts anew.
    env = gym.make("dreamgym/CartPole-v0").unwrapped
    rng = np.random.default_rng(1)
    observation, _ = env.reset(seed=5)
    reached = np.zeros(4)
    for _ in range(500):
        theirs = reference(CartPoleState(**env.state_dict()["state"]))
        wanted = observation @ np.array([0.5, 1.0, 18.0, 3.0]) + rng.normal()
        action = int(wanted > 0)
        observation, _, over, _, _ = env.step(action)
        theirs.step(action)
        state = np.array([*env.state_dict()["state"].values()])
        np.testing.assert_allclose(state, theirs.state, rtol=0, atol=1e-13)
        assert not over
        reached = np.maximum(reached, abs(state))
    assert (reached > [0.05, 0.3, 0.05, 0.3]).all()


@pytest.mark.parametrize(
    ("state", "over"),
    [
        ((2.399, 0.1, 0.0, 0.0), True),
        ((2.399, 0.0, 0.0, 0.0), False),
        ((-2.399, -0.1, 0.0, 0.0), True),
        ((0.0, 0.0, 0.2, 0.5), True),
        ((0.0, 0.0, 0.2, 0.4), False),
        ((0.0, 0.0, -0.2, -0.5), True),
    ],
)
def test_E_04_episodes_end_where_gymnasiums_end(state, over):
    env = gym.make("dreamgym/CartPole-v0").unwrapped
    env.reset(seed=0)
    saved = env.state_dict()
    env.load_state_dict({**saved, "state": CartPoleState(*state)._asdict()})
    assert reference(CartPoleState(*state)).step(1)[1:3] == env.step(1)[1:3] == (1.0, over)


def test_E_04_spaces_and_limit_are_gymnasiums():
    ours, theirs = gym.make("dreamgym/CartPole-v0"), gym.make("CartPole-v1")
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    assert ours.spec.max_episode_steps == theirs.spec.max_episode_steps == 500
    vector = gym.make_vec("dreamgym/CartPole-v0", 8, autoreset_mode="SameStep")
    observation, _ = vector.reset(seed=0)
    weights = np.array([0.5, 1.0, 18.0, 3.0])
    for step in range(1, 501):
        observation, reward, terminated, truncated, _ = vector.step((observation @ weights > 0) * 1)
        assert reward.tolist() == [1.0] * 8
        assert not terminated.any()
        assert truncated.all() == truncated.any() == (step == 500)


def test_E_04_episodes_begin_uniformly_near_the_balance():
    observation, _ = gym.make_vec("dreamgym/CartPole-v0", 10_000).reset(seed=0)
    ordered = np.sort(observation, axis=0)
    ranks = (np.arange(10_000) + 0.5)[:, None] / 10_000
    assert abs((ordered + 0.05) / 0.1 - ranks).max() < 1.95 / 100  # Kolmogorov-Smirnov, p = 0.001
    assert abs(np.corrcoef(observation.T) - np.eye(4)).max() < 4 / 100


def test_pictures_show_cart_and_pole():
    positions, angles = np.array([-1.0, 0.0, 2.45]), np.array([0.0, 0.2, -0.2])
    frames = CartPole().frames(CartPoleState(positions, angles, angles, angles))
    assert frames.shape == (3, 288, 480, 3)
    for frame, position, angle in zip(frames, positions, (0.0, 0.2, -0.2), strict=True):
        orange = (frame[..., 0].astype(int) - frame[..., 2]) > 60
        rows, columns = np.nonzero(orange)
        pivot = 240 + 80 * position
        tip = columns[rows == rows.min()].mean()
        assert abs(tip - (pivot + 80 * np.sin(angle))) < 4  # leans as the angle says
        dark = frame.sum(axis=2) < 200
        assert abs(np.nonzero(dark)[1].mean() - pivot) < 2  # the cart stands where it is
    text = CartPole().text(CartPoleState(*np.array([[1.5], [-0.25], [0.1], [2.0]])))
    assert text == ["position +1.500 m, -0.250 m/s; angle +5.73°, +2.000 rad/s"]
