"""The algorithms by name, without importing any."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nets.catalog import Catalog, Entry

if TYPE_CHECKING:
    from .agent import Agent


@dataclass(frozen=True)
class Algorithm(Entry):
    """An algorithm: its agent, its settings, and what it is for.

    Attributes:
        num_envs: copies of the environment that it trains on, if nobody says how many.
    """

    package = "agents"
    num_envs: int = 1

    def agent_type(self) -> "type[Agent]":
        """Import and return the agent's class."""
        return self.import_type()


ALGORITHMS = Catalog(
    "algorithm",
    (
        Algorithm("dqn", "DQN", "DQNConfig", "deep Q-network, discrete actions"),
        Algorithm(
            "reinforce",
            "Reinforce",
            "ReinforceConfig",
            "policy gradient from whole episodes, any actions",
        ),
        Algorithm("a2c", "A2C", "A2CConfig", "advantage actor-critic, any actions", num_envs=8),
        Algorithm("ppo", "PPO", "PPOConfig", "clipped policy gradient, any actions", num_envs=8),
        Algorithm("sarsa", "Sarsa", "SarsaConfig", "on-policy table of action values"),
        Algorithm(
            "expected-sarsa",
            "ExpectedSarsa",
            "ExpectedSarsaConfig",
            "SARSA with the expectation over the next action",
        ),
        Algorithm(
            "q-learning",
            "QLearning",
            "QLearningConfig",
            "off-policy table of action values",
        ),
        Algorithm(
            "double-q-learning",
            "DoubleQLearning",
            "DoubleQLearningConfig",
            "Q-learning with two tables, free of the maximum's bias",
        ),
        Algorithm(
            "value-iteration",
            "ValueIteration",
            "ValueIterationConfig",
            "exact planning on worlds with a model P",
        ),
        Algorithm(
            "policy-iteration",
            "PolicyIteration",
            "PolicyIterationConfig",
            "exact planning on worlds with a model P",
        ),
        Algorithm(
            "bc",
            "BehaviourCloning",
            "BCConfig",
            "imitates another run's agent (--from RUN), discrete actions",
            num_envs=8,
        ),
        Algorithm("sb3-ppo", "SB3PPO", "SB3PPOConfig", "stable-baselines3's PPO, any actions"),
        Algorithm("sb3-a2c", "SB3A2C", "SB3A2CConfig", "stable-baselines3's A2C, any actions"),
        Algorithm("sb3-dqn", "SB3DQN", "SB3DQNConfig", "stable-baselines3's DQN, discrete actions"),
        Algorithm("sb3-sac", "SB3SAC", "SB3SACConfig", "soft actor-critic, continuous actions"),
        Algorithm(
            "sb3-td3",
            "SB3TD3",
            "SB3TD3Config",
            "deterministic policy with twin critics, continuous actions",
        ),
    ),
)


def find_algorithm(name: str) -> Algorithm:
    """Return the algorithm called `name`.

    Raises:
        ValueError: there is none; the nearest names are suggested.
    """
    return ALGORITHMS.find(name)
