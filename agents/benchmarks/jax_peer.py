"""PPO on CartPole in JAX, world and all in one compiled loop: a program of its own.

The shape is that of PureJaxRL: gymnax's world, `scan` over steps, epochs and updates, `jit` around
everything. The settings are those of the case it stands beside; the networks are ours, two MLPs of
64-64 tanh units. Nothing of ours is imported here. The last word printed is the figure; how long
XLA compiled goes to stderr.
"""

import argparse
import os
import sys
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["XLA_FLAGS"] = ONE_THREAD

import gymnax  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402
from flax import linen as nn  # noqa: E402

CLIP, VALUE_COEFFICIENT, MAX_GRAD_NORM = 0.2, 0.5, 0.5
DISCOUNT, GAE_LAMBDA, LEARNING_RATE = 0.98, 0.8, 1e-3
EPISODES, LONGEST, GOAL = 20, 500, 475.0
WORLD, WORLD_SETTINGS = gymnax.make("CartPole-v1")


class Shape(NamedTuple):
    """How much is gathered and how often it is learned from."""

    copies: int
    n_steps: int
    epochs: int
    minibatches: int


class ActorCritic(nn.Module):
    """A policy and a value, two MLPs."""

    @nn.compact  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> Any:
        """Return logits `[..., 2]` and values `[...]` of `x` `[..., 4]`."""

        def mlp(outputs: int, gain: float) -> Any:
            h = x
            for _ in range(2):
                h = nn.tanh(nn.Dense(64, kernel_init=nn.initializers.orthogonal(2**0.5))(h))
            return nn.Dense(outputs, kernel_init=nn.initializers.orthogonal(gain))(h)

        return mlp(2, 0.01), mlp(1, 1.0)[..., 0]


class State(NamedTuple):
    """All that an update changes."""

    weights: Any
    adam: Any
    world: Any
    observation: Any  # [B, 4]
    key: Any


class Rows(NamedTuple):
    """What is learned from, `[T, B, *]` or `[M, *]`."""

    observation: Any
    action: Any
    log_prob: Any
    value: Any
    reward: Any
    ended: Any


NETWORK = ActorCritic()


def log_prob(logits: Any, action: Any) -> Any:
    """Return log π(a) `[...]`."""
    return jnp.take_along_axis(jax.nn.log_softmax(logits), action[..., None], -1)[..., 0]


def step(copies: int, state: State, _: Any) -> tuple[State, Rows]:
    """Step every world once."""
    key, for_action, for_world = jax.random.split(state.key, 3)
    logits, value = NETWORK.apply(state.weights, state.observation)
    action = jax.random.categorical(for_action, logits)
    keys = jax.random.split(for_world, copies)
    stepped = jax.vmap(WORLD.step, (0, 0, 0, None))(keys, state.world, action, WORLD_SETTINGS)
    observation, world, reward = stepped[:3]
    ended = stepped[3] | stepped[4] if len(stepped) == 6 else stepped[3]
    said = log_prob(logits, action)
    rows = Rows(state.observation, action, said, value, reward, ended.astype(jnp.float32))
    return State(state.weights, state.adam, world, observation, key), rows


def advantages(rows: Rows, last_value: Any) -> Any:
    """Return generalised advantages `[T, B]`."""

    def back(carry: Any, row: Any) -> Any:
        advantage, following = carry
        value, reward, ended = row
        error = reward + DISCOUNT * following * (1 - ended) - value
        advantage = error + DISCOUNT * GAE_LAMBDA * (1 - ended) * advantage
        return (advantage, value), advantage

    begin = jnp.zeros_like(last_value), last_value
    columns = rows.value, rows.reward, rows.ended
    return jax.lax.scan(back, begin, columns, reverse=True)[1]


def loss(weights: Any, rows: Rows, advantage: Any, target: Any) -> Any:
    """Return PPO's objective, without a bonus for entropy."""
    logits, value = NETWORK.apply(weights, rows.observation)
    ratio = jnp.exp(log_prob(logits, rows.action) - rows.log_prob)
    clipped = jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * advantage
    policy = -jnp.minimum(ratio * advantage, clipped).mean()
    return policy + VALUE_COEFFICIENT * 0.5 * jnp.square(value - target).mean()


def update(shape: Shape, optimizer: Any, state: State, _: Any) -> tuple[State, Any]:
    """Gather a rollout and learn from it."""
    state, rows = jax.lax.scan(partial(step, shape.copies), state, None, shape.n_steps)
    advantage = advantages(rows, NETWORK.apply(state.weights, state.observation)[1])
    target = advantage + rows.value
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    count = shape.copies * shape.n_steps
    flat = jax.tree.map(lambda x: x.reshape(count, *x.shape[2:]), (rows, advantage, target))

    def epoch(carry: Any, _: Any) -> Any:
        weights, adam, key = carry
        key, own = jax.random.split(key)
        shuffled = flat
        if shape.minibatches > 1:
            order = jax.random.permutation(own, count)
            shuffled = jax.tree.map(lambda x: x[order], flat)
        parts = jax.tree.map(lambda x: x.reshape(shape.minibatches, -1, *x.shape[1:]), shuffled)

        def minibatch(carry: Any, part: Any) -> Any:
            weights, adam = carry
            slopes = jax.grad(loss)(weights, *part)
            change, adam = optimizer.update(slopes, adam, weights)
            return (optax.apply_updates(weights, change), adam), None

        (weights, adam), _ = jax.lax.scan(minibatch, (weights, adam), parts)
        return (weights, adam, key), None

    begin = state.weights, state.adam, state.key
    (weights, adam, key), _ = jax.lax.scan(epoch, begin, None, shape.epochs)
    return State(weights, adam, state.world, state.observation, key), None


def greedy_return(weights: Any, key: Any) -> Any:
    """Return the mean length of deterministic episodes."""
    keys = jax.random.split(key, EPISODES)
    observation, world = jax.vmap(WORLD.reset, (0, None))(keys, WORLD_SETTINGS)

    def walk(carry: Any, key: Any) -> Any:
        observation, world, alive = carry
        action = NETWORK.apply(weights, observation)[0].argmax(-1)
        keys = jax.random.split(key, EPISODES)
        stepped = jax.vmap(WORLD.step, (0, 0, 0, None))(keys, world, action, WORLD_SETTINGS)
        ended = stepped[3] | stepped[4] if len(stepped) == 6 else stepped[3]
        return (stepped[0], stepped[1], alive & ~ended), alive.sum()

    begin = observation, world, jnp.ones(EPISODES, bool)
    return jax.lax.scan(walk, begin, jax.random.split(key, LONGEST))[1].sum() / EPISODES


def main() -> None:
    """Measure steps/s of `updates`, or with `--goal` the seconds to a mean of 475."""
    parser = argparse.ArgumentParser()
    for name in (*Shape._fields, "updates"):
        parser.add_argument(name, type=int)
    parser.add_argument("--goal", type=int, metavar="STEPS", help="at most so many steps")
    parser.add_argument("seed", type=int)
    words = parser.parse_args()
    shape = Shape(*(getattr(words, name) for name in Shape._fields))
    rows = shape.copies * shape.n_steps
    most = words.updates if words.goal is None else words.goal // rows
    rate = optax.linear_schedule(LEARNING_RATE, 0.0, most * shape.epochs * shape.minibatches)
    clipped = optax.clip_by_global_norm(MAX_GRAD_NORM)
    optimizer = optax.chain(clipped, optax.adam(rate, eps=1e-5))

    key, for_weights, for_world = jax.random.split(jax.random.key(words.seed), 3)
    keys = jax.random.split(for_world, shape.copies)
    observation, world = jax.vmap(WORLD.reset, (0, None))(keys, WORLD_SETTINGS)
    weights = NETWORK.init(for_weights, observation)
    state = State(weights, optimizer.init(weights), world, observation, key)

    started = perf_counter()
    learn = partial(update, shape, optimizer)
    train = jax.jit(lambda state: jax.lax.scan(learn, state, None, words.updates)[0])
    train = train.lower(state).compile()
    compiling = perf_counter() - started
    print(f"compiled in {compiling:.1f} s", file=sys.stderr)

    def trained(state: State) -> tuple[State, float]:
        started = perf_counter()
        state = jax.block_until_ready(train(state))
        return state, perf_counter() - started

    if words.goal is None:
        state, _ = trained(state)
        _, seconds = trained(state)
        print(words.updates * rows / seconds)
        return
    measured, seconds = jax.jit(greedy_return), 0.0
    for turn in range(most // words.updates):
        state, spent = trained(state)
        seconds += spent
        if measured(state.weights, jax.random.key(10_000 + turn)) >= GOAL:
            print(f"trained in {seconds:.1f} s", file=sys.stderr)
            print(compiling + seconds)
            return
    print("inf")


if __name__ == "__main__":
    main()
