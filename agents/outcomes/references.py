"""What returns are to be compared with, where an environment says it."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym


def solved_from(recipe: Mapping[str, Any]) -> float | None:
    """Return the mean return from which on Gymnasium calls an environment solved.

    Args:
        recipe: as an environment's source describes itself; where it asks for other arguments,
            wrappers, or another time limit than are registered, that figure is of another task.

    Returns:
        None: nobody has named one.
    """
    spec = gym.registry.get(str(recipe["id"]).rpartition(":")[2])
    if spec is None or recipe.get("wrappers"):
        return None
    asked = recipe.get("kwargs", spec.kwargs), recipe.get("max_episode_steps")
    same = asked[0] == spec.kwargs and asked[1] in (None, spec.max_episode_steps)
    return spec.reward_threshold if same else None
