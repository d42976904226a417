"""Experiments on the quality of learning: what is run for one seed."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from nets.runs.configurations import recorded
from nets.runs.presets import start_from

from ..algorithms import find_algorithm
from ..loading import EPISODES, EVALUATION_SEED, measure_best
from ..presets import Preset, find_preset

GOAL = 7.9
LOOK = 2_048  # steps between two looks at whether the goal is reached


@dataclass(frozen=True)
class Trained:
    """An algorithm trained on an environment under its preset, and one number about it.

    Attributes:
        algorithm: its name.
        env_id: the environment's.
        statistic: one of the functions of this class, such as "best_return".
        steps: of training; the preset's by default.
        settings: what differs from the preset; `preset=False` starts from the defaults.
        preset: whether to start from the preset.
    """

    algorithm: str
    env_id: str
    statistic: str
    steps: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    preset: bool = True

    def _preset(self) -> Preset | None:
        return find_preset(self.algorithm, self.env_id) if self.preset else None

    def _settings(self) -> tuple[Any, int, int | None]:
        """Return the algorithm's configuration, the steps of training and the copies."""
        preset = self._preset()
        config, run = start_from(preset, find_algorithm(self.algorithm).config_type()())
        steps = self.steps or run.get("steps")
        if steps is None:
            raise ValueError(f"{self.algorithm} on {self.env_id} has no preset that says its steps")
        return replace(config, **self.settings), steps, run.get("num_envs")

    def config(self) -> dict[str, Any]:
        """Return algorithm, environment, statistic, length and settings."""
        config, steps, num_envs = self._settings()
        named = {"algorithm": self.algorithm, "env": self.env_id, "statistic": self.statistic}
        length = {"steps": steps, "num_envs": num_envs}
        preset = self._preset()
        around = {"wrappers": preset.wrappers} if preset is not None and preset.wrappers else {}
        return named | length | around | {"settings": recorded(config)}

    def run(self, seed: int) -> dict[str, Any]:
        """Train on the CPU, and evaluate."""
        from ..environments.source import EnvSource

        config, steps, num_envs = self._settings()
        agent_type, preset = find_algorithm(self.algorithm).agent_type(), self._preset()
        source = EnvSource.of(self.env_id, num_envs)
        if preset is not None:
            source = source.adapted(preset.env, preset.wrappers)
        agent = agent_type(source, config, seed=seed, device="cpu")
        return getattr(self, self.statistic)(agent, steps)

    @staticmethod
    def best_return(agent: Any, steps: int) -> dict[str, Any]:
        """The mean return of the run's best checkpoint, in deterministic episodes of its own."""
        from ..loop.run import RunConfig, RunFolder
        from ..loop.trainer import Trainer

        with TemporaryDirectory() as folder:
            config = RunConfig.default(agent, steps)
            trainer = Trainer(agent, RunFolder(folder), config, progress=False)
            trainer.run(steps)
            return measure_best(folder)

    @staticmethod
    def last_return(agent: Any, steps: int) -> dict[str, Any]:
        """The mean return of the agent after `learn`, in deterministic episodes of its own."""
        from ..loop.evaluation import evaluate

        agent.learn(steps, progress=False)
        result = evaluate(agent, episodes=EPISODES, seed=EVALUATION_SEED)
        return {"figure": result.mean_return, "returns": result.returns}

    @staticmethod
    def exact_return(agent: Any, steps: int) -> dict[str, Any]:
        """The expected return of the greedy policy, exactly, within the time limit."""
        from ..tabular.dynamic_programming import horizon_values

        agent.learn(steps, progress=False)
        model = _model(agent)
        limit = agent.source.max_episode_steps
        values = horizon_values(model, limit, agent.policy)  # [S]
        return {"figure": float(model.initial @ values)}

    @staticmethod
    def steps_to_goal(agent: Any, steps: int) -> dict[str, Any]:
        """The steps until the greedy policy's exact return is 7.9, Taxi's best being 7.93.

        Looked at every `LOOK` steps; `reached` says whether it was, within the steps there are.
        """
        from ..tabular.dynamic_programming import horizon_values
        from ..tabular.masks import mask_table

        model, limit = _model(agent), agent.source.max_episode_steps
        states = np.arange(model.num_states)
        masks = mask_table(agent.source, model.num_states) if agent.masks else None
        reached = False
        while agent.steps < steps and not reached:
            agent.learn(LOOK, progress=False)
            policy, _ = agent.predict(states, deterministic=True, action_masks=masks)
            values = horizon_values(model, limit, policy)  # [S]
            reached = float(model.initial @ values) >= GOAL
        return {"figure": agent.steps, "reached": reached}

    @staticmethod
    def online_return(agent: Any, steps: int) -> dict[str, Any]:
        """The mean return, while exploring, of the episodes in the second half of the training."""
        with closing(agent.stream(agent.seed)) as stream:
            stream.advance(steps)
        late = [e.total_reward for e in stream.episodes if e.step > steps // 2]
        return {"figure": float(np.mean(late)), "episodes": len(late)}

    @staticmethod
    def start_value(agent: Any, steps: int) -> dict[str, Any]:
        """The planned value of an episode's beginning."""
        agent.learn(steps, progress=False)
        return {"figure": float(_model(agent).initial @ agent.values)}


@dataclass(frozen=True)
class Best:
    """The best expected return within the time limit that any policy can reach."""

    env_id: str

    def config(self) -> dict[str, Any]:
        """Return the environment."""
        return {"method": "dynamic programming within the time limit", "env": self.env_id}

    def run(self, seed: int) -> dict[str, Any]:
        """Solve by backward induction; the seed does not matter."""
        from ..environments.source import EnvSource
        from ..tabular.dynamic_programming import horizon_values
        from ..tabular.model import Model

        source = EnvSource.of(self.env_id)
        limit = source.max_episode_steps
        assert limit is not None
        model = Model.from_env(source.make())
        return {"figure": float(model.initial @ horizon_values(model, limit))}


def _model(agent: Any) -> Any:
    from ..tabular.model import Model

    return Model.from_env(agent.source.make())
