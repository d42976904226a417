"""Speed at many environments: PPO and A2C beside the shape of PureJaxRL, DQN beside SB3; pixels.

All have the same settings and networks of 64-64 units. PPO and A2C of ours learn by their compiled
kernels; how fast they are by torch is measured beside them. JAX compiles the world into the loop of
learning, for which its programs count only once compiled: that takes it seconds, told apart, which
the time to a goal has in it. Ours steps its own CartPole, compiled, too, which has the physics of
gymnax's; cases that end in `-gymnasium` have Gymnasium's. Bars: PPO 0.8 of JAX's steps/s, DQN twice
stable-baselines3's; A2C none, where the price of Python's calls decides, whatever is learned.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from nets.benchmarks.apart import Apart
from nets.benchmarks.timing import Case, Measure, Side

from ..environments.ids import find_spec
from .deep import A2C, ENV_ID, PPO, PPO_DISCOUNT, PPO_EPOCHS, copies, learning
from .deep import ours as trained
from .learners import GOAL, GOAL_EPISODES, GOAL_EVERY, our_way_to_goal, sb3_way_to_goal
from .pixels import CASES as PIXELS

PEERS = ("jax==0.10.2", "flax==0.12.8", "optax==0.2.8", "gymnax==1.0.1")
OWN_ID = "dreamgym/CartPole-v0"
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


def ours(algorithm: str, shape: Shape, settings: dict[str, Any], gymnasiums: bool) -> Measure:
    """Measure env steps/s of an agent of ours, on Gymnasium's CartPole or on ours, compiled."""
    before, steps = 2 * shape.rows, shape.updates * shape.rows

    def measure(turn: int) -> float:
        world = find_spec(ENV_ID if gymnasiums else OWN_ID)
        if not gymnasiums:
            world.kwargs["kernel"] = "fused"
        return trained(algorithm, world, shape.copies, before, steps, settings)(turn)

    return measure


def beside_jax(
    algorithm: str, shape: Shape, settings: dict[str, Any], name: str, what: str, **told: Any
) -> Iterator[Case]:
    """Yield the comparisons at one shape: on our compiled CartPole, and on Gymnasium's.

    Args:
        algorithm: the name of ours.
        shape: of all sides.
        settings: of ours.
        name: of the case on our world.
        what: is done.
        **told: of the cases.
    """
    jax = Side("JAX, PureJaxRL's shape", JAX.measure(*shape))
    for gymnasiums in (False, True):

        def side(kernel: str, gymnasiums: bool = gymnasiums) -> Side:
            own = settings | {"kernel": kernel}
            return Side(f"{algorithm}, {kernel}", ours(algorithm, shape, own, gymnasiums))

        world = "Gymnasium's CartPole-v1" if gymnasiums else f"{OWN_ID}, compiled"
        yield Case(
            f"{name}-gymnasium" if gymnasiums else name,
            f"{what.format(world=world)}; the peer is compiled before, and its world with it",
            f"{shape.updates * shape.rows:,} steps",
            "steps/s",
            side("fused"),
            (jax, side("torch")),
            rounds=5,
            warm_up=False,
            needs=JAX.need,
            **told,
        )


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


def ppo_cases(shape: Shape) -> Iterator[Case]:
    """Yield the comparisons of PPO at one shape."""
    settings = {
        "n_steps": shape.n_steps,
        "batch_size": shape.rows // shape.minibatches,
        "epochs": shape.epochs,
        "discount": PPO_DISCOUNT,
        "gae_lambda": PPO["gae_lambda"],
        "learning_rate": PPO["learning_rate"],
    }
    what = (
        f"PPO on {{world}}, {shape.copies} environments of {shape.n_steps} steps,"
        f" {shape.epochs} epochs of {shape.minibatches} minibatches"
    )
    name = f"ppo-vector-{shape.copies}x{shape.n_steps}"
    yield from beside_jax("ppo", shape, settings, name, what, bar=0.8)


def a2c_cases(copies: int) -> Iterator[Case]:
    """Yield the comparisons of A2C at a number of environments."""
    shape = Shape(copies, int(A2C["n_steps"]), 1, 1, A2C_UPDATES)
    what = f"A2C on {{world}}, {copies} environments of {shape.n_steps} steps"
    yield from beside_jax("a2c", shape, A2C, f"a2c-vector-{copies}", what)


CASES = (
    *chain.from_iterable(map(ppo_cases, SHAPES)),
    *chain.from_iterable(map(a2c_cases, A2C_COPIES)),
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
