"""Speed of learning: DQN beside stable-baselines3's, tabular Q-learning beside a plain loop, LSTM.

Bars: DQN 2.5 times stable-baselines3's steps/s under the same settings and 4 times as soon at
CartPole's goal under own settings; tabular Q-learning 100 times the plain loop; an LSTM with resets
in at most 2.5 times the time of torch's without any.
"""

import math
from collections.abc import Callable
from time import perf_counter
from typing import Any

import gymnasium as gym

from nets.benchmarks.timing import Case, Measure, Need, Side, rate

from ..algorithms import find_algorithm
from ..environments.ids import find_spec
from ..presets import find_preset
from .peers import plain_q_learning

DQN_STEPS = 2_560
DQN_BEFORE = 1_280  # until learning has begun
ZOO: dict[str, Any] = {  # the settings of rl-baselines3-zoo for CartPole-v1, in its words
    "learning_rate": 2.3e-3,
    "batch_size": 64,
    "buffer_size": 100_000,
    "learning_starts": 1_000,
    "gamma": 0.99,
    "target_update_interval": 10,
    "train_freq": 256,
    "gradient_steps": 128,
    "exploration_fraction": 0.16,
    "exploration_final_eps": 0.04,
}
ZOO_STEPS = 50_000
ZOO_NET = [256, 256]
GOAL = 475.0
GOAL_EPISODES = 20
GOAL_EVERY = 1_000  # steps between two looks at whether the goal is reached
TABULAR_STEPS = 4_000_000
LOOP_STEPS = 20_000
LSTM_SHAPE = 128, 16, 64  # steps, batch, features
LSTM_PASSES = 10
LSTM_RESETS = 0.1


def zoo_agent(seed: int) -> Any:
    """Return our DQN under the zoo's settings."""
    algorithm = find_algorithm("dqn")
    config = algorithm.config_type()(
        hidden=tuple(ZOO_NET),
        learning_rate=ZOO["learning_rate"],
        batch_size=ZOO["batch_size"],
        buffer_size=ZOO["buffer_size"],
        learning_starts=ZOO["learning_starts"],
        discount=ZOO["gamma"],
        target_every=ZOO["target_update_interval"],
        train_every=ZOO["train_freq"],
        gradient_steps=ZOO["gradient_steps"],
        exploration_steps=int(ZOO["exploration_fraction"] * ZOO_STEPS),
        epsilon_end=ZOO["exploration_final_eps"],
        double=False,
    )
    return algorithm.agent_type()("CartPole-v1", config, seed=seed, device="cpu")


def our_dqn(turn: int) -> float:
    """Measure env steps/s of our DQN under the zoo's settings."""
    agent = zoo_agent(turn)
    agent.learn(DQN_BEFORE, progress=False)
    return rate(DQN_STEPS, lambda: agent.learn(DQN_STEPS, progress=False))


def sb3_dqn(turn: int) -> float:
    """Measure env steps/s of stable-baselines3's DQN under the zoo's settings."""
    model = sb3_model(turn)
    model.learn(DQN_BEFORE)
    return rate(DQN_STEPS, lambda: model.learn(DQN_STEPS, reset_num_timesteps=False))


def sb3_model(seed: int) -> Any:
    """Return stable-baselines3's DQN under the zoo's settings."""
    from stable_baselines3 import DQN

    env = gym.make("CartPole-v1")
    net = {"net_arch": ZOO_NET}
    return DQN("MlpPolicy", env, policy_kwargs=net, seed=seed, device="cpu", **ZOO)


class Stopwatch:
    """Seconds of training until the goal is reached; evaluations are not counted."""

    def __init__(self) -> None:
        self.seconds, self.reached = 0.0, False
        self._next_look = GOAL_EVERY
        self._started = perf_counter()

    def is_due(self, steps: int) -> bool:
        """Whether `steps` have come to the next look, after which another is waited for."""
        due = steps >= self._next_look
        self._next_look += GOAL_EVERY * due
        return due

    def look(self, mean_return: Any) -> bool:
        """Stop the clock, call `mean_return`, and start it again; whether to train on."""
        self.seconds += perf_counter() - self._started
        self.reached = mean_return() >= GOAL
        self._started = perf_counter()
        return not self.reached

    @property
    def figure(self) -> float:
        """The seconds; infinitely many where the goal was not reached."""
        return self.seconds if self.reached else math.inf


def our_way_to_goal(algorithm: str, most: int) -> Measure:
    """Measure seconds of our agent, under its preset, to the goal on CartPole-v1."""

    def measure(turn: int) -> float:
        from ..loop.evaluation import evaluate

        found, preset = find_algorithm(algorithm), find_preset(algorithm, "CartPole-v1")
        assert preset is not None
        config, copies = preset.apply(found.config_type()()), preset.run.get("num_envs")
        agent = found.agent_type()("CartPole-v1", config, seed=turn, device="cpu", num_envs=copies)
        watch, seed = Stopwatch(), 10_000 + turn

        def mean_return() -> float:
            return evaluate(agent, episodes=GOAL_EPISODES, seed=seed).mean_return

        def callback(progress: Any) -> bool:
            return not watch.is_due(progress.steps) or watch.look(mean_return)

        agent.learn(most, callback, progress=False)
        return watch.figure

    return measure


def sb3_way_to_goal(model_of: Callable[[int], Any], most: int) -> Measure:
    """Measure seconds of a model of stable-baselines3, made for a seed, to the same goal."""

    def measure(turn: int) -> float:
        from stable_baselines3.common.callbacks import BaseCallback
        from stable_baselines3.common.evaluation import evaluate_policy
        from stable_baselines3.common.monitor import Monitor

        model = model_of(turn)
        check = Monitor(gym.make("CartPole-v1"))
        check.reset(seed=10_000 + turn)

        def mean_return() -> Any:
            return evaluate_policy(model, check, GOAL_EPISODES)[0]

        class Look(BaseCallback):
            def _on_step(self) -> bool:
                return not watch.is_due(self.num_timesteps) or watch.look(mean_return)

        watch = Stopwatch()
        model.learn(most, callback=Look())
        return watch.figure

    return measure


def tabular(env_id: str) -> Measure:
    """Measure steps/s of our Q-learning."""

    def measure(turn: int) -> float:
        agent = find_algorithm("q-learning").agent_type()(env_id, seed=turn)
        agent.learn(1_000, progress=False)  # the model is read, the kernel compiled
        return rate(TABULAR_STEPS, lambda: agent.learn(TABULAR_STEPS, progress=False))

    return measure


def loop(env_id: str) -> Measure:
    """Measure steps/s of the plain loop."""

    def measure(turn: int) -> float:
        env = gym.make(find_spec(env_id))
        return rate(LOOP_STEPS, lambda: plain_q_learning(env, LOOP_STEPS, seed=turn))

    return measure


def lstm(with_resets: bool) -> Measure:
    """Measure time steps/s of an LSTM forward and backward: ours with resets, torch's without."""

    def measure(turn: int) -> float:
        import torch

        from nets.layers.recurrent import LSTM

        steps, batch, features = LSTM_SHAPE
        generator = torch.Generator().manual_seed(turn)
        x = torch.randn(steps, batch, features, generator=generator)  # [T, B, D]
        starts = torch.rand(steps, batch, generator=generator) < LSTM_RESETS  # [T, B]
        ours, theirs = LSTM(features, features), torch.nn.LSTM(features, features)

        def passes() -> None:
            for _ in range(LSTM_PASSES):
                y, _ = ours(x, None, starts) if with_resets else theirs(x)  # [T, B, H]
                y.sum().backward()

        passes()
        return rate(LSTM_PASSES * steps * batch, passes)

    return measure


CASES = (
    Case(
        "lstm-reset",
        "LSTM forward and backward, T=128 B=16 H=64, an episode begins at 10 % of all places;"
        " the peer has no resets",
        f"{LSTM_PASSES} passes",
        "steps/s",
        Side("nets.LSTM, resets", lstm(with_resets=True)),
        (Side("torch.nn.LSTM, no resets", lstm(with_resets=False)),),
        bar=1 / 2.5,
    ),
    *(
        Case(
            f"tabular-{name}",
            f"tabular Q-learning on {env_id}, beside a plain Python loop",
            f"{TABULAR_STEPS:,} steps (peer {LOOP_STEPS:,})",
            "steps/s",
            Side("q-learning", tabular(env_id)),
            (Side("plain loop", loop(env_id)),),
            bar=100.0,
            rounds=5,
            needs=Need.of_module("numba", "fast"),
        )
        for name, env_id in (
            ("frozen-lake", "FrozenLake-v1"),
            ("cliff-walking", "CliffWalking-v1"),
            ("taxi", "Taxi-v4"),
        )
    ),
    Case(
        "dqn-cartpole",
        "DQN on CartPole-v1, net 256-256, 128 updates of 64 rows every 256 steps",
        f"{DQN_STEPS:,} steps",
        "steps/s",
        Side("dqn", our_dqn),
        (Side("stable-baselines3 DQN", sb3_dqn),),
        bar=2.5,
        rounds=5,
    ),
    Case(
        "dqn-cartpole-475",
        "DQN on CartPole-v1: seconds of training until 20 deterministic episodes average 475, tried"
        f" every {GOAL_EVERY:,} steps; ours by its preset, the peer by the settings of its zoo",
        "one training, the round is the seed",
        "s",
        Side("dqn, preset", our_way_to_goal("dqn", ZOO_STEPS)),
        (Side("stable-baselines3 DQN, zoo", sb3_way_to_goal(sb3_model, ZOO_STEPS)),),
        bar=4.0,
        rounds=5,
        warm_up=False,
    ),
)
