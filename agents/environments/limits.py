"""How long an episode is played where its world may never end it."""

from gymnasium.envs.registration import EnvSpec

from nets.kinds import Count
from nets.settings import required

STEP_LIMIT = 1000
FRAMES = "max_num_frames_per_episode"  # the time limit of the Arcade Learning Environment


def step_limit(spec: EnvSpec | None, max_steps: int | None = None) -> int:
    """Return after how many steps whoever measures or draws an episode cuts it off.

    Args:
        spec: of the world; episodes are never cut off before its own time limit.
        max_steps: what was asked for; by default 1000.

    Raises:
        ValueError: `max_steps` is no whole number above 0.
    """
    if max_steps is not None:
        return required("max_steps", max_steps, Count)
    own = time_limit(spec) or (None if spec is None else spec.kwargs.get(FRAMES))
    return max(STEP_LIMIT, own or 0)


def time_limit(spec: EnvSpec | None) -> int | None:
    """Return the shortest time limit of a world and the wrappers around it, where there is one."""
    if spec is None:
        return None
    around = [w.kwargs or {} for w in spec.additional_wrappers if w.name == "TimeLimit"]
    limits = [spec.max_episode_steps, *(kwargs.get("max_episode_steps") for kwargs in around)]
    return min((limit for limit in limits if limit is not None), default=None)
