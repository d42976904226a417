"""Stable-baselines3's algorithms behind our verbs."""

import csv
import inspect
import json
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import gymnasium as gym
import imageio.v3 as iio
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.callbacks import EvalCallback, StopTrainingOnRewardThreshold
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecTransposeImage

import agents
from agents.algorithms import find_algorithm
from agents.commands.evaluate import main as evaluate_main
from agents.commands.render import main as render_main
from agents.commands.train import main as train_main
from agents.evaluation import evaluate
from agents.interaction import Episode, InvalidExperience
from agents.presets import find_preset
from agents.run import RunConfig, RunFolder
from agents.sb3_config import WORDS
from agents.sb3_networks import PictureEncoder
from agents.trainer import Trainer
from nets.encoders import NatureCNN, SmallCNN, image_encoder
from nets.mlp import MLP
from nets.training.checkpoint import CheckpointError
from nets.training.seeding import hash31, seeded

# small nets; no action is drawn from the action space, whose generator SB3 seeds in its own way
SMALL = {
    "sb3-ppo": ("CartPole-v1", 4, {"n_steps": 16, "batch_size": 32, "epochs": 2}),
    "sb3-a2c": ("CartPole-v1", 4, {}),
    "sb3-dqn": (
        "CartPole-v1",
        2,
        {"epsilon_start": 0.0, "epsilon_end": 0.0, "train_every": 4, "gradient_steps": 1},
    ),
    "sb3-sac": ("Pendulum-v1", 2, {}),
    "sb3-td3": ("dreamgym/Pendulum-v0", 1, {"exploration_noise": 0.1}),
}
PIXELS = {  # quick to learn from: pictures of 44 by 44
    "sb3-dqn": {"learning_starts": 100, "buffer_size": 500},
    "sb3-ppo": {"n_steps": 64, "epochs": 1},
}
PAGE = (Path(__file__).parents[2] / "docs" / "agents" / "sb3.md").read_text(encoding="utf-8")
names = pytest.mark.parametrize("name", SMALL)


def make(name, env=None, num_envs=None, seed=3, **settings):
    algorithm = find_algorithm(name)
    home, copies, small = SMALL[name]
    if env is None:
        settings = small | {"hidden": (8, 8)} | settings
        env, num_envs = home, num_envs or copies
        if "learning_starts" in algorithm.config_type().__dataclass_fields__:
            settings = {"learning_starts": 0, "buffer_size": 100} | settings
    config = algorithm.config_type()(**settings)
    return algorithm.agent_type()(env, config, seed=seed, num_envs=num_envs, device="cpu")


def weights(agent):
    return torch.cat([p.detach().flatten() for p in agent.model.policy.parameters()])


# Equal to stable-baselines3 -----------------------------------------------------------------------


@names
def test_settings_have_stable_baselines3_s_defaults(name):
    algorithm = find_algorithm(name)
    config, sb3 = algorithm.config_type()(), algorithm.agent_type().algorithm
    defaults = {k: v.default for k, v in inspect.signature(sb3).parameters.items()}
    settings = {k: v for k, v in vars(config).items() if k in WORDS}
    assert len(settings) >= 8
    for word, value in settings.items():
        default = defaults[WORDS[word]]
        assert value == (None if default == "auto" else default), word
    if "train_every" in vars(config):
        assert config.train_every == defaults["train_freq"]
    env = DummyVecEnv([lambda: gym.make(SMALL[name][0].replace("dreamgym/", "envs:dreamgym/"))])
    agent = algorithm.agent_type()(SMALL[name][0], seed=3, device="cpu")
    with seeded(hash31(3, "network")):
        bare = sb3("MlpPolicy", env, device="cpu")
    ours, theirs = agent.model.get_parameters(), bare.get_parameters()
    assert ours.keys() == theirs.keys()
    for key, tensor in theirs["policy"].items():  # architecture and initialisation
        assert torch.equal(ours["policy"][key], tensor)
    for key in theirs.keys() - {"policy"}:
        assert ours[key]["param_groups"] == theirs[key]["param_groups"]
    assert str(agent.model.policy) == str(bare.policy)  # activations, too


@names
def test_training_in_stretches_equals_one_call_of_stable_baselines3_s_learn(name):
    agent, bare = make(name), make(name).model
    steps = 256
    seed = hash31(3, "segment", 0)
    before = weights(agent)
    with seeded(seed):
        envs = agents_environments(agent)
        envs.seed(hash31(seed, "environment"))
        bare.set_env(envs)
        bare.set_logger(Logger(None, []))
        bare.learn(steps)
    agent.learn(steps, progress=False)  # at least four calls
    assert agent.steps == bare.num_timesteps >= steps
    expected = torch.cat([p.detach().flatten() for p in bare.policy.parameters()])
    assert not torch.equal(before, expected)
    assert torch.equal(weights(agent), expected)


def agents_environments(agent):
    return DummyVecEnv([agent.source.make] * agent.num_envs)


@names
def test_predict_is_the_model_s_own(name):
    agent = make(name)
    agent.learn(80, progress=False)
    observations = np.random.default_rng(0).normal(size=(5, *agent.observation_space.shape))
    observations = observations.astype(np.float32)
    theirs = agent.model.predict(observations, deterministic=True)[0]
    actions, state = agent.predict(observations, deterministic=True)
    assert state is None
    np.testing.assert_array_equal(actions, theirs)
    one, _ = agent.predict(observations[2], deterministic=True)
    np.testing.assert_allclose(one, theirs[2], rtol=1e-5)
    assert agent.action_space.contains(one) or agent.action_space.contains(int(one))
    agent.rng = np.random.default_rng(7)
    drawn = [agent.predict(observations)[0] for _ in range(20)]
    agent.rng = np.random.default_rng(7)
    again = [agent.predict(observations)[0] for _ in range(20)]
    np.testing.assert_array_equal(drawn, again)
    if name in ("sb3-ppo", "sb3-a2c", "sb3-sac"):  # these draw their actions
        assert len(np.unique(drawn, axis=0)) > 1


def test_dqn_explores_as_much_as_its_steps_say(tmp_path):
    agent = make("sb3-dqn", epsilon_start=1.0, epsilon_end=0.25, exploration_steps=100)
    assert agent.epsilon == 1.0
    agent.learn(40, progress=False)
    assert agent.epsilon == pytest.approx(0.7)
    assert agent.model.exploration_rate == pytest.approx(0.7)
    agent.learn(100, progress=False)
    agent.save(tmp_path / "agent.pt")
    loaded = agents.load(tmp_path / "agent.pt", device="cpu")
    x = np.zeros((1, 4), np.float32)
    greedy = loaded.predict(x, deterministic=True)[0]
    other = np.mean([loaded.predict(x)[0] != greedy for _ in range(2_000)])
    assert other == pytest.approx(0.125, abs=4 * np.sqrt(0.125 * 0.875 / 2_000))


def test_annealed_rates_reach_zero_where_they_should():
    agent = make("sb3-ppo", learning_rate=1e-2, clip=0.4, anneal_steps=256)
    seen = []

    def note(progress):
        seen.append((progress.steps, progress.metrics["learning_rate"]))

    agent.learn(256, note, progress=False)
    assert [step for step, _ in seen] == [64, 128, 192, 256]
    assert [rate for _, rate in seen] == pytest.approx([0.0075, 0.005, 0.0025, 0.0])
    assert agent.model.clip_range(1.0) == 0.0
    assert make("sb3-ppo", clip=0.4).model.clip_range(0.1) == 0.4


# Runs ---------------------------------------------------------------------------------------------


@names
def test_a_resumed_run_ends_in_the_same_bits(name, tmp_path):
    """Networks, optimisers, counters, replay and schedules: nothing is lost."""
    settings = {"anneal_steps": 3_000}
    if name in ("sb3-dqn", "sb3-sac", "sb3-td3"):
        settings |= {"learning_starts": 70, "buffer_size": 90}  # full when resumed
    if name == "sb3-dqn":
        settings |= {"epsilon_start": 1.0, "exploration_steps": 300, "target_every": 50}
    cut = RunConfig(steps=384, segment_steps=128, log_every=32, eval_every=64, eval_episodes=1)
    whole, part, rest = (make(name, **settings) for _ in range(3))
    run, resumed = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "resumed")
    run.create(whole, cut, [])
    resumed.create(part, cut, [])
    Trainer(whole, run, cut, progress=False).run(384)
    Trainer(part, resumed, cut, progress=False).run(128)
    Trainer(rest, resumed, cut, progress=False).run(384)
    assert torch.equal(weights(whole), weights(rest))
    assert not torch.equal(weights(whole), weights(part))
    assert run.metrics_file.read_text() == resumed.metrics_file.read_text()


def test_other_seeds_give_other_weights():
    first, second = make("sb3-a2c", seed=1), make("sb3-a2c", seed=2)
    assert not torch.equal(weights(first), weights(second))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A short run of each algorithm by the command line, evaluated twice."""
    folders = {}
    for name, (home, num_envs, settings) in SMALL.items():
        folders[name] = tmp_path_factory.mktemp(name) / "run"
        words = [name, home, "--num-envs", num_envs, "--steps", 320, "--eval-every", 160]
        if name in ("sb3-dqn", "sb3-sac", "sb3-td3"):
            settings = settings | {"learning_starts": 64}
        for key, value in (settings | {"hidden": "8 8"}).items():
            words += [f"--config.{key.replace('_', '-')}", *str(value).split()]
        assert train_main([*map(str, words), "--run", str(folders[name]), "--device", "cpu"]) == 0
    return folders


@names
def test_a_run_folder_holds_what_every_run_folder_holds(name, runs):
    folder = runs[name]
    present = {path.name for path in folder.iterdir()}
    expected = {"config.json", "checkpoints", "best", "metrics.csv", "curve.png", "episode.gif"}
    assert expected <= present
    assert any(file.startswith("events.out.tfevents") for file in present)
    assert json.loads((folder / "config.json").read_text())["algorithm"] == name
    with (folder / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    first = 192 if name == "sb3-ppo" else 160  # a whole rollout
    assert [int(row["step"]) for row in rows if row["eval_return"]] == [first, 320]
    assert int(rows[-1]["step"]) == 320
    if SMALL[name][0] == "CartPole-v1":  # the pendulum's first episodes are not over yet
        assert any(row["return"] for row in rows)
    assert float(rows[-1]["learning_rate"]) > 0
    assert len(iio.imread(folder / "episode.gif")) > 1
    for file in folder.rglob("*.pt"):
        torch.load(file, weights_only=True)  # tensors and plain values
    assert not list(folder.rglob("*.zip")) + list(folder.rglob("*.pkl"))


@names
def test_a_run_is_evaluated_rendered_and_extended(name, runs, tmp_path, capsys):
    folder = runs[name]
    assert evaluate_main([str(folder), "--episodes", "2"]) == 0
    assert "2 episodes, greedy" in capsys.readouterr().out
    assert render_main([str(folder), "--out", str(tmp_path / "film.gif")]) == 0
    assert len(iio.imread(tmp_path / "film.gif")) > 1
    assert train_main(["--resume", str(folder), "--steps", "384"]) == 0
    last = agents.load(folder, checkpoint="last", device="cpu")
    assert (last.name, last.steps) == (name, 400 if name == "sb3-a2c" else 384)
    assert last.learn(16, progress=False).steps >= 400


def test_a_fresh_process_acts_alike(runs):
    rng = np.random.default_rng(0)
    expected = []
    for folder in runs.values():
        agent = agents.load(folder, device="cpu")
        x = rng.normal(size=(3, *agent.observation_space.shape)).astype(np.float32)
        expected += [agent.predict(x, deterministic=True)[0]]
    code = (
        "import sys, json, numpy as np, agents\n"
        "rng = np.random.default_rng(0)\n"
        "for folder in sys.argv[1:]:\n"
        "    agent = agents.load(folder, device='cpu')\n"
        "    x = rng.normal(size=(3, *agent.observation_space.shape)).astype(np.float32)\n"
        "    print(json.dumps(agent.predict(x, deterministic=True)[0].tolist()))\n"
    )
    command = [sys.executable, "-c", code, *map(str, runs.values())]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for line, actions in zip(result.stdout.splitlines(), expected, strict=True):
        np.testing.assert_allclose(json.loads(line), actions, rtol=1e-5)


def test_ctrl_c_leaves_a_checkpoint_to_look_at(tmp_path):
    agent = make("sb3-dqn")
    cut = RunConfig(steps=400, segment_steps=100, log_every=50, eval_every=0)

    class Impatient(EvalCallback):
        def __init__(self):
            super().__init__(gym.make("CartPole-v1"))

        def _on_step(self):
            if self.num_timesteps == 130:
                raise KeyboardInterrupt
            return True

    trainer = Trainer(agent, RunFolder(tmp_path), cut, progress=False)
    trainer.run_folder.create(agent, cut, [])
    agent.listener.follow(Impatient())
    trainer.run(400)
    assert trainer.interrupted
    assert agents.load(tmp_path, checkpoint="interrupted", device="cpu").steps == 130
    assert agents.load(tmp_path, checkpoint="last", device="cpu").steps == 100


def test_replay_comes_back_from_its_shards_alone():
    agent, other = (make("sb3-dqn", "Ledger-v0", 2, buffer_size=60) for _ in range(2))
    shards = []
    for _ in range(5):
        agent.learn(20, progress=False)
        shards.append(agent.replay.shard())
    for shard in shards[2:]:  # the oldest hold no row that is left
        other.replay.load_shard(shard)
    assert other.replay.rows == agent.replay.rows == 50
    assert other.replay.capacity == 30
    theirs, ours = other.replay, agent.replay
    assert (theirs.pos, theirs.full) == (ours.pos, ours.full) == (20, True)
    for name in theirs.COLUMNS:
        np.testing.assert_array_equal(getattr(theirs, name), getattr(ours, name), name)
        assert getattr(ours, name).any()


def test_bursts_of_updates_come_in_whole_rounds():
    agent = make("sb3-dqn", num_envs=3, train_every=4, gradient_steps=2)
    assert agent.rollout_steps == 6
    agent.learn(18, progress=False)
    assert (agent.steps, agent.model._n_updates) == (18, 6)


def test_replay_of_another_agent_is_refused():
    shard = make("sb3-dqn").learn(8, progress=False).replay.shard()
    assert shard["rewards"].shape == (4, 2)  # rows of both copies
    with pytest.raises(CheckpointError, match="does not fit this agent"):
        make("sb3-dqn", num_envs=3).replay.load_shard(shard)
    other = make("sb3-dqn")
    other.replay.load_shard(shard)
    with pytest.raises(CheckpointError, match="begins at row 0, expected 4"):
        other.replay.load_shard(shard)


# Worlds -------------------------------------------------------------------------------------------


def test_episodes_come_out_as_records(ledger_length):
    agent = make("sb3-dqn", "Ledger-v0", 2, hidden=(8,))
    stream = agent.stream(5)
    stream.advance(40)
    stream.close()
    expected = []
    for place, copy in enumerate((5, 6)):
        step, number = 0, 0
        while (step := step + ledger_length(copy, number)) <= 20:
            base = 100 * copy + 10 * number
            steps = ledger_length(copy, number)
            total = base * steps + sum(range(steps))  # and a quarter of every action
            expected.append((2 * step, place, total, steps))
            number += 1
    assert len(stream.episodes) == len(expected) > 5
    for episode, (step, _, total, steps) in zip(stream.episodes, sorted(expected), strict=True):
        assert type(episode) is Episode
        assert (episode.step, episode.length) == (step, steps)
        assert 0 <= episode.total_reward - total <= steps / 2
        assert (4 * episode.total_reward) % 1 == 0


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("nan reward", "Faulty-v0 returned the reward nan at step 5"),
        ("infinite observation", r"Faulty-v0 returned observation\[0\] inf at step 5"),
    ],
)
def test_numbers_that_nothing_can_be_learned_from_stop_the_training(fault, message):
    agent = make("sb3-a2c", gym.make("Faulty-v0", fault=fault))
    with pytest.raises(InvalidExperience, match=message):
        agent.learn(20, progress=False)


@pytest.mark.parametrize("encoder", ["auto", "small-cnn", "mlp"])
@pytest.mark.parametrize("name", PIXELS)
def test_our_encoders_learn_from_pictures(name, encoder):
    agent = make(name, "dreamgym/Catch-v0", encoder=encoder, **PIXELS[name])
    assert isinstance(agent.model.env, VecTransposeImage)
    assert agent.model.observation_space.shape == (1, 44, 44)
    policy = agent.model.policy
    extractor = (policy.q_net if name == "sb3-dqn" else policy).features_extractor
    kind = {"auto": NatureCNN, "small-cnn": SmallCNN, "mlp": MLP}[encoder]
    net = extractor.encoder if encoder == "mlp" else extractor.encoder.cnn
    assert type(net) is kind
    before = [p.detach().clone() for p in net.parameters()]
    agent.learn(200, progress=False)
    assert all(not torch.equal(p, q) for p, q in zip(before, net.parameters(), strict=True))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 44, 44, 1), np.uint8)
    actions, _ = agent.predict(pictures, deterministic=True)
    turned, _ = agent.model.predict(pictures.transpose(0, 3, 1, 2), deterministic=True)
    np.testing.assert_array_equal(actions, turned)
    result = evaluate(agent, episodes=3)
    assert set(result.returns) <= {-1.0, 1.0}


@pytest.mark.parametrize(
    ("space", "channels_first"),
    [
        (spaces.Box(0, 1, (10, 12, 4), np.bool_), lambda x: x.permute(0, 3, 1, 2).float()),
        (spaces.Box(0, 255, (20, 16), np.uint8), lambda x: x.unsqueeze(1)),
        (spaces.Box(-1, 1, (20, 16, 2), np.float32), lambda x: x.permute(0, 3, 1, 2)),
    ],
)
def test_pictures_that_stable_baselines3_does_not_know_reach_our_encoder_in_order(
    space, channels_first
):
    space.seed(0)
    x = torch.from_numpy(np.stack([space.sample() for _ in range(3)]))
    with seeded(1):
        encoder = PictureEncoder(space)
    with seeded(1):
        reference = image_encoder(tuple(channels_first(x).shape[1:]))
    torch.testing.assert_close(encoder(x.float()), reference(channels_first(x)))


@pytest.mark.parametrize("encoder", ["auto", "mlp"])
def test_states_are_unit_vectors(encoder):
    agent = make("sb3-ppo", "dreamgym/Cliff-v0", encoder=encoder, n_steps=32, batch_size=32)
    agent.learn(64, progress=False)
    first = next(p for p in agent.model.policy.parameters() if p.dim() == 2)
    assert first.shape[1] == agent.observation_space.n
    assert agent.predict(np.array([3, 4]), deterministic=True)[0].shape == (2,)


@pytest.mark.parametrize("name", ["sb3-sac", "sb3-td3"])
def test_critics_join_actions_to_what_a_cnn_saw(name):
    class Seen(gym.Env):
        observation_space = spaces.Box(0, 255, (16, 16, 1), np.uint8)
        action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)

        def reset(self, *, seed=None, options=None):
            return np.zeros((16, 16, 1), np.uint8), {}

    with pytest.warns(UserWarning, match="cannot be made anew"):
        agent = make(name, Seen(), hidden=(32,), buffer_size=10)
    first, *rest = (p for p in agent.model.critic.q_networks[0].parameters() if p.dim() == 2)
    assert first.shape == (32, SmallCNN((1, 16, 16)).out_features + 2)
    assert [tuple(p.shape) for p in rest] == [(1, 32)]


@names
def test_worlds_that_do_not_fit_are_refused(name):
    continuous = name in ("sb3-sac", "sb3-td3")
    if name in ("sb3-dqn", "sb3-sac", "sb3-td3"):
        with pytest.raises(TypeError, match=rf"has actions .*: {name} needs"):
            make(name, "CartPole-v1" if continuous else "Pendulum-v1")
    with pytest.raises(TypeError, match=r"Blackjack-v1 has observations Tuple.*needs Box"):
        make(name, "Blackjack-v1")
    vector = gym.wrappers.vector.RecordEpisodeStatistics(gym.make_vec("CartPole-v1", 2))
    if not continuous:
        made = pytest.warns(UserWarning, match="cannot be made anew")
        with made, pytest.raises(TypeError, match="needs an id, or an"):
            make(name, vector)
    vector.close()


def test_a_vector_environment_is_made_again_in_stable_baselines3_s_way():
    vector = gym.make_vec("CartPole-v1", 3)
    agent = make("sb3-a2c", vector)
    assert agent.learn(30, progress=False).steps == 30
    assert isinstance(agent.model.env, DummyVecEnv)
    assert agent.model.env.num_envs == 3
    vector.close()


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("sb3-ppo", {"discount": 1.5}, r"discount is 1.5: expected a number in \[0, 1\]"),
        ("sb3-ppo", {"batch_size": 1}, "batch_size is 1: expected at least 2"),
        ("sb3-ppo", {"clip": 0.0}, "clip is 0.0: expected more than 0"),
        ("sb3-ppo", {"n_steps": 0}, "n_steps is 0: expected at least 1"),
        (
            "sb3-a2c",
            {"encoder": "lstm"},
            "encoder is 'lstm': expected one of 'auto', 'mlp', 'nature'",
        ),
        ("sb3-a2c", {"activation": "rleu"}, "did you mean 'relu'"),
        ("sb3-a2c", {"encoder": "nature"}, "encoder 'nature' needs pictures"),
        ("sb3-dqn", {"epsilon_end": -0.1}, "epsilon_end is -0.1"),
        ("sb3-dqn", {"target_rate": 0.0}, "target_rate is 0.0"),
        ("sb3-dqn", {"encoder": "mlp", "hidden": ()}, r"hidden is \(\): expected at least 1"),
        ("sb3-sac", {"hidden": ()}, r"hidden is \(\): expected at least 1"),
        ("sb3-sac", {"entropy_coefficient": -1.0}, "entropy_coefficient is -1.0"),
        ("sb3-td3", {"encoder": "mlp", "hidden": (8,)}, "expected at least 2 layers"),
        ("sb3-td3", {"policy_delay": 0}, "policy_delay is 0"),
    ],
)
def test_settings_that_cannot_work_are_named(name, settings, message):
    with pytest.raises(ValueError, match=message):
        make(name, **settings)


def test_a_rollout_of_one_row_cannot_be_normalised():
    with pytest.raises(ValueError, match="n_steps is 1 on 1 environment"):
        make("sb3-ppo", num_envs=1, n_steps=1)
    make("sb3-ppo", num_envs=1, n_steps=1, batch_size=1, normalize_advantage=False)


def test_the_entropy_s_weight_is_learned_or_given(tmp_path):
    learned, given = make("sb3-sac"), make("sb3-sac", entropy_coefficient=0.25)
    for agent in (learned, given):
        agent.learn(40, progress=False).save(tmp_path / "agent.pt")
        loaded = agents.load(tmp_path / "agent.pt", device="cpu")
        if agent is learned:
            assert torch.equal(loaded.model.log_ent_coef, agent.model.log_ent_coef)
            assert loaded.model.log_ent_coef.item() != 0.0  # where it began
        else:
            assert loaded.model.ent_coef_tensor.item() == 0.25
            assert loaded.model.log_ent_coef is None


# The page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_page_s_examples_run(example):
    exec(compile(example, "docs/agents/sb3.md", "exec"), {})


def test_the_page_s_table_is_the_code_s():
    table = PAGE.split("| ours | theirs |\n|---|---|\n")[1].split("\n\n")[0]
    assert dict(re.findall(r"^\| `(\w+)` \| `(\w+)` \|$", table, re.MULTILINE)) == WORDS
    for name in SMALL:
        for field in fields(find_algorithm(name).config_type()):
            assert f"`{field.name}`" in PAGE


# Light imports ------------------------------------------------------------------------------------


def test_names_are_listed_without_importing_the_library():
    code = (
        "import sys, agents; from agents.commands.train import main;"
        "main(['--list']);"
        "assert 'torch' not in sys.modules and 'stable_baselines3' not in sys.modules;"
        "agents.DQN, agents.PPO; assert 'stable_baselines3' not in sys.modules"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    for name in SMALL:
        assert f"\n  {name} " in result.stdout
    assert {"SB3PPO", "SB3SACConfig"} <= set(dir(agents))


@pytest.mark.slow
def test_ppo_solves_cartpole():
    preset = find_preset("sb3-ppo", "CartPole-v1")
    algorithm = find_algorithm("sb3-ppo")
    config = preset.apply(algorithm.config_type()())
    agent = algorithm.agent_type()("CartPole-v1", config, num_envs=preset.num_envs, device="cpu")
    enough = StopTrainingOnRewardThreshold(475)
    look = EvalCallback(
        Monitor(gym.make("CartPole-v1")),
        callback_on_new_best=enough,
        n_eval_episodes=10,
        eval_freq=320,
        verbose=0,
    )
    agent.learn(preset.steps, look, progress=False)
    assert agent.steps < preset.steps
    assert evaluate(agent, episodes=20, seed=1).mean_return >= 475
