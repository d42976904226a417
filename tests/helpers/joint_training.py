"""Trainings of one agent by several processes, for test_together.py."""

import envs  # noqa: F401
from agents.algorithms import find_algorithm
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer

STEPS = 240
NET = {"hidden": [16]}
REPLAY = NET | {"learning_starts": 40, "batch_size": 9, "train_every": 12, "target_every": 60}

# two processes can deal out neither 9 rows nor the columns of 3 environments evenly
CASES = {
    "ppo": ("ppo", "dreamgym/CartPole-v0", NET | {"n_steps": 15, "batch_size": 33, "epochs": 3}),
    "ppo, box, normalised": (
        "ppo",
        "dreamgym/PointMass-v0",
        NET | {"n_steps": 15, "normalize_observation": True, "normalize_reward": True},
    ),
    "a2c lstm": ("a2c", "dreamgym/CartPole-v0", NET | {"n_steps": 6, "memory": "lstm"}),
    "reinforce": ("reinforce", "dreamgym/CartPole-v0", NET),
    "dqn": ("dqn", "dreamgym/CartPole-v0", REPLAY | {"replay": "prioritized", "double": True}),
    "dqn lstm": (
        "dqn",
        "dreamgym/CartPole-v0",
        REPLAY | {"encoder": "lstm", "sequence_length": 5, "burn_in": 2},
    ),
}


def agent_of(name, seed=3):
    algorithm, env, config = CASES[name]
    kind = find_algorithm(algorithm)
    return kind.agent_type()(env, kind.config_type()(**config), seed=seed, num_envs=4, device="cpu")


def trained(name, team, run=None, steps=STEPS):
    """Train in two segments, with an evaluation, and return what was learned and seen."""
    agent = agent_of(name)
    config = RunConfig(
        steps=STEPS, segment_steps=STEPS // 2, log_every=60, eval_every=120, eval_episodes=1
    )
    progress = Trainer(agent, run, config, team=team, progress=False).run(steps)
    networks = {key: state for key, state in agent.state_dict().items() if key in agent.inherited}
    return {"networks": networks, "episodes": progress.episodes, "best": progress.best_return}


def in_pieces(folder, name, team):
    """Train in one piece and in two, the second by other agents than the first."""
    whole, halves = RunFolder(folder / "whole"), RunFolder(folder / "halves")
    trained(name, team, halves, STEPS // 2)
    return trained(name, team, whole), trained(name, team, halves)


def all_trained(folder, team):
    """Return what each case comes to, and of two of them in one piece and in two."""
    whole = {name: trained(name, team) for name in CASES}
    return whole, {name: in_pieces(folder / name, name, team) for name in ("ppo", "dqn")}
