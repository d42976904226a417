"""Callbacks of stable-baselines3 on agents of ours: what they touch, and nothing more."""

from typing import TYPE_CHECKING, Any, Self, cast

from gymnasium import Space
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback, CallbackList
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv

if TYPE_CHECKING:
    from .actor import Actor
    from .progress import Progress


def as_callback(callback: object) -> BaseCallback:
    """Return a callback of stable-baselines3, or a list of them, as one.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(callback, BaseCallback):
        return callback
    if isinstance(callback, list) and all(isinstance(part, BaseCallback) for part in callback):
        return CallbackList(callback)
    message = f"callback is {callback!r}: expected a function of a Progress, a BaseCallback of"
    raise TypeError(f"{message} stable-baselines3, or a list of those")


class Adapter:
    """A callback of our trainer that passes the steps on to one of stable-baselines3.

    In its `locals` are `total_timesteps`, `dones` and `infos`, whose `"episode"` holds return `"r"`
    and length `"l"` where an episode ended (which copy of the environment it was is not told), and
    our `progress`. The rest of stable-baselines3's loop does not exist here: no `on_rollout_start`,
    no `rewards`.
    """

    def __init__(self, agent: "Actor", callback: object, total_timesteps: int) -> None:
        self.agent, self.callback = agent, as_callback(callback)
        self._variables: dict[str, Any] = {
            "total_timesteps": agent.steps + total_timesteps,
            "tb_log_name": agent.name,
        }
        self._episodes = 0

    def __enter__(self) -> Self:
        self.callback.init_callback(cast(BaseAlgorithm, Model(self.agent)))
        self.callback.on_training_start(self._variables, {})
        return self

    def __call__(self, progress: "Progress") -> bool:
        """Pass a step on; False where the callback wants to stop."""
        ended = progress.episodes - self._episodes
        self._episodes = progress.episodes
        infos: list[dict[str, Any]] = [{} for _ in range(self.agent.num_envs)]
        latest = progress.unlogged[len(progress.unlogged) - ended :]
        for info, episode in zip(infos, latest, strict=False):
            info["episode"] = {"r": episode.total_reward, "l": episode.length}
        dones = [bool(info) for info in infos]
        self.callback.update_locals({"dones": dones, "infos": infos, "progress": progress})
        return self.callback.on_step()

    def __exit__(self, *error: object) -> None:
        self.callback.on_training_end()


class Model:
    """An agent of ours as callbacks see the model they are given."""

    verbose = 0

    def __init__(self, agent: "Actor") -> None:
        self.agent = agent
        self.logger = Logger(None, [])
        self.n_envs = agent.num_envs
        self.observation_space, self.action_space = agent.observation_space, agent.action_space
        self.device, self.seed = agent.device, agent.seed
        self.predict, self.save = agent.predict, agent.save
        self._env = Copies(agent.num_envs, agent.observation_space, agent.action_space)

    @property
    def num_timesteps(self) -> int:
        """Environment steps so far."""
        return self.agent.steps

    def get_env(self) -> VecEnv:
        """Return spaces and number of the environments."""
        return self._env

    def get_vec_normalize_env(self) -> None:
        """Return None: statistics belong to the agent."""

    def dump_logs(self) -> None:
        """Write what callbacks have logged to the outputs of the logger."""
        self.logger.dump(self.num_timesteps)


class Copies(DummyVecEnv):
    """Spaces and number of the training's environments, which every segment makes anew.

    A `DummyVecEnv` to whoever compares it with the environment of an evaluation.
    """

    def __init__(self, num_envs: int, observation_space: Space, action_space: Space) -> None:
        self._count = num_envs
        VecEnv.__init__(self, num_envs, observation_space, action_space)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return the render mode, which is None."""
        if attr_name == "render_mode":
            return [None] * self._count
        return self._refuse(f"get_attr({attr_name!r})")

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refuse: it would change nothing that the agent meets."""
        self._refuse(f"set_attr({attr_name!r})")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Refuse: it would change nothing that the agent meets."""
        self._refuse(f"env_method({method_name!r})")

    def reset(self) -> Any:
        """Refuse: the environments are the loop's."""
        self._refuse("reset")

    def step_async(self, actions: Any) -> None:
        """Refuse: the environments are the loop's."""
        self._refuse("step")

    def close(self) -> None:
        """Nothing is held."""

    def _refuse(self, what: str) -> Any:
        message = f"a callback called {what} on the training's environments, which every segment"
        raise NotImplementedError(f"{message} makes anew: it can only read spaces and num_envs")
