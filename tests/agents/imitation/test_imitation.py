import json
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import small_worlds  # noqa: F401  # registers Table-v0
import torch
from gymnasium.spaces import Discrete
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import nn

from agents import DQN, PPO, SB3DQN, BCConfig, BehaviourCloning, PPOConfig, QLearning, load
from agents.commands.evaluate import main as measure
from agents.commands.train import main as train
from agents.environments.source import EnvSource
from agents.imitation.demonstrations import Demonstrations, disagreement
from agents.imitation.fit import describe, fit_clone
from agents.loop.evaluation import evaluate
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.outcomes.export import export_policy
from agents.tabular.planners import ValueIteration, ValueIterationConfig
from nets.process.seeding import seeded
from nets.runs.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from nets.runs.divergence import Diverged

WORLD = "dreamgym/Cliff-v0"


@pytest.fixture(scope="module")
def expert(tmp_path_factory):
    """A planner's run: it never errs."""
    path = tmp_path_factory.mktemp("expert") / "expert.pt"
    agent = ValueIteration(WORLD, ValueIterationConfig(discount=0.9))
    agent.solve()
    agent.save(path)
    return path


def config(expert, **settings):
    return BCConfig(
        **{"expert": str(expert), "hidden": (16,), "batch_size": 64, "learning_rate": 0.02}
        | settings
    )


def test_the_learning_rate_follows_what_is_left_of_a_fit(expert):
    inputs, episode = torch.linspace(-1, 1, 48).view(24, 2), torch.arange(24) % 3
    data = inputs, (inputs[:, 0] > 0).long()
    shares = []

    def halving(left):
        shares.append(left)
        return 0.02 * left

    def fitted(**settings):
        torch.manual_seed(0)
        settings = {"epochs": 4, "patience": 9} | settings
        found = fit_clone(lambda: nn.Linear(2, 3), data, episode, config(expert, **settings), 0)
        return found.network.weight.detach()

    falling = fitted(learning_rate=halving)
    assert list(dict.fromkeys(shares)) == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert torch.equal(falling, fitted(schedule="linear"))
    assert not torch.equal(falling, fitted())
    assert torch.equal(fitted(), fitted(learning_rate=lambda left: 0.02))


def test_the_clone_acts_as_the_expert_does(expert, tmp_path):
    clone = BehaviourCloning(WORLD, config(expert), num_envs=4)
    before = evaluate(clone, episodes=2)
    clone.learn(400, progress=False)
    teacher = load(expert)
    assert evaluate(clone, episodes=2).returns == evaluate(teacher, episodes=2).returns
    assert before.mean_return < evaluate(clone, episodes=2).mean_return
    assert clone.metrics["disagreement"] == 0.0
    assert disagreement(clone, teacher, clone.source, steps=50) == 0.0
    assert "no gap to close" in clone.report()
    # the file holds all it takes to act, without the expert
    clone.save(tmp_path / "clone.pt")
    again = load(tmp_path / "clone.pt")
    assert "expert" not in vars(again)
    states = np.arange(clone.observation_space.n)
    expected = clone.predict(states, deterministic=True)[0]
    np.testing.assert_array_equal(again.predict(states, deterministic=True)[0], expected)
    assert again.report() == clone.report()


def test_demonstrations_are_what_the_expert_does_in_whole_episodes(expert):
    clone = BehaviourCloning(WORLD, config(expert), num_envs=3)
    clone.learn(120, progress=False)
    observation, action, episode = clone.demonstrations.tensors()
    right = load(expert).predict(observation.numpy(), deterministic=True)[0]
    np.testing.assert_array_equal(action, right)
    assert len(action) == 120 == clone.steps
    start = int(observation[0])
    for number in episode.unique():
        rows = observation[episode == number]
        assert rows[0] == start
        assert (rows[1:] != start).all()  # no other episode has got in
    lengths = episode.bincount()
    assert lengths.max() == 13  # the shortest way along the cliff
    assert sorted(lengths.tolist())[3:] == [13] * 9  # but for the three that were open


def test_a_clone_is_fitted_whenever_its_demonstrations_have_doubled(expert):
    """From 20 steps on, and at the end of a segment."""
    clone, fits = BehaviourCloning(WORLD, config(expert, epochs=1, hidden=(4,)), num_envs=4), []
    imitate = clone.imitate
    clone.imitate = lambda: fits.append(clone.demonstrations.rows) or imitate()
    clone.learn(96, lambda progress: None, progress=False)  # round by round
    assert fits == [20, 40, 80, 96]


def pupil_of(teacher, tmp_path, steps, **settings):
    teacher.save(tmp_path / "teacher.pt")
    settings = {"epochs": 1, "hidden": (4,), **settings}
    clone = BehaviourCloning(teacher.source, config(tmp_path / "teacher.pt", **settings))
    clone.learn(steps, progress=False)
    return clone


@pytest.mark.parametrize("kind", ["stable-baselines3", "pictures"])
def test_any_agent_can_be_imitated(tmp_path, kind):
    """The vector form of CartPole has steps that only reset: they show nothing."""
    if kind == "pictures":
        teacher = DQN("dreamgym/Catch-v0", num_envs=4)
    else:
        teacher = SB3DQN("CartPole-v1", device="cpu", num_envs=4)
    clone = pupil_of(teacher, tmp_path, 80, encoder="auto")
    observation, action, episode = clone.demonstrations.tensors()
    assert len(action) <= 80
    assert clone.demonstrations.episodes > 4
    assert (len(action) < 80) == (kind != "pictures")
    assert observation.numpy().dtype == clone.observation_space.dtype
    right = teacher.predict(observation.numpy(), deterministic=True)[0]
    np.testing.assert_array_equal(action, right)
    if kind != "pictures":  # the pole starts near the middle, and nowhere else but at the start
        first = np.unique(episode, return_index=True)[1]
        assert (observation[first].abs() <= 0.05).all()


def test_actions_and_states_that_begin_elsewhere_are_imitated(tmp_path):
    """Of Table-v0, whose states begin at 7 and actions at 3."""
    teacher = QLearning("Table-v0")
    teacher.arrays.q.reshape(5, 2)[:4] = [[1, 0], [1, 0], [0, 1], [0, 1]]
    clone = pupil_of(teacher, tmp_path, 200, epochs=50, hidden=(16,))
    assert set(clone.demonstrations.tensors()[1].tolist()) == {3, 4}
    assert clone.predict(np.arange(7, 11), deterministic=True)[0].tolist() == [3, 3, 4, 4]
    assert set(clone.predict(np.full(200, 7))[0].tolist()) <= {3, 4}


def test_an_expert_with_a_memory_remembers_its_own_episodes(tmp_path):
    teacher = PPO("dreamgym/Recall-v0", PPOConfig(encoder="gru", memory_size=8), num_envs=3)
    clone = pupil_of(teacher, tmp_path, 90)
    observation, action, episode = clone.demonstrations.tensors()
    replayed = torch.empty_like(action)
    for number in episode.unique():
        state, start = None, np.ones(1, bool)
        for row in (episode == number).nonzero().flatten():
            chosen, state = teacher.predict(observation[row][None].numpy(), state, start, True)
            replayed[row], start = int(chosen[0]), np.zeros(1, bool)
    assert torch.equal(replayed, action)
    alone = teacher.predict(observation.numpy(), None, np.ones(len(action), bool), True)[0]
    assert (alone != action.numpy()).any()  # the memory matters


def test_disagreement_counts_the_steps_of_the_clone(expert):
    """An untrained clone is judged where it comes itself, action by action."""
    clone = BehaviourCloning(WORLD, config(expert))
    teacher = load(expert)
    env = gym.make(clone.source.spec)
    wrong, (state, _) = 0, env.reset(seed=0)
    for _ in range(30):
        action = int(clone.predict(state, deterministic=True)[0])
        wrong += action != int(teacher.predict(state)[0])
        state, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            state, _ = env.reset()
    found = disagreement(clone, teacher, clone.source, steps=30, num_envs=1)
    assert found == pytest.approx(wrong / 30)
    assert 0.0 < found <= 1.0


class Clock(gym.Env):
    """Shows how many steps an episode has lasted; it ends after three."""

    def __init__(self):
        self.observation_space, self.action_space = Discrete(4), Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.now = 0
        return self.now, {}

    def step(self, action):
        self.now += 1
        return self.now, 0.0, self.now == 3, False, {}


class Early:
    """Does 1 in the first step of an episode, else 0."""

    def predict(self, observation, state, start, deterministic):
        return (observation == 0).astype(int), None


class Counting:
    """Counts its own steps, and does 1 where it finds the clock wrong."""

    def predict(self, observation, state, start, deterministic):
        count = np.where(start, 0, state)
        return (observation != count).astype(int), count + 1


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_steps_that_only_reset_are_no_disagreement(mode):
    """In them, an episode's last observation is seen again, and the next step begins another."""
    with pytest.warns(UserWarning, match="cannot be made anew"):
        source = EnvSource.of(SyncVectorEnv([Clock] * 2, autoreset_mode=mode))
    assert disagreement(Early(), Counting(), source, steps=60) == pytest.approx(1 / 3)


class Killed(Exception):
    pass


def test_S_IO_02_a_run_that_was_cut_off_ends_in_the_same_weights(expert, tmp_path):
    settings = RunConfig(240, segment_steps=80, log_every=40, eval_every=0)

    def clone_into(folder, fail_at=None):
        clone = BehaviourCloning(WORLD, config(expert, epochs=3), num_envs=4)
        run = RunFolder(tmp_path / folder)
        if not run.config_file.exists():
            run.create(clone, settings, [])

        def kill(progress):
            if progress.steps == fail_at:
                raise Killed

        Trainer(clone, run, settings, callbacks=[kill], progress=False).run(240)
        return clone

    whole = clone_into("whole")
    with pytest.raises(Killed):
        clone_into("cut", fail_at=120)
    resumed = clone_into("cut")
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    pairs = zip(whole.demonstrations.tensors(), resumed.demonstrations.tensors(), strict=True)
    assert all(torch.equal(first, second) for first, second in pairs)
    first, second = (tmp_path / name / "metrics.csv" for name in ("whole", "cut"))
    assert first.read_bytes() == second.read_bytes()
    assert "validation_accuracy" in first.read_text()
    assert "data_mismatch" in first.read_text()


def imbalanced(rows=400):
    """Episodes of 10 steps; the action is 1 in one row of twenty, and plain to see."""
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(rows) % 20 == 7).long()
    noise = torch.randn(rows, 2, generator=generator)
    return (noise + labels[:, None] * 1.6, labels), torch.arange(rows) // 10


def build():
    with seeded(0):
        return nn.Linear(2, 2)


SETTINGS = BCConfig(expert="none", batch_size=32, learning_rate=0.03, epochs=8, patience=8)


@pytest.fixture(scope="module")
def plain():
    data, episode = imbalanced()
    return fit_clone(build, data, episode, SETTINGS, seed=1)


@pytest.mark.parametrize("balance", ["weights", "over", "under", "synthetic"])
def test_S_DATA_01_S_DATA_02_S_DATA_03_S_DATA_04_balance_finds_rare_actions(plain, balance):
    data, episode = imbalanced()
    settings = replace(SETTINGS, balance=balance, epochs=30 if balance == "under" else 8)
    fair = fit_clone(build, data, episode, settings, seed=1)
    gain = (
        fair.metrics["validation_balanced_accuracy"] - plain.metrics["validation_balanced_accuracy"]
    )
    assert gain > 0.1
    assert plain.mistakes[1] > fair.mistakes[1]


def test_S_CV_01_cross_validation_is_by_episode_and_changes_nothing_of_the_fit(plain):
    data, episode = imbalanced()
    fitted = fit_clone(build, data, episode, replace(SETTINGS, folds=4), seed=1)
    assert 0.8 < fitted.metrics["cv_accuracy"] <= 1.0
    assert 0.0 < fitted.metrics["cv_error"] < 0.1
    same = fitted.network.state_dict()
    assert all(torch.equal(v, same[k]) for k, v in plain.network.state_dict().items())
    assert {k: fitted.metrics[k] for k in plain.metrics} == plain.metrics


def test_S_CV_02_episodes_are_held_out_whole():
    """Labels that only the episode tells: no network can know them of an episode held out."""
    episode = torch.arange(200) // 10
    generator = torch.Generator().manual_seed(0)
    where = torch.randn(20, 8, generator=generator)[episode]
    labels = torch.randint(2, (20,), generator=generator)[episode]

    def large():
        with seeded(0):
            return nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))

    settings = replace(SETTINGS, epochs=40, patience=40)
    found = fit_clone(large, (where, labels), episode, settings, seed=0).metrics
    mixed = fit_clone(large, (where, labels), torch.arange(200), settings, seed=0).metrics
    assert mixed["validation_accuracy"] > 0.95  # rows of one episode on both sides: a leak
    assert found["validation_accuracy"] < 0.85
    assert found["validation_rows"] == 40


def test_S_DATA_06_smoothed_targets_keep_the_clone_from_certainty():
    data, episode = imbalanced()
    separable = data[1][:, None] * torch.tensor([4.0, 4.0]) - 2.0
    sure, unsure = (
        fit_clone(
            build,
            (separable, data[1]),
            episode,
            replace(SETTINGS, label_smoothing=s, epochs=60, patience=60),
            seed=0,
        ).network(separable)
        for s in (0.0, 0.2)
    )
    assert sure.softmax(1).amax(1).min() > 0.96
    assert unsure.softmax(1).amax(1).max() < 0.96  # 0.9 is the target
    assert torch.equal(unsure.argmax(1), data[1])


def test_S_DIAG_02_the_report_names_the_problem():
    metrics = {
        "demonstrations": 500.0,
        "epochs": 7.0,
        "validation_rows": 100.0,
        "train_accuracy": 0.99,
        "validation_accuracy": 0.96,
        "validation_balanced_accuracy": 0.7,
        "disagreement": 0.2,
        "cv_accuracy": 0.95,
        "cv_error": 0.01,
    }
    text = describe(metrics, [1, 3], ["0", "1"])
    assert "avoidable bias  +0.0100" in text
    assert "variance        +0.0300" in text
    assert "data mismatch   +0.1600" in text
    assert "data mismatch: try" in text
    assert "the expert takes 1, the clone does not: 3 (75%)" in text
    assert "cross-validated: 0.9500 ± 0.0100" in text


def test_demonstrations_survive_files_and_must_come_in_order(tmp_path):
    rows = Demonstrations()
    for part in range(3):
        rows.append(np.full((2, 3), part, np.uint8), np.array([part, 1]), np.array([part, part]))
        save_checkpoint(tmp_path / f"{part}.pt", rows.shard())
    shards = [load_checkpoint(tmp_path / f"{part}.pt") for part in range(3)]
    again = Demonstrations()
    for shard in shards:
        again.load_shard(shard)
    assert (again.rows, again.episodes) == (6, 3)
    pairs = zip(rows.tensors(), again.tensors(), strict=True)
    assert all(torch.equal(first, second) for first, second in pairs)
    assert again.tensors()[0].dtype == torch.uint8
    with pytest.raises(CheckpointError, match="begins at row 2, expected 0"):
        Demonstrations().load_shard(shards[1])


def test_what_cannot_be_imitated_is_refused(expert, tmp_path):
    with pytest.raises(ValueError, match="bc needs an agent to imitate: --from RUN"):
        BehaviourCloning(WORLD)
    with pytest.raises(TypeError, match="bc needs Discrete"):
        BehaviourCloning("dreamgym/PointMass-v0", config(expert))
    with pytest.raises(ValueError, match="balance 'synthetic' needs floats"):
        BehaviourCloning(WORLD, config(expert, balance="synthetic"))
    with pytest.raises(
        FileNotFoundError, match=r"is not there \(no checkpoint at .*\): put it back, or say"
    ):
        BehaviourCloning(WORLD, config(tmp_path / "none.pt")).learn(10, progress=False)
    with pytest.raises(CheckpointError, match=r"acts in dreamgym/Cliff-v0.*CartPole-v1 has"):
        BehaviourCloning("CartPole-v1", config(expert)).learn(10, progress=False)


def test_an_expert_that_moved_alone_is_missed_and_can_be_given(expert, tmp_path):
    (old := tmp_path / "old.pt").write_bytes(expert.read_bytes())
    clone = BehaviourCloning(WORLD, config(old)).learn(40, progress=False)
    clone.save(tmp_path / "clone.pt")
    old.rename(new := tmp_path / "new.pt")
    loaded = load(tmp_path / "clone.pt")
    assert loaded.predict(0)[0] in range(4)
    with pytest.raises(FileNotFoundError, match="put it back, or say where it is, in Python"):
        loaded.learn(40, progress=False)
    assert load(tmp_path / "clone.pt", expert=str(new)).learn(40, progress=False).steps == 80


def test_a_fit_that_diverges_stops_the_run(expert):
    clone = BehaviourCloning(WORLD, config(expert, learning_rate=1e38))
    with pytest.raises(Diverged, match=r"^bc on .*Cliff-v0 diverged at step \d+: .* epoch 1"):
        clone.learn(100, progress=False)


def test_random_actions_follow_the_network_s_probabilities(expert):
    clone = BehaviourCloning(WORLD, config(expert))
    assert isinstance(clone.action_space, Discrete)
    states = np.zeros(4000, np.int64)
    actions, _ = clone.predict(states)
    logits = clone.network(torch.zeros(1, dtype=torch.long))[0]
    expected = logits.softmax(0).detach().numpy()
    np.testing.assert_allclose(np.bincount(actions, minlength=4) / 4000, expected, atol=0.04)
    single, _ = clone.predict(0, deterministic=True)
    assert single == logits.argmax()


def test_the_commands_clone_measure_and_export(expert, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    argv = ["bc", WORLD, "--run", "clone", "--steps", "240", "--config.hidden", "16"]
    argv += ["--config.learning-rate", "0.02", "--eval-every", "240"]
    assert train([*argv, "--from", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "clone").exists()
    assert train([*argv, "--from", str(expert)]) == 0
    out = capsys.readouterr().out
    assert f"imitates {expert}" in out
    assert "on episodes held out: accuracy" in out
    assert (tmp_path / "clone" / "episode.gif").exists()
    assert measure(["clone", "--json", "--episodes", "2"]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 2
    clone = load("clone")
    export_policy(clone).save(tmp_path / "clone.pt2")
    program = torch.export.load(tmp_path / "clone.pt2").module()
    states = torch.arange(int(clone.observation_space.n))
    expected = clone.predict(states.numpy(), deterministic=True)[0]
    np.testing.assert_array_equal(program(states), expected)
