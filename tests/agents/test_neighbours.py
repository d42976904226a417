"""Games of other packages: our agents learn on them under their presets' wrappers."""

import warnings

import numpy as np
import pytest

from agents.algorithms import find_algorithm
from agents.environments.source import EnvSource
from agents.loading import load
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from agents.presets import find_preset

SMALL = {
    "ppo": {"n_steps": 8, "batch_size": 8, "epochs": 1},
    "dqn": {"learning_starts": 8, "buffer_size": 64, "train_every": 8, "gradient_steps": 1},
}


@pytest.mark.parametrize(
    ("algorithm", "env_id", "packages", "shape"),
    [
        ("ppo", "ALE/Pong-v5", ("ale_py", "cv2"), (4, 84, 84)),
        ("dqn", "MinAtar/Breakout-v1", ("minatar",), (10, 10, 4)),
        ("ppo", "MiniGrid-Empty-8x8-v0", ("minigrid",), (7 * 7 * 3 + 1,)),  # a row of its parts
    ],
)
def test_a_game_is_learned_and_loaded_again(algorithm, env_id, packages, shape, tmp_path):
    for package in packages:
        pytest.importorskip(package)
    preset, kind = find_preset(algorithm, env_id), find_algorithm(algorithm)
    config = kind.config_type()(**(preset.settings | SMALL[algorithm]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what the packages import
        source = EnvSource.of(env_id, 2).adapted(preset.env, preset.wrappers)
        agent = kind.agent_type()(source, config, seed=1, device="cpu")
        run = RunFolder(tmp_path)
        settings = RunConfig(32, segment_steps=32, log_every=16, eval_every=0)
        run.create(agent, settings, [])
        Trainer(agent, run, settings, progress=False).run(32)
        loaded = load(tmp_path)
        stepper = loaded.source.stepper()
        observation = stepper.reset(5)
        stepper.close()
    assert agent.updates > 0
    assert observation.shape == (2, *shape)
    chosen, again = (one.predict(observation, deterministic=True)[0] for one in (agent, loaded))
    assert chosen.tolist() == again.tolist()
    assert not np.array_equal(observation[0], np.zeros(shape))
