"""Speed at many environments: PPO and A2C beside the shape of PureJaxRL, DQN beside SB3; pixels.

All have the same settings and networks of 64-64 units. PPO and A2C of ours learn by their compiled
kernels; how fast they are by torch is measured beside them. JAX compiles the world into the loop of
learning, for which its programs count only once compiled: that takes it seconds, told apart, which
the time to a goal has in it. Bars: PPO 0.8 of JAX's steps/s, DQN twice stable-baselines3's; A2C
none, where Gymnasium's world and the price of Python's calls decide, whatever is learned.
"""

from pathlib import Path
from typing import Any, Literal, NamedTuple

from nets.benchmarks.apart import Apart
from nets.benchmarks.timing import Case, Side, rate

from ..algorithms import find_algorithm
from .deep import A2C, ENV_ID, PPO, PPO_DISCOUNT, PPO_EPOCHS, copies, learning
from .deep import ours as trained
from .learners import GOAL, GOAL_EPISODES, GOAL_EVERY, our_way_to_goal, sb3_way_to_goal
from .pixels import CASES as PIXELS

PEERS = ("jax==0.10.2", "flax==0.12.8", "optax==0.2.8", "gymnax==1.0.1")
FORGOTTEN = ("six==1.17.0",)  # which gymnax imports and does not ask for
JAX = Apart("jax", (*PEERS, *FORGOTTEN), Path(__file__).with_name("jax_peer.py"))
A2C_COPIES, A2C_UPDATES = (64, 2_048), 100
DQN_COPIES, DQN_BEFORE, DQN_STEPS = 64, 6_400, 12_800
DQN_SETTINGS = {
    "batch_size": 256,
    "buffer_size": 50_000,
    "learning_starts": 1_000,
    "learning_rate": 1e-3,
}
OUR_DQN = DQN_SETTINGS | {"hidden": (64, 64), "train_every": DQN_COPIES, "double": False}
MOST = 100_000  # steps to the goal
CHUNK = 4  # rollouts between two of JAX's looks at the goal: about `GOAL_EVERY` steps


class Shape(NamedTuple):
    """How much is gathered, how often it is learned from, and how many times that is measured."""

    copies: int
    n_steps: int
    epochs: int
    minibatches: int
    updates: int

    @property
    def rows(self) -> int:
        """Rows of a rollout."""
        return self.copies * self.n_steps


SHAPES = (
    Shape(8, 32, 20, 1, 64),
    Shape(64, 32, 4, 4, 48),
    Shape(512, 32, 4, 4, 8),
    Shape(2048, 16, 2, 4, 6),
)


def ours(shape: Shape, kernel: Literal["torch", "fused"], turn: int) -> float:
    """Measure env steps/s of our PPO, compiled before where it is to be."""
    found, steps = find_algorithm("ppo"), shape.updates * shape.rows
    config = found.config_type()(
        n_steps=shape.n_steps,
        batch_size=shape.rows // shape.minibatches,
        epochs=shape.epochs,
        discount=PPO_DISCOUNT,
        gae_lambda=PPO["gae_lambda"],
        learning_rate=PPO["learning_rate"],
        kernel=kernel,
    )
    agent = found.agent_type()(ENV_ID, config, seed=turn, device="cpu", num_envs=shape.copies)
    agent.learn(2 * shape.rows, progress=False)
    return rate(steps, lambda: agent.learn(steps, progress=False))


def sb3_dqn(turn: int) -> float:
    """Measure env steps/s of stable-baselines3's DQN."""
    from stable_baselines3 import DQN

    settings: dict[str, Any] = DQN_SETTINGS | {"train_freq": 1, "gradient_steps": 1}
    net = {"net_arch": [64, 64]}
    model = DQN(
        "MlpPolicy", copies(DQN_COPIES), seed=turn, device="cpu", policy_kwargs=net, **settings
    )
    return learning(model, DQN_BEFORE, DQN_STEPS)


def sb3_model(seed: int) -> Any:
    """Return stable-baselines3's PPO under the settings of its zoo for `MOST` steps."""
    from stable_baselines3 import PPO as SB3PPO

    settings: dict[str, Any] = PPO | {"n_epochs": PPO_EPOCHS, "gamma": PPO_DISCOUNT}
    settings |= {
        "learning_rate": lambda left: left * PPO["learning_rate"],
        "clip_range": lambda left: left * 0.2,
    }
    return SB3PPO("MlpPolicy", copies(), seed=seed, device="cpu", ent_coef=0.0, **settings)


def case(shape: Shape) -> Case:
    """Return the comparison at one shape."""
    shown = f"{shape.copies}x{shape.n_steps}"
    measured = (*shape[:4], shape.updates)
    return Case(
        f"ppo-vector-{shown}",
        f"PPO on {ENV_ID}, {shape.copies} environments of {shape.n_steps} steps,"
        f" {shape.epochs} epochs of {shape.minibatches} minibatches; the peer is compiled before",
        f"{shape.updates * shape.rows:,} steps",
        "steps/s",
        Side("ppo, fused", lambda turn: ours(shape, "fused", turn)),
        (
            Side("JAX, PureJaxRL's shape", JAX.measure(*measured)),
            Side("ppo, torch", lambda turn: ours(shape, "torch", turn)),
        ),
        bar=0.8,
        rounds=5,
        warm_up=False,
        needs=JAX.need,
    )


def a2c_case(copies: int) -> Case:
    """Return the comparison of A2C at a number of environments."""
    shape = Shape(copies, int(A2C["n_steps"]), 1, 1, A2C_UPDATES)
    steps = shape.updates * shape.rows

    def by(kernel: Literal["torch", "fused"]) -> Side:
        settings = A2C | {"kernel": kernel}
        measure = trained("a2c", ENV_ID, copies, 2 * shape.rows, steps, settings)
        return Side(f"a2c, {kernel}", measure)

    return Case(
        f"a2c-vector-{copies}",
        f"A2C on {ENV_ID}, {copies} environments of {shape.n_steps} steps; the peer is compiled"
        " before, and its world with it",
        f"{steps:,} steps",
        "steps/s",
        by("fused"),
        (Side("JAX, PureJaxRL's shape", JAX.measure(*shape)), by("torch")),
        rounds=5,
        warm_up=False,
        needs=JAX.need,
    )


CASES = (
    *map(case, SHAPES),
    *map(a2c_case, A2C_COPIES),
    *PIXELS,
    Case(
        "dqn-vector-64",
        f"DQN on {ENV_ID}, {DQN_COPIES} environments, an update of"
        f" {DQN_SETTINGS['batch_size']} rows every step of all",
        f"{DQN_STEPS:,} steps",
        "steps/s",
        Side("dqn", trained("dqn", ENV_ID, DQN_COPIES, DQN_BEFORE, DQN_STEPS, OUR_DQN)),
        (Side("stable-baselines3 DQN", sb3_dqn),),
        bar=2.0,
        rounds=5,
    ),
    Case(
        "ppo-cartpole-475",
        f"PPO on {ENV_ID}: seconds of training until {GOAL_EPISODES} deterministic episodes average"
        f" {GOAL:.0f}, tried about every {GOAL_EVERY:,} steps; ours by its preset,"
        " stable-baselines3's by its zoo's, JAX's time has its compilation in it",
        "one training, the round is the seed",
        "s",
        Side("ppo, preset", our_way_to_goal("ppo", MOST)),
        (
            Side("stable-baselines3 PPO, zoo", sb3_way_to_goal(sb3_model, MOST)),
            Side(
                "JAX, PureJaxRL's shape",
                JAX.measure(*SHAPES[0][:4], CHUNK, "--goal", MOST),
            ),
        ),
        rounds=5,
        warm_up=False,
        needs=JAX.need,
    ),
)
