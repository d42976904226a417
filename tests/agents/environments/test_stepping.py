"""Vector environments of other people's making give the same experience, however they put it."""

from contextlib import nullcontext

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.envs.classic_control import CartPoleEnv, PendulumEnv
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

import agents
from agents.environments.door import InvalidExperience
from agents.environments.stepping import SingleStepper, VectorStepper

LIMIT = 5


class Clock(VectorEnv):
    """Two clocks that run to five, in an array that is used again; forms of all kinds."""

    num_envs = 2
    single_observation_space = gym.spaces.Box(0, 9, (1,), np.float32)
    single_action_space = gym.spaces.Discrete(2)

    def __init__(self, mode, *, flag=np.bool_, final="final_obs", form=np.asarray, heed=True):
        self.observation_space = batch_space(self.single_observation_space, 2)
        self.action_space = batch_space(self.single_action_space, 2)
        self.metadata = {} if mode is None else {"autoreset_mode": mode}
        self.flag, self.final, self.form, self.heed = flag, final, form, heed
        self.time, self.over = np.zeros((2, 1), np.float32), np.zeros(2, bool)

    def reset(self, *, seed=None, options=None):
        again = options["reset_mask"] if options and self.heed else np.ones(2, bool)
        self.time[again] = [[0], [2]] if again.all() and not options else 0
        self.over[:] = False
        return self.form(self.time), {}

    def step(self, action):
        resets = self.over & (self.final == "next")
        self.time += 1
        self.time[resets] = 0
        self.over, info = self.time[:, 0] >= LIMIT, {}
        if self.over.any() and self.final.startswith("final"):
            info = {
                self.final: [
                    row.copy() if o else None for row, o in zip(self.time, self.over, strict=True)
                ]
            }
            self.time[self.over] = 0
        flags = self.over.astype(self.flag), np.zeros(2, self.flag)
        return self.form(self.time), np.ones((2, 1)), *map(self.form, flags), info


def played(env, steps=12):
    """What each clock went through: (time, next time, terminated) of the transitions."""
    stepper = VectorStepper(env, "Clock")
    here, told = stepper.reset(0), [[], []]
    for _ in range(steps):
        step = stepper.step(np.zeros(2, int))
        assert step.terminated.dtype == step.truncated.dtype == np.bool_
        assert step.reward.shape == (2,)
        for k in range(2):
            if step.valid[k]:
                row = here[k].item(), step.next_observation[k].item(), bool(step.terminated[k])
                told[k].append(row)
        here = step.observation
    return told


EXPECTED = [(t % LIMIT, t % LIMIT + 1, t % LIMIT == LIMIT - 1) for t in range(14)]
FORMS = {
    "same step": {"mode": AutoresetMode.SAME_STEP},
    "same step, spelled": {"mode": "same_step"},
    "same step, by value": {"mode": AutoresetMode.SAME_STEP.value},
    "unsaid, old name": {"mode": None, "final": "final_observation"},
    "uint8 flags": {"mode": AutoresetMode.SAME_STEP, "flag": np.uint8},
    "int flags": {"mode": AutoresetMode.SAME_STEP, "flag": np.int64},
    "torch": {"mode": AutoresetMode.SAME_STEP, "form": torch.from_numpy},
    "disabled": {"mode": AutoresetMode.DISABLED, "final": ""},
    "next step": {"mode": "NextStep", "final": "next"},
    "unsaid": {"mode": None, "final": "next", "flag": np.uint8},
}


@pytest.mark.parametrize("form", FORMS, ids=FORMS)
def test_every_form_gives_the_same_transitions(form):
    unsaid = pytest.warns(UserWarning, match="says not when: in the step after an end, it is assum")
    with unsaid if form == "unsaid" else nullcontext():
        first, second = played(Clock(**FORMS[form]))
    assert first == EXPECTED[: len(first)]
    assert second == EXPECTED[2 : 2 + len(second)]
    assert min(len(first), len(second)) >= 10


def test_what_cannot_be_right_is_said():
    with pytest.raises(ValueError, match="autoreset mode 'sometimes': expected one of NEXT_STEP"):
        VectorStepper(Clock("sometimes"))
    with pytest.raises(InvalidExperience, match="info has no final_obs"):
        played(Clock(AutoresetMode.SAME_STEP, final="next"))
    with pytest.raises(InvalidExperience, match="takes no heed of reset_mask"):
        played(Clock(AutoresetMode.DISABLED, final="", heed=False))


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_gymnasiums_vectors_that_use_their_arrays_again_do_not_spoil_what_was_seen(mode):
    def rows(copy):
        env = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * 2, copy=copy, autoreset_mode=mode)
        stepper = VectorStepper(env)
        seen = [stepper.reset(0)]
        for _ in range(40):
            step = stepper.step(np.ones(2, int))
            seen += [step.observation, step.next_observation]
        return np.stack(seen)

    np.testing.assert_array_equal(rows(copy=False), rows(copy=True))
    assert len(np.unique(rows(copy=False), axis=0)) > 40


# As many rows as environments --------------------------------------------------------------------


class Miscounted(VectorEnv):
    """Two worlds that end in every third step, one array of which is of another length."""

    num_envs = 2
    single_action_space = gym.spaces.Discrete(2)
    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP}

    def __init__(self, space, what, rows):
        self.single_observation_space = space
        self.observation_space = batch_space(space, 2)
        self.action_space = batch_space(self.single_action_space, 2)
        self.what, self.rows, self.taken = what, rows, 0

    def count(self, what):
        return self.rows if what == self.what and self.taken in (0, 3) else 2

    def seen(self, what):
        return batch_space(self.single_observation_space, self.count(what)).sample()

    def told(self):
        return {"action_mask": np.ones((self.count("masks"), 2), bool)}

    def reset(self, *, seed=None, options=None):
        return self.seen("reset"), self.told()

    def step(self, action):
        self.taken += 1
        over = self.taken % 3 == 0
        info = {"final_obs": self.seen("final")} if over else {}
        flags = np.full(self.count("terminated"), over), np.zeros(self.count("truncated"), bool)
        return self.seen("step"), np.ones(self.count("rewards")), *flags, info | self.told()


class Plain(VectorWrapper):
    """A wrapper that may change rewards, and does not."""

    def step(self, actions):
        return self.env.step(actions)


PAIR = gym.spaces.Dict(place=gym.spaces.Box(-1, 1, (3,)), key=gym.spaces.Discrete(4))
COUNTS = [
    (
        gym.spaces.Box(-1, 1, (3,)),
        "reset",
        r"observations of shape \({n}, 3\) at step 0: expected \(2, 3\)",
    ),
    (
        gym.spaces.Box(-1, 1, (3,)),
        "step",
        r"observations of shape \({n}, 3\) at step 6: expected \(2, 3\)",
    ),
    (gym.spaces.Discrete(4), "step", r"observations of shape \({n},\) at step 6: expected \(2,\)"),
    (
        PAIR,
        "step",
        r"observations\['place'\] of shape \({n}, 3\) at step 6: expected \(2, 3\), one for each",
    ),
    (
        gym.spaces.Discrete(4),
        "final",
        "final_obs of length {n} at step 6: expected 2, one for each env",
    ),
    (PAIR, "final", "final_obs of length {n} at step 6: expected 2, one for each environment"),
    (gym.spaces.Discrete(4), "rewards", r"rewards of shape \({n},\) at step 6: expected \(2,\)"),
    (gym.spaces.Discrete(4), "terminated", r"flags of shape \({n},\) at step 6: expected \(2,\)"),
    (gym.spaces.Discrete(4), "truncated", r"flags of shape \({n},\) at step 6: expected \(2,\)"),
    (
        gym.spaces.Discrete(4),
        "masks",
        "action masks of length {n} at step 0: expected 2, one for each",
    ),
]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("around", [lambda env: env, Plain], ids=["bare", "wrapped"])
@pytest.mark.parametrize(("space", "what", "said"), COUNTS, ids=lambda x: str(x)[:12])
def test_other_numbers_of_rows_are_told_in_a_sentence(space, what, said, around, rows):
    stepper = VectorStepper(around(Miscounted(space, what, rows)), "Many", masks=what == "masks")

    def play():
        stepper.reset(0)
        for _ in range(3):
            stepper.step(np.zeros(2, int))

    with pytest.raises(InvalidExperience, match="^Many returned " + said.format(n=rows)):
        play()


def test_a_number_in_place_of_observations_is_told_in_a_sentence():
    env = Miscounted(gym.spaces.Discrete(4), "nothing", 2)
    env.seen = lambda what: 3
    with pytest.raises(InvalidExperience, match=r"observations of shape \(\) at step 0: expected"):
        VectorStepper(env, "Many").reset(0)


@pytest.mark.parametrize("mode", ["NEXT_STEP", "SAME_STEP", "DISABLED"])
def test_infos_that_come_one_by_one_tell_the_same(mode):
    """As Gymnasium's `DictInfoToList` has it; Taxi tells masks, and what came last."""
    kind = {"autoreset_mode": gym.vector.AutoresetMode[mode]}
    seen = []
    for around in (lambda env: env, gym.wrappers.vector.DictInfoToList):
        made = [lambda: gym.make("Taxi-v4", max_episode_steps=3)] * 2
        env = around(gym.vector.SyncVectorEnv(made, **kind))
        stepper = VectorStepper(env, "Taxi-v4", masks=True)
        rows = [stepper.reset(3)]
        for _ in range(8):
            step = stepper.step(stepper.mask.argmax(1))
            rows += [step.observation, step.next_observation, step.next_mask, step.valid]
        seen.append(rows)
    for one, other in zip(*seen, strict=True):
        np.testing.assert_array_equal(one, other)


class Grabbing(PendulumEnv):
    """Makes of its action what it likes."""

    def step(self, action):
        action *= 0.0
        return super().step(action)


@pytest.mark.parametrize("vector", [False, True])
def test_worlds_that_change_their_actions_change_nobody_elses(vector):
    many = SyncVectorEnv([Grabbing] * 2) if vector else None
    stepper = SingleStepper(Grabbing()) if many is None else VectorStepper(many)
    stepper.reset(0)
    action = np.ones((stepper.num_envs, 1), np.float32)
    stepper.step(action)
    assert action.all()


class Strict(gym.ActionWrapper):
    """Takes members of its space alone, as checkers do."""

    def __init__(self, space):
        super().__init__(CartPoleEnv())
        self.action_space = space

    def action(self, action):
        assert self.action_space.contains(action)
        return 0


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64])
def test_actions_are_members_of_spaces_of_any_dtype(dtype):
    space = gym.spaces.MultiDiscrete([2, 3], dtype=dtype)
    with pytest.warns(UserWarning, match="anew"):
        agent = agents.PPO(Strict(space), agents.PPOConfig(n_steps=8))
    agent.learn(16, progress=False)
    assert space.contains(agent.predict(np.zeros(4))[0])
    stepper = VectorStepper(SyncVectorEnv([lambda: Strict(space)] * 2))
    stepper.reset(0)
    stepper.step(np.ones((2, 2), np.int64))


@pytest.mark.parametrize("info", [None, "told", [{}], 3], ids=str)
def test_what_is_no_info_is_refused_by_name(info):
    class Odd(CartPoleEnv):
        def reset(self, **kwargs):
            return super().reset(**kwargs)[0], info

    with pytest.raises(
        InvalidExperience, match=r"Odd returned the info .* at step 0: expected a dict"
    ):
        SingleStepper(Odd(), "Odd").reset(0)
    vector = gym.vector.SyncVectorEnv([CartPoleEnv] * 2)
    vector.reset = lambda **_: (np.zeros((2, 4), np.float32), info)
    with pytest.raises(InvalidExperience, match=r"Odd returned the info .*expected a dict, or 2"):
        VectorStepper(vector, "Odd").reset(0)
