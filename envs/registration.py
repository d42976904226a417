"""Registration of worlds with Gymnasium."""

from typing import Any

from gymnasium.envs.registration import register


def register_world(
    id: str,
    dynamics: str,
    *,
    max_episode_steps: int | None = None,
    kwargs: dict[str, Any] | None = None,
) -> None:
    """Register a world, so that `gym.make` and `gym.make_vec` build it from its id.

    Args:
        id: Gymnasium's id, such as "mine/World-v0".
        dynamics: Where the dynamics' class is, as "module:Class".
        max_episode_steps: The time limit; None for no limit.
        kwargs: Arguments of the class; those given to `gym.make` override them.
    """
    register(
        id=id,
        entry_point="envs.scalar:DynamicsEnv",
        vector_entry_point="envs.vector:DynamicsVectorEnv",
        max_episode_steps=max_episode_steps,
        kwargs={"dynamics": dynamics, **(kwargs or {})},
    )
