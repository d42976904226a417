"""The quality table: what algorithms reach on environments, beside values that are known.

References are exact where the text says so: closed forms and dynamic programming for Lake (V* of
the start .542026 at γ = .99, 14/17 at γ = 1; best success within the time limit .744190, 8x8
.913220), Cliff (-13, slippery -64.709176) and Taxi-v4 (7.93, mean over its starts); the reward
threshold of CartPole-v1, 475; the maximum of Catch, 1; the mean of Reach's best policy over 10,000
episodes, -5.84; of MiniGrid's empty room, 1 - 0.9 · 11 / 256 for its shortest way of 11 steps.
"""

from collections.abc import Iterable

from nets.benchmarks.quality import TOLERANCE, Advantage, Row, exactly
from nets.benchmarks.timing import Need

from .experiments import Best, Trained


def _planning() -> Iterable[Row]:
    problems = (
        ("lake", "dreamgym/Lake-v0", 0.99, 0.542026),
        ("lake-undiscounted", "dreamgym/Lake-v0", 1.0, 14 / 17),
        ("lake-8x8", "dreamgym/Lake8x8-v0", 0.99, 0.414640),
        ("cliff", "dreamgym/Cliff-v0", 1.0, -13.0),
        ("cliff-slippery", "dreamgym/CliffSlippery-v0", 1.0, -64.709176),
        ("frozen-lake", "FrozenLake-v1", 0.99, 0.542026),
        ("frozen-lake-8x8", "FrozenLake8x8-v1", 0.99, 0.414640),
        ("cliff-walking", "CliffWalking-v1", 1.0, -13.0),
        ("cliff-walking-slippery", "CliffWalkingSlippery-v1", 1.0, -64.709176),
        ("taxi", "Taxi-v4", 1.0, 7.93),
    )
    for name, env_id, discount, value in problems:
        for algorithm in ("value-iteration", "policy-iteration"):
            planned = Trained(algorithm, env_id, "start_value", 1, {"discount": discount})
            what = f"{algorithm} on {env_id}, γ = {discount:g}: value of the start"
            yield exactly(f"{algorithm}-{name}", what, planned, value)


def _success() -> Iterable[Row]:
    for name, env_id, value in (
        ("lake", "dreamgym/Lake-v0", 0.744190),
        ("lake-8x8", "dreamgym/Lake8x8-v0", 0.913220),
        ("cliff", "dreamgym/Cliff-v0", -13.0),
        ("frozen-lake", "FrozenLake-v1", 0.744190),
    ):
        what = f"best return within the time limit of {env_id}"
        yield exactly(f"best-{name}", what, Best(env_id), value)


TABLE_OF_LOGITS = {  # a linear policy of one-hot states
    "hidden": (),
    "n_steps": 128,
    "epochs": 4,
    "batch_size": 256,
    "learning_rate": 0.02,
    "discount": 0.97,
    "gae_lambda": 0.9,
    "entropy_coefficient": 0.05,
    "normalize_reward": True,
}


def _masks() -> Iterable[Row]:
    for algorithm, steps, settings in (
        ("q-learning", 500_000, {}),
        ("ppo", 1_000_000, TABLE_OF_LOGITS),
    ):
        with_masks, without = (
            Trained(
                algorithm, "Taxi-v4", "steps_to_goal", steps, settings | {"mask_actions": masks}
            )
            for masks in (True, False)
        )
        yield Row(
            f"masks-{algorithm}-taxi",
            f"{algorithm} on Taxi-v4: steps to a return of 7.9 with action masks, minus without",
            Advantage(with_masks, without),
            0.0,
            high=-1.0,
            every_seed=True,
        )


CLIFF = "dreamgym/Cliff-v0"
FIXED = {"discount": 1.0}  # and the defaults: ε = .1, α = .1


def _fixed(algorithm: str, statistic: str) -> Trained:
    return Trained(algorithm, CLIFF, statistic, 200_000, FIXED, preset=False)


def _examples() -> Iterable[Row]:
    """What the Python examples of README and of the pages reach."""
    for name, algorithm, env_id, steps, reference, low in (
        ("dqn-cartpole", "dqn", "CartPole-v1", None, 500.0, 475.0),
        ("ppo-cartpole", "ppo", "CartPole-v1", 50_000, 500.0, 475.0),
        ("ppo-pendulum", "ppo", "Pendulum-v1", None, -168.0, -250.0),
        ("a2c-cartpole", "a2c", "CartPole-v1", None, 500.0, 475.0),
        ("reinforce-cartpole", "reinforce", "CartPole-v1", None, 500.0, 475.0),
        ("q-learning-cliff", "q-learning", "CliffWalking-v1", None, -13.0, -13.0),
    ):
        called = "learn()" if steps is None else f"learn({steps:_})"
        settings = "the preset" if steps is None else "the defaults"
        yield Row(
            f"python-{name}",
            f"{algorithm} on {env_id} in Python, by {settings}: mean return after {called}",
            Trained(algorithm, env_id, "last_return", steps, preset=steps is None),
            reference,
            low=low,
            every_seed=name != "dqn-cartpole",  # whose last agent may be between two good ones
        )


ROWS = (
    *_planning(),
    *_success(),
    *_masks(),
    exactly(
        "q-learning-cliff",
        "Q-learning on Cliff: exact return of the greedy policy",
        Trained("q-learning", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    exactly(
        "double-q-learning-cliff",
        "double Q-learning on Cliff: exact return of the greedy policy",
        Trained("double-q-learning", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    exactly(
        "q-learning-cliff-fixed",
        "Q-learning on Cliff under a fixed ε of .1: exact return of the greedy policy",
        _fixed("q-learning", "exact_return"),
        -13.0,
        seeded=True,
    ),
    Row(
        "sarsa-cliff-fixed",
        "SARSA on Cliff under a fixed ε of .1: the greedy path keeps away from the edge",
        _fixed("sarsa", "exact_return"),
        -15.0,
        low=-19.0,
        high=-14.0,
        every_seed=True,
    ),
    Row(
        "sarsa-cliff-online",
        "SARSA's return while learning on Cliff minus Q-learning's, both under a fixed ε of .1",
        Advantage(_fixed("sarsa", "online_return"), _fixed("q-learning", "online_return")),
        0.0,
        low=1.0,
        every_seed=True,
    ),
    exactly(
        "sarsa-cliff-glie",
        "SARSA on Cliff with ε = 1 / visits: exact return of the greedy policy",
        Trained("sarsa", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    exactly(
        "expected-sarsa-cliff-glie",
        "expected SARSA on Cliff with ε = 1 / visits: exact return of the greedy policy",
        Trained("expected-sarsa", CLIFF, "exact_return"),
        -13.0,
        seeded=True,
    ),
    Row(
        "q-learning-lake",
        "Q-learning on Lake: exact success of the greedy policy, within 1 % of the best",
        Trained("q-learning", "dreamgym/Lake-v0", "exact_return"),
        0.744190,
        low=0.99 * 0.744190,
        every_seed=True,
    ),
    Row(
        "q-learning-taxi",
        "Q-learning on Taxi-v4: exact return of the greedy policy, mean over starts",
        Trained("q-learning", "Taxi-v4", "exact_return"),
        7.93,
        low=7.93 - TOLERANCE,
    ),
    Row(
        "dqn-cartpole",
        "DQN on CartPole-v1: mean return of the best checkpoint over 100 episodes",
        Trained("dqn", "CartPole-v1", "best_return"),
        500.0,
        low=475.0,
        every_seed=True,
    ),
    Row(
        "dqn-catch",
        "DQN on Catch from pixels: mean return of the best checkpoint over 100 episodes",
        Trained("dqn", "dreamgym/Catch-v0", "best_return"),
        1.0,
        low=0.95,
        every_seed=True,
    ),
    Row(
        "ppo-reach",
        "PPO on Reach, a world of goals: mean return of the best checkpoint over 100 episodes",
        Trained("ppo", "dreamgym/Reach-v0", "best_return"),
        -5.84,
        low=-7.0,
        every_seed=True,
    ),
    Row(
        "ppo-minigrid-empty",
        "PPO on MiniGrid-Empty-8x8-v0 (Dict): mean return of the best checkpoint over 100 episodes",
        Trained("ppo", "MiniGrid-Empty-8x8-v0", "best_return"),
        0.961,
        low=0.9,
        every_seed=True,
        needs=Need.of_module("minigrid", "minigrid"),
    ),
    *_examples(),
)
