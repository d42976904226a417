"""PointMass: the linear-quadratic optimum, by other solvers and in the environment; pictures."""

import gymnasium as gym
import numpy as np
import pytest
from scipy.linalg import solve_discrete_are

import envs  # noqa: F401
from envs.worlds.pointmass import PointMass, PointMassState, riccati

A, B = np.array([[1.0, 0.05], [0.0, 1.0]]), np.array([[0.0], [0.05]])
Q, R = np.diag([1.0, 0.1]), np.array([[0.01]])


def rollout(gain: np.ndarray, discount: float) -> tuple[float, float]:
    """Return the return of u = -K·s in the environment, and the strongest push."""
    env = gym.make("dreamgym/PointMass-v0").unwrapped
    env.reset(seed=0)
    total, strongest = 0.0, 0.0
    for step in range(200):
        action = -gain @ np.array([*env.state_dict()["state"].values()])
        _, reward, terminated, _, _ = env.step(np.array([action]))
        assert not terminated
        total, strongest = total + discount**step * reward, max(strongest, abs(action))
    return total, strongest


@pytest.mark.parametrize("discount", [0.9, 0.99, 1.0])
def test_the_recursion_solves_the_discounted_riccati_equation(discount):
    scaled = np.sqrt(discount)  # γ·f(s') = f(√γ·s') for a quadratic f
    cost = solve_discrete_are(scaled * A, scaled * B, Q, R)
    gain = np.linalg.solve(R + discount * B.T @ cost @ B, discount * B.T @ cost @ A)[0]
    ours = riccati(discount)
    np.testing.assert_allclose(ours[0], gain, rtol=1e-8)
    np.testing.assert_allclose(ours[1], cost, rtol=1e-8)
    assert PointMass().optimal_return(discount) == pytest.approx(-cost[0, 0], rel=1e-8)


def test_the_default_is_the_published_setting():
    world = gym.make("dreamgym/PointMass-v0").unwrapped
    assert world.optimal_return() == pytest.approx(-11.3759, abs=5e-5)
    assert world.optimal_gain() == pytest.approx([8.253, 5.0418], abs=5e-4)
    assert world.optimal_return(discount=0.9) == PointMass().optimal_return(0.9)
    assert not hasattr(gym.make("dreamgym/Pendulum-v0").unwrapped, "optimal_return")


def test_the_optimal_policy_gets_the_optimal_return_in_the_environment():
    world = PointMass()
    total, strongest = rollout(world.optimal_gain(), 0.99)
    assert total == pytest.approx(world.optimal_return(), abs=1e-6)
    assert rollout(world.optimal_gain(), 1.0)[0] == pytest.approx(-11.9975, abs=5e-5)
    assert strongest < 10.0  # so the bounds of the actions change nothing


@pytest.mark.parametrize("change", [(0.3, 0.0), (-0.3, 0.0), (0.0, 0.3), (0.0, -0.3)])
def test_other_gains_are_worse(change):
    world = PointMass()
    assert rollout(world.optimal_gain() + change, 0.99)[0] < world.optimal_return() - 1e-4


def test_the_best_of_all_action_sequences_is_no_better():
    # Without a policy in mind: all 200 pushes at once, a least-squares problem.
    effect = np.zeros((200, 2, 200))  # of each push on each state
    free = np.zeros((200, 2))
    free[0] = 1.0, 0.0
    for step in range(199):
        free[step + 1] = A @ free[step]
        effect[step + 1] = A @ effect[step]
        effect[step + 1, :, step] += B[:, 0]
    weight = 0.99 ** (0.5 * np.arange(200))
    on_state = (weight[:, None, None] * np.sqrt([1.0, 0.1])[:, None] * effect).reshape(400, 200)
    matrix = np.vstack([on_state, np.diag(weight * 0.1)])
    start = np.append((weight[:, None] * np.sqrt([1.0, 0.1]) * free).ravel(), np.zeros(200))
    pushes, *_ = np.linalg.lstsq(matrix, -start, rcond=None)
    best = -(np.sum((matrix @ pushes + start) ** 2))
    assert best == pytest.approx(PointMass().optimal_return(), abs=1e-6)
    assert pushes[0] == pytest.approx(-8.253, abs=5e-4)


def test_steps_are_eulers_and_rewards_are_of_the_state_before():
    env = gym.make("dreamgym/PointMass-v0")
    observation, _ = env.reset(seed=3)
    assert observation.tolist() == [1.0, 0.0]
    assert env.step(np.array([-4.0]))[:3] == (pytest.approx([1.0, -0.2]), -1.16, False)
    observation, reward, _, _, _ = env.step(np.array([10.0]))
    assert observation == pytest.approx([0.99, 0.3])
    assert reward == pytest.approx(-(1.0 + 0.1 * 0.04 + 1.0))
    assert env.spec.max_episode_steps == 200


def test_pictures_show_the_mass_and_where_it_goes():
    positions, speeds = np.array([-0.5, 0.0, 1.0, 9.0]), np.array([1.0, 0.0, -1.0, 9.0])
    frames = PointMass().frames(PointMassState(positions, speeds)).astype(int)
    assert frames.shape == (4, 160, 480, 3)
    for frame, position, speed in zip(frames, positions.clip(-1.14, 1.14), speeds, strict=True):
        centre = 240 + 140 * position
        teal = (frame[..., 1] - frame[..., 0]) > 90
        assert abs(np.nonzero(teal)[1].mean() + 0.5 - centre) < 1
        arrow = frame[48:62, :, 0] - frame[48:62, :, 2] > 60  # below the upper mark
        columns = np.nonzero(arrow)[1]
        assert (columns.size > 0) == (speed != 0)
        if speed:
            assert (columns.mean() - centre) * speed > 5
    assert PointMass().text(PointMassState(positions, speeds))[0] == "position -0.500 m, +1.000 m/s"
