"""Making environments: errors of their own code say whose they are, or what they refuse."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium as gym

from nets.foreign import blame, blamed

HOME = {"dreamgym": "envs"}  # namespace of an id -> the module whose import registers it


def qualified(env_id: str) -> str:
    """Return an id with the module that registers it, where we know it."""
    home = HOME.get(env_id.partition("/")[0])
    return f"{home}:{env_id}" if home else env_id


@contextmanager
def making(env_id: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Note on errors of the block whose they are, but for ours, and what Gymnasium refuses.

    Args:
        env_id: of the environment that is made.
        options: what somebody wants it to be made with.

    Raises:
        ValueError: its own code refuses them; or, where it is ours, we do.
    """
    try:
        yield
    except (gym.error.Error, ImportError):
        raise
    except Exception as error:
        given = [f"{name}={value!r}" for name, value in options.items() if name != "render_mode"]
        if env_id.rpartition(":")[2].partition("/")[0] in HOME:
            raise
        if not given:
            raise blamed(error, f"the environment {env_id}, when it was made")  # noqa: B904
        message = f"{env_id} cannot be made with {', '.join(given)}"
        raise ValueError(f"{message}: {blame(error)}") from error
    except SystemExit as error:
        raise blamed(error, f"the environment {env_id}, when it was made") from error
