"""What people hand to `predict` is cast as what environments return is."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import agents
from agents.environments.spaces import as_rows

VECTOR = gym.spaces.Box(-9, 9, (4,), np.float32)


@pytest.mark.parametrize("members", [[0.0, 1, 2, 3], np.arange(4), torch.arange(4.0).double()])
def test_one_member_in_any_form_is_a_row_of_the_spaces_dtype(members):
    rows, single = as_rows(VECTOR, members)
    assert (single, rows.dtype, rows.tolist()) == (True, np.float32, [[0.0, 1.0, 2.0, 3.0]])
    many, single = as_rows(VECTOR, np.stack([np.asarray(members)] * 3))
    assert (single, many.shape) == (False, (3, 4))


def test_other_shapes_and_broken_numbers_are_refused():
    with pytest.raises(ValueError, match=r"shape \(3,\) was given: expected \(4,\)"):
        as_rows(VECTOR, np.zeros(3))
    with pytest.raises(ValueError, match=r"shape \(1, 1, 4\)"):
        as_rows(VECTOR, np.zeros((1, 1, 4)))
    with pytest.raises(ValueError, match=r"float64 was given where Box.* has uint8"):
        as_rows(gym.spaces.Box(0, 255, (2,), np.uint8), [0.5, 0.1])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_numbers_that_are_not_finite_are_refused(dtype, value):
    space = gym.spaces.Box(-np.inf, np.inf, (4,), dtype)
    with pytest.raises(ValueError, match=f"{value} was given: expected finite numbers"):
        as_rows(space, [0.0, value, 1.0, 2.0])
    largest = float(np.finfo(dtype).max)  # its square is infinite
    assert as_rows(space, [largest] * 4)[0].tolist() == [[largest] * 4]


def test_agents_do_not_answer_to_what_is_no_observation():
    parts = gym.spaces.Dict({"a": VECTOR, "b": gym.spaces.Discrete(3)})
    with pytest.raises(ValueError, match="nan was given: expected finite numbers"):
        as_rows(parts, {"a": [0, np.nan, 0, 0], "b": 1})
    with pytest.raises(ValueError, match="nan was given: expected finite numbers"):
        agents.DQN("CartPole-v1").predict([np.nan] * 4)


@pytest.mark.parametrize("encoder", ["auto", "lstm"])
def test_agents_predict_from_lists(encoder):
    agent = agents.PPO("CartPole-v1", agents.PPOConfig(encoder=encoder))
    listed, _ = agent.predict([0.0, 0.1, 0.0, 0.2], deterministic=True)
    row, _ = agent.predict(np.array([0.0, 0.1, 0.0, 0.2], np.float32), deterministic=True)
    assert listed == row


@pytest.mark.parametrize(
    "members", [None, "x", [0, 1, 2, "x"], {}, {"a": 3}, [[1, 2], [3]], object(), agents]
)
def test_what_is_no_member_at_all_is_told_with_the_space(members):
    for space in (VECTOR, gym.spaces.Discrete(4), gym.spaces.MultiDiscrete([2, 3])):
        with pytest.raises(ValueError, match="was given: expected one or several of") as error:
            as_rows(space, members)
        assert "\n" not in str(error.value)


def test_parts_of_other_numbers_of_observations_are_refused():
    space = gym.spaces.Dict(a=gym.spaces.Discrete(3), b=VECTOR)
    with pytest.raises(ValueError, match="parts of 1 and 2 observations were given: expected as"):
        as_rows(space, {"a": 1, "b": np.stack([VECTOR.sample()] * 2)})


def test_numbers_that_a_space_does_not_count_are_refused():
    counted = gym.spaces.Discrete(3, start=1)
    assert as_rows(counted, [1, 3])[0].tolist() == [1, 3]
    for wrong in (0, 4, [1, 4]):
        with pytest.raises(ValueError, match=r"was given: expected one or several of Discrete\(3"):
            as_rows(counted, wrong)
    pairs = gym.spaces.MultiDiscrete([2, 3])
    assert as_rows(pairs, [1, 2])[0].tolist() == [[1, 2]]
    with pytest.raises(ValueError, match=r"\[2, 1\] was given: expected one or several of Multi"):
        as_rows(pairs, [2, 1])
    for kind in (agents.QLearning, agents.DQN):
        with pytest.raises(ValueError, match=r"99 was given: expected one or several of Discrete"):
            kind("FrozenLake-v1").predict(99)


TWO = gym.spaces.Discrete(2)


class World(gym.Env):
    """A world of given spaces."""

    def __init__(self, seen, chosen=TWO):
        self.observation_space, self.action_space = seen, chosen


NOTHING = gym.spaces.Box(-1, 1, (0,))


@pytest.mark.filterwarnings("ignore:.*cannot be made anew")
@pytest.mark.parametrize("kind", ["DQN", "PPO", "QLearning"])
@pytest.mark.parametrize(
    ("spaces", "error", "words"),
    [
        ((NOTHING,), ValueError, "the observation space of .* holds nothing"),
        ((VECTOR, NOTHING), ValueError, "the action space of .* holds nothing"),
        ((gym.spaces.Box(0, 255, (0, 8, 3), np.uint8),), ValueError, "holds nothing"),
        ((gym.spaces.Dict({"a": VECTOR, "b": NOTHING}),), ValueError, "the part 'b' of the obs"),
        ((gym.spaces.Tuple(()),), ValueError, "holds nothing"),
        ((None,), TypeError, "is None: expected one of gymnasium.spaces"),
        ((VECTOR, [-1.0, 1.0]), TypeError, r"is \[-1.0, 1.0\]: expected one of gymnasium.spaces"),
    ],
    ids=["box", "actions", "picture", "part", "tuple", "none", "list"],
)
def test_spaces_that_hold_nothing_or_are_none_are_refused(kind, spaces, error, words):
    with pytest.raises(error, match=words):
        getattr(agents, kind)(World(*spaces))


def test_a_tensor_that_has_a_gradient_is_an_observation():
    rows, single = as_rows(VECTOR, torch.ones(4, requires_grad=True))
    assert (single, rows.tolist()) == (True, [[1.0] * 4])


@pytest.mark.parametrize("kind", ["DQN", "PPO"])
def test_predict_refuses_what_is_no_flag_and_takes_those_of_others(kind):
    agent, state = getattr(agents, kind)("CartPole-v1"), np.zeros(4, np.float32)
    for flag in (torch.tensor(True), np.True_, np.array(True)):
        agent.predict(state, deterministic=flag)
    for odd in ("false", 1, None, torch.tensor([True, False]), np.array([True, False])):
        with pytest.raises(ValueError, match=r"deterministic is .*: expected True or False"):
            agent.predict(state, deterministic=odd)


@pytest.mark.parametrize("kind", ["DQN", "PPO"])
def test_memories_are_told_where_episodes_begin_in_any_form(kind):
    memory = {"DQN": {"memory": "lstm"}, "PPO": {"encoder": "lstm"}}[kind]
    agent = getattr(agents, kind)("CartPole-v1", getattr(agents, f"{kind}Config")(**memory))
    observation = np.zeros((2, 4), np.float32)
    state = agent.predict(observation)[1] + 1
    told = [[True, False], (1, 0), torch.tensor([True, False]), np.array([1.0, 0.0])]
    after = [agent.predict(observation, state, starts, True)[1] for starts in told]
    for each in after:
        assert torch.equal(each, after[0])
        assert not torch.equal(each[:, :, 0], each[:, :, 1])
    for odd in (True, [True], [2, 0], "ab", [[True], [True, False]]):
        with pytest.raises(ValueError, match=r"episode_start is .*: expected True or False, of 2"):
            agent.predict(observation, state, odd)
    for odd in ("x", np.zeros(3), torch.zeros(3)):
        with pytest.raises(ValueError, match=r"the state is .*: expected None, or what predict"):
            agent.predict(observation, odd)
