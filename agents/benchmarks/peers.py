"""Peers that are not in any package we depend on, written as their authors or textbooks do."""

import random
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

Board = NDArray[np.float32]


class LeanCatch(gym.Env):
    """Catch as short and fast as a `gym.Env` can be: Python numbers, one fresh board per step.

    A ball falls by one row a step; the reward is 1 if it lands on the paddle, else -1.
    """

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, rows: int = 10, columns: int = 5) -> None:
        self.rows, self.columns = rows, columns
        self.observation_space = gym.spaces.Box(0.0, 1.0, (rows, columns), np.float32)
        self.action_space = gym.spaces.Discrete(3)
        self.row = self.column = self.paddle = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Board, dict[str, Any]]:
        """Drop the ball from a random column; the paddle waits in the middle."""
        super().reset(seed=seed)
        self.row, self.column = 0, int(self.np_random.integers(self.columns))
        self.paddle = self.columns // 2
        return self.board(), {}

    def step(self, action: int) -> tuple[Board, float, bool, bool, dict[str, Any]]:
        """Move the paddle by action - 1 and the ball down."""
        self.paddle = self.moved(action)
        self.row += 1
        landed = self.row == self.rows - 1
        reward = 0.0
        if landed:
            reward = 1.0 if self.paddle == self.column else -1.0
        return self.board(), reward, landed, False, {}

    def moved(self, action: int) -> int:
        """Return where the paddle comes to."""
        return min(max(self.paddle + action - 1, 0), self.columns - 1)

    def board(self) -> Board:
        """Return the observation."""
        board = np.zeros((self.rows, self.columns), np.float32)
        board[self.row, self.column] = 1.0
        board[-1, self.paddle] = 1.0
        return board


class BsuiteCatch(LeanCatch):
    """Catch by the same operations as bsuite's: NumPy's clip, one board that is wiped and copied.

    bsuite's own (0.3.6), behind a thin `gym.Env`, was measured up to a fifth slower than this.
    """

    def __init__(self, rows: int = 10, columns: int = 5) -> None:
        super().__init__(rows, columns)
        self._board = np.zeros((rows, columns), np.float32)

    def moved(self, action: int) -> int:
        """Return where the paddle comes to."""
        return np.clip(self.paddle + action - 1, 0, self.columns - 1)

    def board(self) -> Board:
        """Return the observation."""
        self._board.fill(0.0)
        self._board[self.row, self.column] = 1.0
        self._board[-1, self.paddle] = 1.0
        return self._board.copy()


class Noise84(gym.Env):
    """Stacks of four grey pictures of noise, as many bytes as Atari's: nothing but their weight."""

    metadata = {"render_modes": []}  # noqa: RUF012
    observation_space = gym.spaces.Box(0, 255, (4, 84, 84), np.uint8)
    action_space = gym.spaces.Discrete(6)

    def __init__(self) -> None:
        shape = (16, *self.observation_space.shape)
        self._pictures = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        self._steps = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Show the first picture."""
        super().reset(seed=seed)
        self._steps = 0
        return self._pictures[0].copy(), {}

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Show the next picture; an episode has 1,000."""
        self._steps += 1
        picture = self._pictures[self._steps % len(self._pictures)].copy()
        return picture, float(action == 0), self._steps == 1_000, False, {}


NOISE_84 = EnvSpec(id="Noise84-v0", entry_point=f"{__name__}:Noise84")
LEAN_CATCH = EnvSpec(id="LeanCatch-v0", entry_point=f"{__name__}:LeanCatch")
BSUITE_CATCH = EnvSpec(id="BsuiteCatch-v0", entry_point=f"{__name__}:BsuiteCatch")


def plain_q_learning(
    env: gym.Env,
    steps: int,
    *,
    learning_rate: float = 0.1,
    discount: float = 0.99,
    epsilon: float = 0.1,
    seed: int = 0,
) -> list[list[float]]:
    """Learn Q `[S, A]` in the textbook's loop, on lists: Python indexes them faster than arrays."""
    num_states, num_actions = env.observation_space.n, env.action_space.n  # type: ignore[attr-defined]
    q = [[0.0] * int(num_actions) for _ in range(int(num_states))]
    rng = random.Random(seed)
    state = env.reset(seed=seed)[0]
    for _ in range(steps):
        values = q[state]
        if rng.random() < epsilon:
            action = int(rng.random() * num_actions)
        else:
            action = values.index(max(values))
        next_state, reward, terminated, truncated, _ = env.step(action)
        future = 0.0 if terminated else discount * max(q[next_state])
        values[action] += learning_rate * (float(reward) + future - values[action])
        state = env.reset()[0] if terminated or truncated else next_state
    return q
