"""What the model card of an agent's run says: its return, measured once more."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym

from nets.hub.card import Facts, Figure

from ..loading import EPISODES, EVALUATION_SEED, load
from ..loop.evaluation import evaluate

USE = """import agents

agent = agents.load({run!r})
print(agents.evaluate(agent, episodes=100).mean_return)"""


def measure(run: Path, file: Path, record: Mapping[str, Any], *, trust: bool) -> Facts:
    """Play whole episodes of the checkpoint `file`, which no training has seen."""
    try:
        agent = load(file, trust=trust)
    except gym.error.Error as error:
        raise ValueError(f"{run} cannot be measured: {error}") from error
    limit = record.get("run", {}).get("eval_max_steps")
    result = evaluate(agent, episodes=EPISODES, seed=EVALUATION_SEED, max_steps=limit)
    low, high = result.interval
    figures = [Figure("mean return", result.mean_return, low, high)]
    if result.mean_raw_return is not None:
        figures.append(Figure("mean return before wrappers", result.mean_raw_return))
    played = f"{result.episodes} episodes, greedy, of seed {EVALUATION_SEED}"
    return Facts(
        task="reinforcement-learning",
        learner=agent.name,
        problem=agent.source.name,
        figures=figures,
        measured=f"{played}, after {agent.steps:,} steps of training",
        settings=record.get("config", {}),
        command="train",
        use=USE,
        tags=("deep-reinforcement-learning", "gymnasium"),
    )
