"""`export`: the file alone gives the actions that the agent gives."""

import json
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch

import agents
import envs  # noqa: F401
from agents.algorithms import find_algorithm
from agents.commands.export import main as export
from agents.commands.export import snippet
from agents.loading import load
from agents.outcomes.export import export_policy, policy_module
from generative.commands.export import main as export_part_of
from nets.runs.program import ABOUT

BATCHES = (1, 2, 7)
CONSUMER = """
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("agents", "nets", "envs", "generative", "gymnasium"):
            raise ImportError(name + " is not here")

sys.meta_path.insert(0, Wall())
import torch

for job in sys.argv[1:]:
    extra = {"dreamgym.json": ""}
    policy = torch.export.load(job + ".pt2", extra_files=extra).module()
    calls = torch.load(job + ".in", weights_only=True)
    torch.save([policy(*call) for call in calls], job + ".out")
"""


class Many(gym.Env):
    """Shows four numbers, or a picture, and takes actions of any kind."""

    metadata = {"render_modes": []}
    spaces = {
        "discrete": gym.spaces.Discrete(5, start=-2),
        "grid": gym.spaces.MultiDiscrete([[3, 4], [2, 5]], start=[[0, 1], [-1, 7]]),
        "coins": gym.spaces.MultiBinary([2, 3]),
        "box": gym.spaces.Box(np.array([[-1, 0], [-5, 2]], np.float32), 9.0),
        "double": gym.spaces.Box(-2.0, 3.0, (3,), np.float64),
        "endless": gym.spaces.Box(-np.inf, np.inf, (2,)),
        "vector": gym.spaces.Box(-np.inf, np.inf, (4,), np.float32),
        "long": gym.spaces.Box(-np.inf, np.inf, (2, 3), np.float64),
        "picture": gym.spaces.Box(0, 255, (36, 36, 3), np.uint8),
        "upright": gym.spaces.Box(0, 255, (3, 36, 36), np.uint8),
        "flat": gym.spaces.Box(0, 255, (36, 36), np.uint8),
        "board": gym.spaces.Box(0, 1, (10, 10, 4), bool),
        "state": gym.spaces.Discrete(6, start=3),
        "hand": gym.spaces.MultiDiscrete([3, 4], start=[1, 2]),
    }

    def __init__(self, seen="vector", acts="discrete"):
        self.observation_space, self.action_space = self.spaces[seen], self.spaces[acts]

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 1.0, False, False, {}


gym.register("Many-v0", entry_point=Many, max_episode_steps=5, disable_env_checker=True)

CASES = {
    "dqn": ("dqn", "vector", "discrete", {}),
    "dqn-categorical": ("dqn", "vector", "discrete", {"head": "categorical", "dueling": True}),
    "dqn-quantile": ("dqn", "vector", "discrete", {"head": "quantile", "noisy": True}),
    "drqn": ("dqn", "vector", "discrete", {"encoder": "lstm", "dueling": True}),
    "dqn-picture": ("dqn", "picture", "discrete", {"buffer_size": 100}),
    "dqn-state": ("dqn", "state", "discrete", {"hidden": (4,)}),
    "ppo": ("ppo", "vector", "discrete", {}),
    "ppo-normal": ("ppo", "vector", "box", {"normalize_observation": True}),
    "ppo-squash": ("ppo", "long", "double", {"squash": True}),
    "ppo-endless": ("ppo", "vector", "endless", {}),
    "ppo-grid": ("ppo", "vector", "grid", {}),
    "ppo-nature": ("ppo", "picture", "grid", {"encoder": "nature"}),
    "a2c-flat": ("a2c", "flat", "coins", {}),
    "a2c-board": ("a2c", "board", "discrete", {"encoder": "small-cnn"}),
    "reinforce": ("reinforce", "vector", "discrete", {}),
    "lstm": ("ppo", "vector", "box", {"encoder": "lstm", "normalize_observation": True}),
    "gru": ("ppo", "vector", "discrete", {"encoder": "gru", "memory_size": 8}),
    "impala-lstm": ("a2c", "upright", "discrete", {"encoder": "impala+lstm"}),
    "table": ("q-learning", "state", "discrete", {}),
    "table-hand": ("sarsa", "hand", "discrete", {}),
    "sb3-ppo": ("sb3-ppo", "vector", "box", {}),
    "sb3-a2c": ("sb3-a2c", "picture", "plain", {}),
    "sb3-dqn": ("sb3-dqn", "vector", "plain", {}),
    "sb3-sac": ("sb3-sac", "vector", "box", {}),
    "sb3-td3": ("sb3-td3", "vector", "box", {}),
}
Many.spaces["plain"] = gym.spaces.Discrete(4)


def build(algorithm, seen, acts, settings, device="cpu"):
    """Return an agent whose every weight and statistic is as after a long training."""
    algorithm = find_algorithm(algorithm)
    config = algorithm.config_type()(**settings)
    env = gym.make("Many-v0", seen=seen, acts=acts)
    agent = algorithm.agent_type()(env, config, seed=1, device=device)
    rng = np.random.default_rng(0)
    for parameter in parameters(agent):
        fan_in = parameter[0].numel() if parameter.dim() > 1 else 10
        values = rng.normal(0, 1.7 / fan_in**0.5, parameter.shape)
        parameter.data.copy_(torch.from_numpy(values))
    if getattr(agent, "observation_norm", None) is not None:
        agent.observation_norm.update(rng.normal([5, -3, 0, 100], [2, 9, 0.01, 30], (50, 4)))
    if hasattr(agent, "arrays"):
        agent.arrays.q[:] = rng.normal(size=len(agent.arrays.q))
    return agent


def parameters(agent):
    for name in ("network", "online"):
        if hasattr(agent, name):
            network = getattr(agent, name)
            yield from getattr(network, "module", network).parameters()
    if hasattr(agent, "model") and hasattr(agent.model, "policy"):
        yield from agent.model.policy.parameters()


def observations(space, count, rng):
    if isinstance(space, gym.spaces.Box) and space.dtype.kind == "f":
        return (rng.normal(size=(count, *space.shape)) * 3 + 2).astype(space.dtype)
    space.seed(int(rng.integers(1000)))
    return np.stack([np.asarray(space.sample()) for _ in range(count)])


def plays(agent, about):
    """Return calls of the program, each with the actions that the agent takes."""
    rng = np.random.default_rng(5)
    for count in BATCHES:
        seen = observations(agent.observation_space, count, rng)
        if len(about["inputs"]) == 1:
            yield (torch.from_numpy(seen),), agent.predict(seen, deterministic=True)[0]
            continue
        shape = [count if size == "N" else size for size in about["inputs"][1]["shape"]]
        noise = torch.from_numpy(rng.normal(size=shape)).float()
        before, starts = None, np.ones(count, bool)
        for _step in range(4):
            state = noise if before is None else before.cpu()
            action, after = agent.predict(seen, before, starts, deterministic=True)
            yield (torch.from_numpy(seen), state, torch.from_numpy(starts)), (action, after.cpu())
            before, starts = after, rng.random(count) < 0.4
            seen = observations(agent.observation_space, count, rng)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory):
    """Export every case, and let one process that has nothing but torch run all of them."""
    home = tmp_path_factory.mktemp("deployed")
    expected = {}
    for name, case in CASES.items():
        agent = build(*case)
        program = export_policy(agent)
        program.save(home / f"{name}.pt2")
        calls, answers = zip(*plays(agent, program.about), strict=True)
        torch.save(list(calls), home / f"{name}.in")
        expected[name] = program.about, answers, agent
    command = [sys.executable, "-W", "error", "-c", CONSUMER, *CASES]
    result = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    return home, expected


@pytest.mark.parametrize("name", CASES)
def test_a_process_without_us_takes_the_same_actions(name, deployed):
    home, expected = deployed
    about, answers, agent = expected[name]
    given = torch.load(home / f"{name}.out", weights_only=True)
    seen = set()
    for result, answer in zip(given, answers, strict=True):
        if isinstance(answer, tuple):
            # both processes sum in float32, by other kernels, step after step: 1e-4 apart was seen
            # behind 15 convolutions; a memory that is not passed on is off by tenths
            np.testing.assert_allclose(result[1], answer[1], rtol=1e-3, atol=2e-3)
            result, answer = result[0], answer[0]
        action = result.numpy()
        assert action.dtype == answer.dtype == agent.action_space.dtype
        assert action.shape == (len(answer), *agent.action_space.shape)
        if action.dtype.kind == "f":
            np.testing.assert_allclose(action, answer, rtol=1e-4, atol=1e-4)
        else:
            np.testing.assert_array_equal(action, answer)
        assert all(agent.action_space.contains(one) for one in action)
        seen |= {one.tobytes() for one in action}
    assert len(seen) > 1  # a policy that looks at nothing would pass all of the above
    assert about["outputs"][0]["dtype"] == str(agent.action_space.dtype)


def test_the_file_says_how_to_use_it(deployed):
    home, expected = deployed
    extra = {ABOUT: ""}
    torch.export.load(home / "lstm.pt2", extra_files=extra)
    about = json.loads(extra[ABOUT])
    assert about == expected["lstm"][0]
    assert about["algorithm"] == "ppo"
    assert about["env"]["id"].endswith("Many-v0")
    assert about["inputs"] == [
        {"name": "observation", "shape": ["N", 4], "dtype": "float32"},
        {"name": "state", "shape": [2, 1, "N", 64], "dtype": "float32"},
        {"name": "episode_start", "shape": ["N"], "dtype": "bool"},
    ]
    assert about["outputs"] == [
        {"name": "action", "shape": ["N", 2, 2], "dtype": "float32"},
        {"name": "state", "shape": [2, 1, "N", 64], "dtype": "float32"},
    ]
    assert set(about["versions"]) == {"dreamgym", "torch"}


def test_files_tell_nothing_of_the_machine_that_wrote_them(deployed):
    home, _ = deployed
    root = str(home.parents[0]).encode()
    for file in home.glob("*.pt2"):
        content = file.read_bytes()
        assert b".py" not in content, file
        assert root not in content


def test_exporting_changes_nothing_in_the_agent():
    agent = build(*CASES["lstm"])
    before = {name: value.clone() for name, value in agent.network.module.state_dict().items()}
    module = policy_module(agent)
    for parameter in module.parameters():
        parameter.data.zero_()
    export_policy(agent)
    assert agent.network.module.training
    for name, value in agent.network.module.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.requires_grad for parameter in agent.network.module.parameters())


def test_convolutions_in_bfloat16_are_exported_in_float32():
    agent = build("dqn", "picture", "discrete", {"precision": "bfloat16", "buffer_size": 100})
    assert "bfloat16" not in str(export_policy(agent).exported.graph)
    assert agent.online.module.body[1].cnn.dtype is torch.bfloat16


@pytest.mark.parametrize("of", [export, export_part_of])
def test_a_place_that_takes_no_file_is_refused_before_a_run_is_looked_at(of, tmp_path, capsys):
    (tmp_path / "notes").write_text("no folder")
    assert of([str(tmp_path / "no-run"), "--out", str(tmp_path / "notes" / "policy.pt2")]) == 2
    assert "notes is no folder" in capsys.readouterr().err


def test_command_exports_the_best_checkpoint_and_prints_lines_that_work(learned, tmp_path, capsys):
    out = tmp_path / "pole.pt2"
    assert export([str(learned.folder), "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert f"dqn on CartPole-v1, from {learned.folder / 'best' / 'checkpoint.pt'}" in text
    assert "takes    observation float32 [N, 4]" in text
    assert "returns  action int64 [N]" in text
    lines = text.partition("with torch alone:")[2].splitlines()
    env = gym.make("CartPole-v1")
    agent = load(learned.folder, device="cpu")
    names = {"observation": env.reset(seed=3)[0]}
    total = 0.0
    exec("\n".join(line.strip() for line in lines[:-1]), names)
    step = compile(lines[-1].strip(), "printed", "exec")
    over = False
    while not over:
        exec(step, names)
        assert names["action"] == agent.predict(names["observation"], deterministic=True)[0]
        observation, reward, terminated, truncated, _ = env.step(names["action"].item())
        names["observation"], total, over = observation, total + reward, terminated or truncated
    assert total > 5


def test_printed_lines_of_a_memory_work(tmp_path):
    agent = build(*CASES["gru"])
    program = export_policy(agent)
    path = tmp_path / "memory.pt2"
    program.save(path)
    observation = np.array([1.0, -2.0, 0.5, 3.0], np.float32)
    names = {"observation": observation, "episode_start": True}
    exec(snippet(program.about, path).replace("\n  ", "\n").strip(), names)
    action, state = agent.predict(observation[None], None, np.ones(1, bool), deterministic=True)
    np.testing.assert_array_equal(names["action"], action)
    np.testing.assert_allclose(names["state"], state, atol=1e-5)


def test_planners_export_their_plan(planned):
    agent = load(planned.folder, device="cpu")
    program = export_policy(agent).exported.module()
    np.testing.assert_array_equal(program(torch.arange(agent.states.size)), agent.policy)


@pytest.mark.cuda
@pytest.mark.parametrize("name", ["dqn-categorical", "dqn-picture", "lstm", "sb3-sac", "table"])
def test_an_agent_on_a_gpu_is_exported_for_the_cpu(name):
    algorithm, seen, acts, settings = CASES[name]
    agent = build(algorithm, seen, acts, settings, device="cuda")
    program = export_policy(agent)
    for inputs, answer in plays(agent, program.about):
        result = program.exported.module()(*inputs)
        action, expected = result, answer
        if isinstance(answer, tuple):
            action, expected = result[0], answer[0]
        np.testing.assert_allclose(action, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "there is no nowhere"),
        (["."], "has no checkpoint; it has: none"),
    ],
)
def test_what_cannot_be_exported_is_told_in_one_line(arguments, message, run_in, capsys):
    assert export(arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.count("\n") == 1


def test_other_endings_are_refused(run_in, capsys):
    assert export([".", "--out", "policy.onnx"]) == 2
    assert "expected a name that ends in .pt2" in capsys.readouterr().err


def test_an_unknown_kind_of_agent_is_refused():
    class Sleeper:
        name = "sleeper"

    with pytest.raises(TypeError, match="sleeper cannot be exported"):
        policy_module(Sleeper())


def test_observations_of_several_parts_are_rows():
    agent = agents.PPO("dreamgym/Reach-v0", device="cpu")
    program = export_policy(agent)
    assert [part["part"] for part in program.about["columns"]] == [
        "['achieved_goal']",
        "['desired_goal']",
        "['observation']",
    ]
    assert program.about["columns"][2] == {"part": "['observation']", "first": 4, "end": 8}
    env = gym.make("dreamgym/Reach-v0")
    for seed in range(3):
        observation, _ = env.reset(seed=seed)
        row = torch.from_numpy(np.concatenate(list(observation.values())))[None]  # [1, 8]
        action, _ = agent.predict(observation, deterministic=True)
        np.testing.assert_allclose(program.exported.module()(row)[0], action, atol=1e-6)
