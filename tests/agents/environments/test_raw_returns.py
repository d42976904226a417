"""Where wrappers change rewards, episodes also tell what the environment itself returned."""

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import agents
from agents.environments.raw_returns import RewardMeter, metered
from agents.environments.source import EnvSource
from agents.environments.stepping import SingleStepper, VectorStepper
from agents.loop.trainer import Trainer
from agents.sb3.algorithms import SB3DQN

pytestmark = pytest.mark.filterwarnings("ignore:.*cannot be made anew:UserWarning")


class Stairs(gym.Env):
    """Step t pays t; after three to five steps it is over, by turns terminated and truncated."""

    observation_space = gym.spaces.Box(0, 9, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)
    episode, _secret = -1, 7

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time, self.episode = 0, self.episode + 1
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.time += 1
        over, cut = self.time == 3 + self.episode % 3, bool(self.episode % 2)
        observation = np.full(1, self.time, np.float32)
        return observation, float(self.time), over and not cut, over and cut, {}


class Halved(gym.Wrapper):
    """Changes rewards as people do who know no RewardWrapper."""

    def step(self, action):
        observation, reward, *rest = self.env.step(action)
        return observation, reward / 2, *rest


gym.register("Stairs-v0", Stairs)
EXPECTED = [6.0, 10.0, 15.0, 6.0, 10.0]  # 1 + 2 + 3, then to 4, then to 5


def clipped():
    return wrappers.ClipReward(Stairs(), 0, 1)


def told(stepper, steps=24):
    """What each environment's finished episodes returned, (wrapped, raw)."""
    stepper.reset(0)
    total = np.zeros(stepper.num_envs)
    found = [[] for _ in total]
    for _ in range(steps):
        step = stepper.step(np.zeros(stepper.num_envs, int))
        total += step.reward * step.valid
        for k in (step.terminated | step.truncated).nonzero()[0]:
            found[k].append((total[k], None if step.raw_return is None else step.raw_return[k]))
            total[k] = 0
    stepper.close()
    return found


@pytest.mark.parametrize(
    ("wrapped", "expected"),
    [
        (clipped, [3, 4, 5, 3, 4]),
        (lambda: Halved(Stairs()), [3, 5, 7.5, 3, 5]),
        (lambda: wrappers.TransformReward(Halved(Stairs()), lambda r: -r), [-3, -5, -7.5, -3, -5]),
        (lambda: wrappers.TimeLimit(Halved(Stairs()), 9), [3, 5, 7.5, 3, 5]),
    ],
)
def test_one_environment_tells_both(wrapped, expected):
    pairs = list(zip(expected, EXPECTED, strict=True))
    assert told(SingleStepper(wrapped()))[0][:5] == pairs
    for mode in AutoresetMode:
        env = SyncVectorEnv([wrapped, wrapped], autoreset_mode=mode)
        for found in told(VectorStepper(env), 32):
            assert found[:5] == pairs, mode


@pytest.mark.parametrize("mode", AutoresetMode)
def test_wrappers_around_a_vector_count_too(mode):
    env = SyncVectorEnv([Stairs, Stairs], autoreset_mode=mode)
    env = wrappers.vector.ClipReward(env, 0, 1)
    for found in told(VectorStepper(env), 32):
        assert found[:5] == list(zip([3, 4, 5, 3, 4], EXPECTED, strict=True))


def test_nothing_is_told_where_no_wrapper_can_change_a_reward():
    assert told(SingleStepper(Stairs()))[0][0] == (6.0, None)
    env = wrappers.TimeLimit(wrappers.RescaleObservation(Stairs(), 0, 1), 9)
    assert metered(env) is env
    assert env.env.env.__class__ is Stairs
    assert told(VectorStepper(SyncVectorEnv([Stairs])))[0][0] == (6.0, None)


def test_a_meter_passes_for_the_environment():
    env = metered(metered(Halved(Stairs())))
    meter, base = env.env, env.unwrapped
    assert isinstance(meter, RewardMeter)
    assert meter.env is base
    assert str(env) == str(Halved(base))
    assert meter._secret == 7
    meter.level = 3
    assert base.level == 3
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin.unwrapped is not base
        assert twin.unwrapped.level == 3
        assert told(SingleStepper(twin))[0][0] == (3.0, 6.0)


def test_rewards_that_a_wrapper_makes_numbers_of_are_not_counted():
    class Wordy(Stairs):
        def step(self, action):
            observation, _, *rest = super().step(action)
            return observation, None, *rest

    env = wrappers.TransformReward(Wordy(), lambda reward: 1.0)
    assert np.isnan(told(SingleStepper(env))[0][0][1])
    assert agents.evaluate(agents.DQN(env), episodes=2).raw_returns is None


@pytest.mark.parametrize("kind", [agents.DQN, SB3DQN])
def test_training_and_evaluation_say_both(kind, tmp_path):
    source = EnvSource.of("Stairs-v0").adapted({}, {"ClipReward": {"max_reward": 1}})
    agent = kind(source, seed=0, device="cpu")
    progress = Trainer(agent, progress=False).run(60)
    assert set(progress.recent_raw) == {6.0, 10.0, 15.0}
    assert set(progress.recent) == {3.0, 4.0, 5.0}
    result = agents.evaluate(agent, episodes=3, num_envs=1)
    assert (result.returns, result.raw_returns) == ([3.0, 4.0, 5.0], [6.0, 10.0, 15.0])
    assert result.mean_raw_return == pytest.approx(31 / 3)
    assert agents.evaluate(agent, "Stairs-v0", episodes=1).mean_raw_return is None
    saved = progress.state_dict()
    again = type(progress)(agent)
    again.load_state_dict(saved)
    assert (again.recent_raw, again.unlogged) == (progress.recent_raw, progress.unlogged)
