"""No algorithm ever takes an action that its mask forbids, nor learns from one."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from masked_worlds import Forbidden, Guarded

import agents as front
from agents.dqn.build import build_return_model
from agents.environments.source import EnvSource
from agents.imitation.agent import BehaviourCloning
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.outcomes.export import export_policy
from agents.outcomes.media import record
from nets.runs.checkpoint import CheckpointError

POLICY = {"hidden": (16,), "entropy_coefficient": 0.01}
VALUES = {"hidden": (16,), "learning_starts": 40, "batch_size": 16, "exploration_steps": 100}
MEMORY = {"encoder": "lstm", "memory_size": 8, "sequence_length": 5, "burn_in": 2}
FLAT = {  # algorithm and settings, on vectors
    "ppo": ("ppo", POLICY | {"n_steps": 16, "batch_size": 16}),
    "ppo gru": ("ppo", POLICY | {"n_steps": 16, "encoder": "gru", "memory_size": 8}),
    "a2c": ("a2c", POLICY),
    "reinforce": ("reinforce", POLICY),
    "dqn": ("dqn", VALUES),
    "dqn n-step": ("dqn", VALUES | {"n_step": 3, "double": False, "dueling": True}),
    "dqn c51 noisy": ("dqn", VALUES | {"head": "categorical", "noisy": True, "atoms": 7}),
    "dqn quantiles prioritised": (
        "dqn",
        VALUES | {"head": "quantile", "atoms": 7, "replay": "prioritized"},
    ),
    "dqn lstm": ("dqn", VALUES | MEMORY | {"n_step": 2}),
}
TABLES = ["sarsa", "expected-sarsa", "q-learning", "double-q-learning"]
CASES = FLAT | {name: (name, {"epsilon_start": 0.5, "epsilon_end": 0.5}) for name in TABLES}
MODES = list(AutoresetMode)


def made(case, world="Guarded", *, num_envs=None, **settings):
    """An agent that masks actions, and the keywords of its world."""
    name, config = CASES[case]
    kind = front.find_algorithm(name).agent_type()
    if world in ("Guarded", "Asked"):
        world = gym.make(f"{world}-v0", table=name in TABLES, **settings)
    settings = kind.config_type(mask_actions=True, **config)
    return kind(world, settings, seed=3, device="cpu", num_envs=num_envs)


@pytest.mark.parametrize(("world", "num_envs"), [("Guarded", 1), ("Asked", 1), ("Asked", 3)])
@pytest.mark.parametrize("case", CASES)
def test_no_masked_action_is_ever_taken(case, world, num_envs, tmp_path):
    agent = made(case, world, num_envs=num_envs)
    agent.learn(300, progress=False)
    for deterministic in (True, False):
        played = evaluate(agent, episodes=12, num_envs=4, deterministic=deterministic)
        assert played.episodes == 12
    record(agent, agent.source, tmp_path / "play.png", episodes=2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("case", CASES)
def test_nor_in_vectors_of_others(case, mode):
    table = CASES[case][0] in TABLES
    world = SyncVectorEnv([lambda: Guarded(table=table)] * 3, autoreset_mode=mode)
    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = made(case, world)
    agent.learn(300, progress=False)


@pytest.mark.parametrize("case", [case for case in FLAT if not case.startswith("dqn")])
def test_nor_among_several_choices(case):
    agent = made(case, several=True)
    agent.learn(300, progress=False)
    assert evaluate(agent, episodes=12, deterministic=False).episodes == 12


def test_who_masks_nothing_is_found_out():
    """The guard would see it: without masks the same agents take forbidden actions."""
    for case in ("ppo", "dqn", "q-learning"):
        name, config = CASES[case]
        kind = front.find_algorithm(name).agent_type()
        world = gym.make("Guarded-v0", table=name in TABLES)
        with pytest.raises(Forbidden):
            kind(world, kind.config_type(**config), seed=3, device="cpu").learn(300, progress=False)


@pytest.mark.parametrize("case", TABLES)
def test_nor_in_the_fused_loop_on_taxi(case):
    agent = made(case, "Taxi-v4")
    agent.learn(20_000, progress=False)
    assert type(agent.stream(0)).__name__ == "FusedStream"
    visits = agent.arrays.visits.reshape(agent.tables, 500, 6).sum(0)
    table = agent.mask_table
    assert visits[table].sum() == 20_000
    assert visits[~table].sum() == 0
    assert table[np.arange(500), agent.policy].all()


def test_taxis_table_is_what_taxi_tells():
    agent = made("q-learning", "Taxi-v4")
    env = gym.make("Taxi-v4")
    for seed in range(50):
        state, info = env.reset(seed=seed)
        assert agent.mask_table[state].tolist() == info["action_mask"].astype(bool).tolist()


# Learning ----------------------------------------------------------------------------------------


class Corridor(gym.Env):
    """Two states, each of one step: the second allows only action 0, worth 1; 1 would be worth 0.

    Whoever asks for the value of the forbidden action, which is never tried, is wrong for ever.
    """

    metadata = {"render_modes": []}

    def __init__(self, render_mode=None):
        self.observation_space = gym.spaces.Discrete(2)
        self.action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._now = 0
        return 0, {"action_mask": np.array([1, 1], np.int8)}

    def step(self, action):
        if self._now == 1 and action == 1:
            raise Forbidden
        self._now += 1
        over, allowed = self._now == 2, [1, 0] if self._now == 1 else [0, 0]
        return min(self._now, 1), float(over), over, False, {"action_mask": np.array(allowed)}


gym.register("Corridor-v0", entry_point=Corridor, disable_env_checker=True)


class Charted(Corridor):
    """Has a table of its transitions, which says something of the forbidden action, too."""

    P = {
        0: {a: [(1.0, 1, 0.0, False)] for a in (0, 1)},
        1: {a: [(1.0, 1, 1.0, True)] for a in (0, 1)},
    }
    initial_state_distrib = np.array([1.0, 0.0])


gym.register("Charted-v0", entry_point=Charted, disable_env_checker=True)


def test_a_table_is_compared_with_what_is_allowed():
    agent = made("q-learning", "Charted-v0")
    assert agent.model is not None
    assert agent.mask_table is None
    assert agent.learn(100, progress=False).policy[1] == 0


@pytest.mark.parametrize("case", TABLES)
def test_tables_do_not_bootstrap_from_what_is_forbidden(case):
    kind = front.find_algorithm(case).agent_type()
    config = kind.config_type(
        mask_actions=True, discount=0.5, initial_value=50.0, epsilon_start=0.5, epsilon_end=0.5
    )
    agent = kind("Corridor-v0", config, seed=0).learn(2_000, progress=False)
    np.testing.assert_allclose(agent.q[:, 0], [0.5, 1.0], atol=1e-6)
    assert agent.q[1, 1] == 50.0  # as it began
    assert agent.values[1] == agent.q[1, 0]
    assert agent.policy[1] == 0


@pytest.mark.parametrize("head", ["expected", "categorical", "quantile"])
def test_targets_of_dqn_are_those_of_a_world_without_the_forbidden_actions(head):
    config = front.DQNConfig(head=head, atoms=5)
    returns, rng = build_return_model(config, torch.device("cpu")), torch.manual_seed(0)
    outputs, selector = torch.randn(2, 30, 4, returns.size, generator=rng)
    reward, discount = torch.rand(2, 30, generator=rng)
    mask = torch.rand(30, 4, generator=rng) < 0.5
    mask[:, 1] |= ~mask.any(-1)
    numbers = reward, discount, outputs.flatten(1)
    best = returns.q_learning_target(*numbers, mask)
    double = returns.double_q_learning_target(*numbers, selector.flatten(1), mask)
    assert not torch.equal(best, returns.q_learning_target(*numbers))
    for k in range(30):
        z, chooser = (each[k][mask[k]].flatten() for each in (outputs, selector))
        row = reward[k], discount[k], z
        torch.testing.assert_close(best[k], returns.q_learning_target(*row))
        torch.testing.assert_close(double[k], returns.double_q_learning_target(*row, chooser))


@pytest.mark.parametrize("double", [False, True])
def test_dqn_does_not_bootstrap_from_what_is_forbidden(double):
    settings = {"learning_starts": 20, "train_every": 1, "target_every": 10, "epsilon_end": 0.5}
    config = front.DQNConfig(
        mask_actions=True, double=double, discount=0.5, hidden=(), learning_rate=0.1, **settings
    )
    agent = front.DQN("Corridor-v0", config, seed=0, device="cpu")
    with torch.no_grad():  # the action that is never tried looks best
        for network in (agent.online, agent.target):
            network.module[-1].weight[1] = 50.0
    agent.learn(600, progress=False)
    np.testing.assert_allclose(agent.q_values(np.array([0, 1]))[:, 0], [0.5, 1.0], atol=0.1)


def test_replay_keeps_the_mask_of_every_next_observation():
    for case in ("dqn", "dqn n-step"):
        agent = made(case, num_envs=3)
        agent.learn(240, progress=False)
        rows, live = agent.replay._fields, len(agent.replay)
        follows = rows.discount[:live] > 0
        expected = rows.next_observation[:live, :4] > 0
        np.testing.assert_array_equal(rows.next_mask[:live][follows], expected[follows])
        assert rows.next_mask[:live][~follows].all()
        assert 0 < follows.sum() < live


def test_sequences_keep_the_mask_of_the_row_that_follows():
    agent = made("dqn lstm", num_envs=2)
    agent.learn(240, progress=False)
    rows, checked = agent.replay._fields, 0
    for m in range(len(agent.replay)):
        for t in range(5):
            if rows.valid[m, t] and rows.discount[m, t] > 0:
                seen = rows.observation[m, 2 + rows.after[m, t], :4] > 0
                assert rows.next_mask[m, t].tolist() == seen.tolist()
                checked += 1
    assert checked > 100
    batch, _ = agent.replay.sample(np.random.default_rng(0), 2, 3)
    assert batch.next_mask.shape == (2, 5, 3, 4)


@pytest.mark.parametrize("case", ["dqn", "dqn lstm", "ppo", "q-learning"])
def test_a_run_goes_on_bit_for_bit(case, tmp_path):
    def train(folder, steps):
        agent = made(case)
        config = RunConfig(600, segment_steps=150, log_every=50, eval_every=0)
        Trainer(agent, RunFolder(folder), config, progress=False).run(steps)
        return agent

    whole = train(tmp_path / "whole", 600)
    train(tmp_path / "part", 300)
    part = train(tmp_path / "part", 600)
    same(whole.state_dict(), part.state_dict())
    same(front.load(tmp_path / "part", checkpoint="last").state_dict(), whole.state_dict())


def same(left, right):
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for name in left:
            same(left[name], right[name])
    elif isinstance(left, torch.Tensor):
        assert torch.equal(left, right)
    else:
        assert left == right


# Acting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_predict_takes_masks_as_sb3_contrib_has_it(case):
    agent = made(case)
    env = gym.make("Guarded-v0", table=CASES[case][0] in TABLES)
    seen, _ = env.reset(seed=0)
    for k in range(4):
        mask = np.eye(4, dtype=np.int8)[k]
        for deterministic in (True, False):
            action, _ = agent.predict(seen, deterministic=deterministic, action_masks=mask)
            assert action == 2 + k
    with pytest.raises(ValueError, match="configured with mask_actions=True, and got no masks"):
        agent.predict(seen)
    with pytest.raises(ValueError, match="action_masks has shape"):
        agent.predict(seen, action_masks=[1, 1])


def test_who_learned_without_masks_may_act_with_them():
    agent = front.PPO("Guarded-v0", seed=0, device="cpu")
    seen = np.zeros((7, 5), np.float32)
    masks = np.eye(4, dtype=bool)[[0, 1, 2, 3, 0, 1, 2]]
    assert agent.predict(seen, action_masks=masks)[0].tolist() == [2, 3, 4, 5, 2, 3, 4]
    planner = front.ValueIteration("Taxi-v4")
    assert planner.predict(0, action_masks=np.eye(6)[3])[0] == 3


@pytest.mark.parametrize("case", ["ppo", "ppo gru", "dqn c51 noisy", "dqn lstm", "q-learning"])
def test_an_exported_policy_takes_the_mask(case):
    agent = made(case)
    agent.learn(200, progress=False)
    program = export_policy(agent)
    names = [each["name"] for each in program.about["inputs"]]
    assert names[0] == "observation"
    assert names[-1] == "action_mask"
    assert program.about["inputs"][-1]["shape"] == ["N", 4]
    policy, rng = program.exported.module(), np.random.default_rng(0)
    seen = np.stack([agent.observation_space.sample() for _ in range(9)])
    masks = rng.random((9, 4)) < 0.4
    masks[:, 1] |= ~masks.any(axis=1)
    expected, _ = agent.predict(seen, None, np.ones(9, bool), True, masks)
    inputs = [torch.from_numpy(seen)]
    if "state" in names:
        shape = [9 if size == "N" else size for size in program.about["inputs"][1]["shape"]]
        inputs += [torch.zeros(shape), torch.ones(9, dtype=torch.bool)]
    found = policy(*inputs, torch.from_numpy(masks))
    action = found[0] if "state" in names else found
    np.testing.assert_array_equal(action.numpy(), expected)
    assert masks[np.arange(9), expected - 2].all()


def test_a_clone_does_nothing_that_is_forbidden(tmp_path):
    expert = made("ppo")
    expert.learn(200, progress=False)
    expert.save(tmp_path / "expert.pt")
    settings = {"expert": str(tmp_path / "expert.pt"), "hidden": (8,), "epochs": 2}
    config = front.BCConfig(mask_actions=True, **settings)
    clone = BehaviourCloning("Guarded-v0", config, num_envs=2, device="cpu")
    clone.learn(60, progress=False)
    assert evaluate(clone, episodes=8).episodes == 8
    assert 0.0 <= clone.metrics["disagreement"] <= 1.0
    bare = BehaviourCloning("Guarded-v0", front.BCConfig(**settings), device="cpu")
    with pytest.raises(CheckpointError, match="to imitate it, bc needs mask_actions=True"):
        bare.begin()


# What cannot be masked ---------------------------------------------------------------------------


def test_worlds_that_tell_no_masks_are_refused():
    agent = front.PPO("CartPole-v1", front.PPOConfig(mask_actions=True), device="cpu")
    message = "CartPole-v1 told no action mask at step 0: expected .* or mask_actions=False"
    for refused in (agent.begin, lambda: agent.learn(10), lambda: evaluate(agent)):
        with pytest.raises(ValueError, match=message):
            refused()


def test_other_actions_and_other_peoples_algorithms_are_refused():
    for world in ("Pendulum-v1", gym.make("Guarded-v0")):
        if world == "Pendulum-v1":
            with pytest.raises(
                TypeError, match="only Discrete and MultiDiscrete ones can be masked"
            ):
                front.A2C(world, front.A2CConfig(mask_actions=True), device="cpu")
    with pytest.raises(
        ValueError, match="mask_actions is True: expected False, for stable-baselines3"
    ):
        front.SB3DQNConfig(mask_actions=True)
    agent = front.SB3PPO("CartPole-v1", device="cpu")
    with pytest.raises(ValueError, match="sb3-ppo cannot mask actions"):
        agent.predict(np.zeros(4), action_masks=[1, 0])


def test_masks_are_off_unless_they_are_asked_for():
    for algorithm in front.ALGORITHMS.values():
        config = algorithm.config_type()
        assert getattr(config, "mask_actions", False) is False
    assert EnvSource.of("Guarded-v0").stepper().mask is None
