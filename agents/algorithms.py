"""The algorithms by name, without importing any."""

from typing import TYPE_CHECKING

from nets.catalog import Catalog, Entry

if TYPE_CHECKING:
    from .agent import Agent


class Algorithm(Entry):
    """Where an algorithm lives, and what it is for."""

    def agent_type(self) -> "type[Agent]":
        """Import and return the agent's class."""
        return self.import_type()


_TABULAR = "agents.tabular"
_PLANNING = "agents.planners"
_SB3 = "agents.sb3"

ALGORITHMS = Catalog(
    "algorithm",
    (
        Algorithm("dqn", "agents.dqn", "DQN", "DQNConfig", "deep Q-network, discrete actions"),
        Algorithm(
            "reinforce",
            "agents.reinforce",
            "Reinforce",
            "ReinforceConfig",
            "policy gradient from whole episodes, any actions",
        ),
        Algorithm("a2c", "agents.a2c", "A2C", "A2CConfig", "advantage actor-critic, any actions"),
        Algorithm("ppo", "agents.ppo", "PPO", "PPOConfig", "clipped policy gradient, any actions"),
        Algorithm("sarsa", _TABULAR, "Sarsa", "SarsaConfig", "on-policy table of action values"),
        Algorithm(
            "expected-sarsa",
            _TABULAR,
            "ExpectedSarsa",
            "ExpectedSarsaConfig",
            "SARSA with the expectation over the next action",
        ),
        Algorithm(
            "q-learning",
            _TABULAR,
            "QLearning",
            "QLearningConfig",
            "off-policy table of action values",
        ),
        Algorithm(
            "double-q-learning",
            _TABULAR,
            "DoubleQLearning",
            "DoubleQLearningConfig",
            "Q-learning with two tables, free of the maximum's bias",
        ),
        Algorithm(
            "value-iteration",
            _PLANNING,
            "ValueIteration",
            "ValueIterationConfig",
            "exact planning on worlds with a model P",
        ),
        Algorithm(
            "policy-iteration",
            _PLANNING,
            "PolicyIteration",
            "PolicyIterationConfig",
            "exact planning on worlds with a model P",
        ),
        Algorithm(
            "bc",
            "agents.imitation",
            "BehaviourCloning",
            "BCConfig",
            "imitates another run's agent (--from RUN), discrete actions",
        ),
        Algorithm(
            "sb3-ppo", _SB3, "SB3PPO", "SB3PPOConfig", "stable-baselines3's PPO, any actions"
        ),
        Algorithm(
            "sb3-a2c", _SB3, "SB3A2C", "SB3A2CConfig", "stable-baselines3's A2C, any actions"
        ),
        Algorithm(
            "sb3-dqn", _SB3, "SB3DQN", "SB3DQNConfig", "stable-baselines3's DQN, discrete actions"
        ),
        Algorithm(
            "sb3-sac", _SB3, "SB3SAC", "SB3SACConfig", "soft actor-critic, continuous actions"
        ),
        Algorithm(
            "sb3-td3",
            _SB3,
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
