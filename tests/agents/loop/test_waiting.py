"""On a GPU the processor waits to act, to look ahead where a rollout ends, and to write a row."""

import pytest
from waiting import counted_waits

from agents import RunConfig, Trainer, find_algorithm

SMALL = {"hidden": (16,), "learning_starts": 40, "batch_size": 8, "train_every": 4}
ROLLOUT = {"n_steps": 20, "epochs": 2}
# settings, waits per round of acting, waits per update
CASES = {
    "a2c": ("a2c", "CartPole-v1", {"n_steps": 4}, 1, 1),
    "ppo": ("ppo", "CartPole-v1", ROLLOUT, 1, 1),
    "ppo pictures": ("ppo", "dreamgym/Catch-v0", ROLLOUT, 1, 1),
    # fetches the means, and how far one strays from them
    "ppo numbers": ("ppo", "Pendulum-v1", ROLLOUT, 2, 1),
    # fetches its state, and asks of every piece of a rollout where an episode begins
    "ppo lstm": ("ppo", "CartPole-v1", ROLLOUT | {"encoder": "lstm", "memory_size": 8}, 2, 13),
    "reinforce": ("reinforce", "CartPole-v1", {}, 1, 1),
    "dqn": ("dqn", "CartPole-v1", SMALL, 1, 0),
    # keeps its tree of errors beside the rows
    "dqn prioritized": ("dqn", "CartPole-v1", SMALL | {"replay": "prioritized"}, 1, 1),
}


@pytest.mark.cuda
@pytest.mark.parametrize("name", CASES)
def test_learning_itself_waits_for_nothing(name):
    algorithm, env_id, settings, acting, updating = CASES[name]
    kind, steps = find_algorithm(algorithm), 240
    config = kind.config_type()(**settings)
    agent = kind.agent_type()(env_id, config, num_envs=2, device="cuda")
    run = RunConfig(steps=steps, segment_steps=steps, log_every=steps // 2, eval_every=0)
    with counted_waits() as waits:
        Trainer(agent, None, run, progress=False).run(steps)
    assert agent.updates > 1
    few = 6  # two rows, and looks at whether all is finite
    assert len(waits) <= steps // 2 * acting + agent.updates * updating + few, set(waits)
