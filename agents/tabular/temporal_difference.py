"""Tabular agents: SARSA, expected SARSA, Q-learning, double Q-learning (curriculum A-TD-01..03).

They learn a table Q(s, a) on any environment with discrete observations and actions:

    Q(s, a) ← Q(s, a) + α·[y - Q(s, a)]

| agent | target y |
|---|---|
| SARSA | r + γ·Q(s', a'), a' the next action taken |
| expected SARSA | r + γ·Σ_a π(a|s')·Q(s', a) |
| Q-learning | r + γ·max_a Q(s', a) |
| double Q-learning | r + γ·Q₂(s', argmax_a Q₁(s', a)), the tables' roles drawn for every update |

γ is 0 where `terminated`; a truncated episode bootstraps. `kernel` has these four functions.
"""

from . import kernel
from .agent import Tabular
from .config import DoubleQLearningConfig, ExpectedSarsaConfig, QLearningConfig, SarsaConfig


class Sarsa(Tabular[SarsaConfig]):
    """SARSA (Rummery and Niranjan, 1994), with λ > 0 SARSA(λ): learns the policy it follows."""

    name = "sarsa"
    config_type = SarsaConfig
    algorithm = staticmethod(kernel.sarsa)


class ExpectedSarsa(Tabular[ExpectedSarsaConfig]):
    """Expected SARSA (van Seijen et al., 2009): SARSA without the noise of the next action."""

    name = "expected-sarsa"
    config_type = ExpectedSarsaConfig
    algorithm = staticmethod(kernel.expected_sarsa)


class QLearning(Tabular[QLearningConfig]):
    """Q-learning (Watkins, 1989), with λ > 0 Watkins's Q(λ): learns the greedy policy."""

    name = "q-learning"
    config_type = QLearningConfig
    algorithm = staticmethod(kernel.q_learning)


class DoubleQLearning(Tabular[DoubleQLearningConfig]):
    """Double Q-learning (van Hasselt, 2010): two tables, one chooses, the other values."""

    name = "double-q-learning"
    config_type = DoubleQLearningConfig
    algorithm = staticmethod(kernel.double_q_learning)
    tables = 2
