"""Which keys play which environment, and whether it waits for its player."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

LAYOUTS: dict[str, dict[str, int]] = {
    "Acrobot": {"left": 0, "right": 2},
    "Blackjack": {"s": 0, "h": 1},
    "CartPole": {"left": 0, "right": 1},
    "CliffWalking": {"up": 0, "right": 1, "down": 2, "left": 3},
    "FrozenLake": {"left": 0, "down": 1, "right": 2, "up": 3},
    "FrozenLake8x8": {"left": 0, "down": 1, "right": 2, "up": 3},
    "LunarLander": {"left": 1, "up": 2, "right": 3},
    "MountainCar": {"left": 0, "right": 2},  # its own mapping has the key codes of an older SDL
    "Taxi": {"down": 0, "up": 1, "right": 2, "left": 3, "p": 4, "d": 5},
}
IDLE = {"Acrobot": 1, "LunarLander": 0, "MountainCar": 1}
REAL_TIME = 15  # frames per second from which on an environment does not wait for its player


@dataclass(frozen=True)
class Controls:
    """How a person plays an environment.

    Attributes:
        keys: from key codes held together to actions.
        idle: the action while no key is held; None: the last one goes on.
        real_time: whether time goes on while no key is pressed.
    """

    keys: Mapping[frozenset[int], Any]
    idle: Any
    real_time: bool

    def choose(self, pressed: Collection[int], held: Collection[int], last: Any) -> Any:
        """Return the action now; None: wait for the player.

        Args:
            pressed: keys that went down since the last step.
            held: keys that are down.
            last: the action before, None at the beginning.
        """
        down = {*pressed, *held} if self.real_time else {*pressed}
        chords = [keys for keys in self.keys if keys and keys <= down]
        if chords:
            return self.keys[max(chords, key=len)]
        if not self.real_time:
            return None
        return last if self.idle is None else self.idle


def find_controls(env: gym.Env) -> Controls:
    """Return the controls of an environment: well-known ones, its own, or the digits.

    Raises:
        ValueError: actions are not discrete, or too many for the digits.
    """
    name = env.spec.name if env.spec is not None and env.spec.namespace is None else ""
    rate = env.metadata.get("render_fps") or 0
    dynamics = getattr(env.unwrapped, "dynamics", None)
    idle = IDLE.get(name, getattr(dynamics, "noop", None))
    goes_on = getattr(dynamics, "real_time", False)
    real_time = goes_on or idle is not None or rate >= REAL_TIME
    own = getattr(env.unwrapped, "get_keys_to_action", None)
    if name in LAYOUTS:
        keys = {frozenset([key_code(key)]): action for key, action in LAYOUTS[name].items()}
    elif own is not None:
        keys = {_codes(chord): action for chord, action in own().items()}
    else:
        keys = _digits(env)
    return Controls(keys, keys.get(frozenset(), idle), real_time)


def key_code(name: str) -> int:
    """Return pygame's code of the key "left", "a", "7", ..."""
    import pygame

    return int(getattr(pygame, f"K_{name.upper() if len(name) > 1 else name}"))


def key_names(controls: Controls) -> list[str]:
    """Return what the keys of `controls` are called, such as "left" or "left+up"."""
    import pygame

    return ["+".join(map(pygame.key.name, sorted(chord))) for chord in controls.keys if chord]


def _codes(chord: Any) -> frozenset[int]:
    """Read what Gymnasium allows as a chord: a code, a character, or several of them."""
    keys = chord if isinstance(chord, tuple | list | str) else (chord,)
    return frozenset(ord(key) if isinstance(key, str) else int(key) for key in keys)


def _digits(env: gym.Env) -> dict[frozenset[int], int]:
    space = env.action_space
    name = env.spec.id if env.spec is not None else str(env)
    if not isinstance(space, gym.spaces.Discrete):
        message = f"{name} cannot be played by hand: its actions are {space}"
        raise ValueError(f"{message}, expected Discrete ones")
    if space.n > 10:
        message = f"{name} cannot be played by hand: it names no keys for its {space.n} actions"
        raise ValueError(f"{message}, and there are ten digits")
    return {frozenset([key_code(str(k))]): int(space.start) + k for k in range(int(space.n))}
