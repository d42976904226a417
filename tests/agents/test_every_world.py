"""Every kind of agent on every world of ours: trained, evaluated, drawn, saved and loaded."""

import gymnasium as gym
import pytest

import envs  # noqa: F401
from agents.algorithms import ALGORITHMS
from agents.environments.source import EnvSource
from agents.loading import load
from agents.loop.evaluation import evaluate
from agents.outcomes.media import record

WORLDS = sorted(name for name in gym.registry if name.startswith("dreamgym/"))
KINDS = [name for name in ALGORITHMS if not name.startswith("sb3-") and name != "bc"]
SMALL = {"learning_starts": 16, "n_steps": 16, "batch_size": 16, "buffer_size": 500}


@pytest.mark.parametrize("world", WORLDS)
def test_agents_live_in_every_world_of_ours(world, tmp_path):
    lived = []
    for name in KINDS:
        entry = ALGORITHMS[name]
        config = entry.config_type()
        settings = {k: v for k, v in SMALL.items() if k in config.__dataclass_fields__}
        source = EnvSource.of(world)
        source.spec.max_episode_steps = 40
        try:
            agent = entry.agent_type()(source, config(**settings), device="cpu")
        except (TypeError, ValueError):  # a table of pictures, a planner without a model
            continue
        agent.learn(64, progress=False)
        evaluate(agent, episodes=2)
        record(agent, agent.source, tmp_path / f"{name}.png")
        agent.save(tmp_path / f"{name}.pt")
        assert load(tmp_path / f"{name}.pt").name == name
        lived.append(name)
    assert {"ppo", "a2c", "reinforce"} <= set(lived)
