"""Episodes and their windows, against loops over one step after the other."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from generative.worlds.episodes import Episodes, Windows
from generative.worlds.experience import collect
from generative.worlds.spaces import spec_of
from nets.returned import InvalidExperience

LENGTHS = [3, 1, 4]


@pytest.fixture
def episodes():
    """Observations 0, 1, 2, ... so that everything can be told from them."""
    steps, rows = sum(LENGTHS), sum(LENGTHS) + len(LENGTHS)
    return Episodes(
        torch.arange(rows)[:, None].repeat(1, 2),
        torch.arange(steps) * 10,
        torch.arange(steps).float(),
        torch.tensor([False, False, True, True, False, False, False, False]),
        torch.tensor(LENGTHS),
        torch.tensor([True, True, False]),
    )


def test_windows_are_what_came_after_each_step(episodes):
    windows, span = Windows("counted", episodes, 3), 3
    index = torch.tensor([0, 2, 3, 4, 7, 5])
    batch = windows.batch(index)
    assert len(windows) == 8 + 3 * (span - 1)
    firsts = [0, 4, 6]  # observations of the episodes
    begins = [0, 3, 4]  # steps
    for column, step in enumerate(index.tolist()):
        number = max(k for k in range(3) if begins[k] <= step)
        left = begins[number] + LENGTHS[number] - step
        assert batch.lived[:, column].tolist() == [t < left for t in range(span)]
        for t in range(min(span, left) + 1):
            seen = firsts[number] + step - begins[number] + t
            assert batch.observation[t, column].tolist() == [seen, seen]
        for t in range(min(span, left)):
            assert batch.action[t, column] == 10 * (step + t)
            assert batch.reward[t, column] == step + t
            assert batch.terminated[t, column] == episodes.terminated[step + t]
        assert not batch.terminated[left:, column].any()


def test_episodes_are_begun_as_often_as_a_window_has_steps(episodes):
    """Each of 3 first observations in 3 windows, every other in one."""
    windows = Windows("counted", episodes, 3)
    seen = windows.batch(torch.arange(len(windows))).observation[0, :, 0]
    assert torch.bincount(seen).tolist() == [3, 1, 1, 0, 3, 0, 3, 1, 1, 1]


def test_columns_around_a_step(episodes):
    assert episodes.before[:, 0].tolist() == [0, 1, 2, 4, 6, 7, 8, 9]
    assert episodes.after[:, 0].tolist() == [1, 2, 3, 5, 7, 8, 9, 10]
    assert episodes.starts[:, 0].tolist() == [0, 4, 6]
    assert episodes.returns.tolist() == [0 + 1 + 2, 3]  # the last was cut off


def test_parts_hold_whole_episodes_and_join_to_all(episodes):
    train, held_out = episodes.split(1 / 3, seed=1)
    assert sorted([*train.lengths.tolist(), *held_out.lengths.tolist()]) == sorted(LENGTHS)
    whole = Episodes.joined([train, held_out])
    assert sorted(whole.observation[:, 0].tolist()) == list(range(11))
    for part in (train, held_out):
        for first, length in zip(part.first.tolist(), part.lengths.tolist(), strict=True):
            seen = part.observation[first : first + length + 1, 0]
            assert (seen.diff() == 1).all()
    with pytest.raises(ValueError, match="holds 0 of 3 episodes out"):
        episodes.split(0.1)


def test_columns_that_do_not_fit_are_refused(episodes):
    state = episodes.state_dict() | {"reward": torch.zeros(3)}
    with pytest.raises(ValueError, match="3 episodes of 8 steps"):
        Episodes.from_state_dict(state)


@pytest.mark.parametrize("steps", [1, 37, 500])
def test_what_is_collected_follows_from_the_world(steps):
    """Every transition on the lake is one of its table's, with the reward of that one."""
    spec = spec_of("dreamgym/Lake-v0")
    lived = collect(spec, steps, seed=3)
    table = spec.make().unwrapped.P
    columns = lived.before, lived.action, lived.after, lived.reward, lived.terminated
    for s, a, after, reward, terminated in zip(*(c.tolist() for c in columns), strict=True):
        known = {(s2, r, end) for p, s2, r, end in table[s][a] if p > 0}
        assert (after, reward, terminated) in known
    assert len(lived) == steps
    assert (lived.starts == 0).all()
    ends = lived.lengths.cumsum(0) - 1
    assert lived.over[lived.terminated[ends]].all()
    same = collect(spec, steps, seed=3)
    assert all(
        torch.equal(a, b) for a, b in zip(vars(lived).values(), vars(same).values(), strict=True)
    )


def test_more_steps_than_memory_holds_are_refused_before_any_is_lived_through():
    with pytest.raises(ValueError, match=f"Cliff-v0: {10**12} steps: expected at most"):
        collect(spec_of("envs:dreamgym/Cliff-v0"), 10**12)


def test_an_actor_acts_and_explores_as_much_as_it_should():
    class Right:
        def predict(self, observation, state, start, deterministic):
            assert not deterministic
            return torch.full((len(observation),), 1).numpy(), state

    spec = spec_of("dreamgym/Walk-v0")
    assert (collect(spec, 64, actor=Right()).action == 1).all()
    share = (collect(spec, 2000, actor=Right(), exploration=0.4).action == 0).float().mean()
    assert share == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize(
    ("action", "said"),
    [([1.0], r"the shape \(16, 1\): expected \(16,\), of D"), (2, "2 is none of")],
)
def test_an_actor_of_another_environment_is_refused(action, said):
    class Other:
        def predict(self, observation, state, start, deterministic):
            return np.array([action] * len(observation)), state

    with pytest.raises(ValueError, match=said):
        collect(spec_of("dreamgym/Walk-v0"), 64, actor=Other())


class Odd(gym.Env):
    """Ends after four steps; one value is not what it should be at the third."""

    observation_space, action_space = gym.spaces.Box(0, 9, (2,)), gym.spaces.Discrete(2)

    def __init__(self, wrong, value):
        self.wrong, self.value = wrong, value

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return np.zeros(2, np.float32), {}

    def step(self, action):
        self.time += 1
        told = {"reward": 1.0, "terminated": self.time >= 4, "truncated": False}
        if self.time == 3:
            told[self.wrong] = self.value
        return np.full(2, self.time, np.float32), *told.values(), {}


@pytest.fixture
def odd():
    gym.register("Odd-v0", entry_point=Odd)
    return "Odd-v0"


@pytest.mark.parametrize(
    ("wrong", "value", "said"),
    [
        ("terminated", "False", "the flag 'False' at step 3: expected True or False"),
        ("truncated", 0.5, "the flag 0.5 at step 3"),
        ("reward", "1", "the reward '1' at step 3: expected a number"),
        ("reward", float("nan"), "the reward nan at step 3: expected a finite number"),
        ("reward", None, "the reward None at step 3: expected a number"),
    ],
)
def test_what_is_no_reward_and_no_flag_is_refused_before_it_is_stored(odd, wrong, value, said):
    spec = spec_of(odd, wrong=wrong, value=value)
    with pytest.raises(InvalidExperience, match=f"Odd-v0 returned {said}"):
        collect(spec, 60, seed=0)


@pytest.mark.parametrize(("wrong", "value"), [("reward", np.array([1])), ("terminated", 0)])
def test_rewards_and_flags_in_other_forms_are_made_ours(odd, wrong, value):
    episodes = collect(spec_of(odd, wrong=wrong, value=value), 60, seed=0)
    assert episodes.reward.tolist() == [1.0] * 60
    assert episodes.lengths[:10].tolist() == [4] * 10
