import random

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from scipy import stats

from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.environments.source import EnvSource
from agents.loop.evaluation import Evaluation, evaluate
from agents.loop.interaction import Interaction
from agents.loop.trainer import Trainer
from agents.tabular.temporal_difference import QLearning


class Waiting(gym.Env):
    """An episode lasts as long as its first observation says, 1 to 9 steps; reward 1 per step."""

    metadata = {"render_modes": []}
    observation_space = gym.spaces.Box(0.0, 10.0, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)
    played = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = self.length = int(self.np_random.integers(1, 10))
        return self._observation(), {}

    def step(self, action):
        self.left -= 1
        if self.left == 0:
            Waiting.played.append(self.length)
        return self._observation(), 1.0, self.left == 0, False, {}

    def _observation(self):
        return np.array([self.left], np.float32)


gym.register("Waiting-v0", entry_point=Waiting, disable_env_checker=True)


@pytest.mark.parametrize(("episodes", "num_envs"), [(1, 10), (7, 10), (10, 10), (23, 10), (20, 1)])
def test_exactly_so_many_episodes_are_played_and_dealt_in_advance(scribe, episodes, num_envs):
    result = evaluate(scribe("Waiting-v0"), episodes=episodes, num_envs=num_envs, seed=5)
    assert result.episodes == len(result.returns) == episodes
    expected = []
    for k in range(min(episodes, num_envs)):
        env = Waiting()
        env.reset(seed=5 + k)
        share = len(range(k, episodes, num_envs))
        for _ in range(share):
            expected.append(float(env.length))
            env.reset()
    assert result.returns == expected
    assert result.mean_return == pytest.approx(np.mean(expected))
    assert result.std_return == pytest.approx(np.std(expected))
    assert result.mean_length == pytest.approx(np.mean(expected))


def test_short_episodes_are_not_counted_more_often(scribe):
    """Negative control: taking the first to finish is biased towards the short."""
    agent = scribe("Waiting-v0")
    means, hasty = [], []
    for seed in range(40):
        Waiting.played.clear()
        means.append(evaluate(agent, episodes=20, seed=100 * seed).mean_return)
        hasty.append(np.mean(Waiting.played[:10]))
    truth, error = 5.0, np.std(means) / np.sqrt(len(means))
    assert abs(np.mean(means) - truth) < 3.5 * error
    assert np.mean(hasty) < truth - 5 * error


def test_A_CORE_02_the_discounted_return_is_the_direct_sum(scribe):
    agent = scribe("Waiting-v0")  # γ = 0.9
    result = evaluate(agent, episodes=12, seed=3)
    expected = [sum(0.9**k for k in range(int(length))) for length in result.returns]
    assert result.discounted_return == pytest.approx(np.mean(expected), abs=1e-12)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_the_way_of_resetting_does_not_matter(scribe, mode):
    agent = scribe("Waiting-v0")
    plain = evaluate(agent, episodes=13, num_envs=4, seed=9)
    vector = SyncVectorEnv([Waiting] * 4, autoreset_mode=mode)
    with pytest.warns(UserWarning, match="cannot be made anew"):
        source = EnvSource.of(vector)
    other = evaluate(agent, source, episodes=13, num_envs=99, seed=9)
    assert other == plain


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_a_memory_begins_anew_with_every_episode(scribe, ledger, ledger_length, mode):
    """This one counts its steps, and does what pays more where it is not in Ledger's step."""

    class Counting(scribe):
        def choose(self, observation, state, episode_start, deterministic):
            count = np.where(episode_start, 0, state)
            return (observation[:, 2] != count).astype(int), count + 1

    vector = SyncVectorEnv([ledger] * 3, autoreset_mode=mode)
    with pytest.warns(UserWarning, match="cannot be made anew"):
        source = EnvSource.of(vector)
    result = evaluate(Counting("Ledger-v0"), source, episodes=9, seed=8)
    assert result.returns == [
        sum(100.0 * copy + 10.0 * episode + now for now in range(ledger_length(copy, episode)))
        for copy in range(3)
        for episode in range(3)
    ]


def test_the_same_seed_gives_the_same_episodes_and_another_seed_others(scribe):
    agent = scribe("CartPole-v1")
    runs = [evaluate(agent, seed=s, deterministic=False).returns for s in (4, 4, 5)]
    assert runs[0] == runs[1] != runs[2]
    # Ledger's copies 1 and 9 are alike: these differ by what the agent draws
    runs = [evaluate(scribe("Ledger-v0"), seed=s, deterministic=False).returns for s in (1, 9)]
    assert runs[0] != runs[1]


def test_the_agent_and_the_global_generators_are_left_alone():
    agent = DQN("CartPole-v1", DQNConfig(hidden=(8,), epsilon_end=0.5))
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    before = [w.clone() for w in agent.online.module.parameters()]
    steps, rng = agent.steps, agent.rng.bit_generator.state
    first = evaluate(agent, deterministic=False, seed=2)
    outside = random.random(), np.random.random(), torch.rand(()).item()  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    assert outside == (random.random(), np.random.random(), torch.rand(()).item())  # noqa: NPY002
    assert all(
        torch.equal(a, b) for a, b in zip(before, agent.online.module.parameters(), strict=True)
    )
    assert (agent.steps, agent.rng.bit_generator.state) == (steps, rng)
    assert evaluate(agent, deterministic=False, seed=2) == first


def test_worlds_that_throw_global_dice_are_repeatable_too(scribe):
    class Careless(Waiting):
        def reset(self, *, seed=None, options=None):
            self.left = self.length = random.randint(1, 9)
            return self._observation(), {}

    gym.register("Careless-v0", entry_point=Careless, disable_env_checker=True)
    agent = scribe("Careless-v0")
    runs = [evaluate(agent, seed=s).returns for s in (4, 4, 5)]
    assert runs[0] == runs[1] != runs[2]


def test_deterministic_and_exploring_play_differ():
    agent = DQN("CartPole-v1", DQNConfig(hidden=(8,), epsilon_end=1.0))
    greedy = evaluate(agent, episodes=40)
    loose = evaluate(agent, episodes=40, deterministic=False)
    assert stats.mannwhitneyu(greedy.returns, loose.returns).pvalue < 1e-4


def test_training_goes_on_undisturbed_in_its_own_environments(scribe):
    plain, measured = scribe("Ledger-v0"), scribe("Ledger-v0")
    for agent in (plain, measured):
        stream = agent.stream(seed=1)
        assert isinstance(stream, Interaction)
        stream.advance(10)
        if agent is measured:
            evaluate(agent, deterministic=False)
        stream.advance(10)
        stream.close()
    for one, other in zip(plain.transitions, measured.transitions, strict=True):
        np.testing.assert_array_equal(one.next_observation, other.next_observation)


def test_the_environments_are_closed_also_after_an_error(scribe, ledger):
    closed = []

    class Door(ledger):
        def step(self, action):
            raise RuntimeError("stuck")

        def close(self):
            closed.append(self)

    gym.register("Jammed-v0", entry_point=Door)
    agent = scribe("Jammed-v0")
    closed.clear()
    with pytest.raises(RuntimeError, match="stuck"):
        evaluate(agent, episodes=3)
    assert len(closed) == 3


def evaluation(returns):
    mean, std = float(np.mean(returns)), float(np.std(returns))
    return Evaluation(mean, std, 0.0, 1.0, len(returns), list(returns))


@pytest.mark.parametrize("returns", [[1.0, 2.0, 3.0] * 3, [10.0, 12.0, 9.5, 11.0, 10.5, 11.5]])
def test_the_interval_is_students(returns):
    low, high = evaluation(returns).interval
    expected = stats.t.interval(
        0.95, len(returns) - 1, loc=np.mean(returns), scale=stats.sem(returns)
    )
    assert (low, high) == pytest.approx(expected)


def test_the_interval_holds_the_mean_in_95_of_100_samples():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(2000):
        low, high = evaluation(rng.normal(3.0, 2.0, size=20)).interval
        hits += low <= 3.0 <= high
    assert stats.binomtest(hits, 2000, 0.95).pvalue > 0.01


@pytest.mark.parametrize(
    "returns", [[1.0] * 17 + [0.0] * 3, [0.0] * 9 + [1.0], [500.0, 500.0, 304.0]]
)
def test_the_interval_stays_in_the_possible(returns):
    low, high = evaluation(returns).interval
    assert min(returns) <= low < np.mean(returns) < high <= max(returns)


def test_one_episode_says_nothing_about_the_mean():
    assert evaluation([5.0]).interval == (-np.inf, np.inf)


def test_equal_returns_leave_no_doubt():
    assert evaluation([5.0, 5.0, 5.0]).interval == (5.0, 5.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"episodes": 0}, "episodes is 0: expected at least 1"),
        ({"episodes": 1.5}, "episodes is 1.5: expected a whole number"),
        ({"episodes": "10"}, "episodes is '10': expected a whole number"),
        ({"num_envs": 0}, "num_envs is 0: expected at least 1"),
        ({"seed": -1}, "seed is -1: expected at least 0"),
        ({"max_steps": 0.5}, "max_steps is 0.5: expected a whole number"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(scribe, settings, message):
    with pytest.raises(ValueError, match=message):
        evaluate(scribe("Ledger-v0"), **settings)


@pytest.mark.parametrize("steps", ["10", 1.5, -1, True])
def test_steps_that_are_no_number_of_them_are_refused(scribe, steps):
    agent = scribe("Ledger-v0")
    with pytest.raises(ValueError, match=f"total_timesteps is {steps!r}: expected "):
        agent.learn(steps)
    with pytest.raises(ValueError, match=f"steps is {steps!r}: expected "):
        Trainer(agent).run(steps)
    with pytest.raises(ValueError, match=r"seed is 1\.5: expected a whole number"):
        type(agent)("Ledger-v0", seed=1.5)


def test_observations_that_are_tuples_can_be_evaluated():
    agent = QLearning("Blackjack-v1", seed=0)
    agent.learn(2_000, progress=False)
    result = evaluate(agent, episodes=30, seed=3)
    assert result.episodes == 30
    assert set(result.returns) <= {-1.0, 0.0, 1.0}
    assert result == evaluate(agent, episodes=30, seed=3)


class Counter(gym.Env):
    """Shows which of its episodes it plays, and its step."""

    observation_space = gym.spaces.Box(0, 1e6, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)
    episode = -1

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time, self.episode = 0, self.episode + 1
        return self._see(), {}

    def step(self, action):
        self.time += 1
        return self._see(), 1.0, self.time == 10, False, {}

    def _see(self):
        return np.array([self.episode, self.time], np.float32)


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
def test_evaluating_in_a_callback_does_not_disturb_what_is_trained_on():
    def rows(callback):
        agent, seen = DQN(Counter(), DQNConfig(learning_starts=10)), []
        observe = agent.observe
        agent.observe = lambda t: (
            seen.append((t.observation.tolist(), t.next_observation.tolist())),
            observe(t),
        )[1]
        agent.learn(35, callback=callback, progress=False)
        return seen

    def look(progress):
        if progress.steps in (15, 20):
            assert evaluate(progress.agent, episodes=2).mean_return == 10

    assert rows(look) == rows(None)


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
def test_agents_are_evaluated_in_any_environment_and_not_in_their_own_if_that_is_no_copy():
    agent = DQN("CartPole-v1")
    by_id = evaluate(agent, "CartPole-v1", episodes=3)
    assert (
        by_id == evaluate(agent, gym.make("CartPole-v1"), episodes=3) == evaluate(agent, episodes=3)
    )

    class Rope(Counter):
        def __deepcopy__(self, memo):
            raise TypeError("there is only one")

    alone = DQN(Rope())
    with pytest.raises(ValueError, match=r"cannot be copied \(there is only one\).*: pass env="):
        evaluate(alone, episodes=1)
    assert evaluate(alone, Rope(), episodes=2).mean_return == 10


@pytest.mark.parametrize("agent", ["x", None, QLearning, 3])
def test_what_is_no_agent_is_refused(agent):
    with pytest.raises(TypeError, match=r"agent is .*: expected an agent, as agents.load returns"):
        evaluate(agent)


def test_a_notebook_shows_an_evaluation_with_its_interval():
    html = Evaluation(2.0, 1.0, 1.5, 9.0, 4, [1.0, 3.0, 1.0, 3.0])._repr_html_()
    assert ">2</td>" in html
    assert ">1 to 3</td>" in html
