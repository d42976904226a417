import gymnasium as gym
import pytest

from agents.environments.arguments import require_arguments
from agents.environments.ids import find_spec


class Any(gym.Env):
    def __init__(self, size, **others):
        pass


class Bare(gym.Env):
    pass


gym.register("Any-v0", entry_point=Any)
gym.register("Bare-v0", entry_point=Bare)


@pytest.mark.parametrize(
    ("env_id", "name", "hint"),
    [
        ("FrozenLake-v1", "map_nam", "did you mean 'map_name'"),
        ("CartPole-v1", "colour", "it takes render_mode, sutton_barto_reward"),
        ("dreamgym/Cliff-v0", "slippery", "did you mean 'is_slippery'"),  # of the dynamics' class
        ("dreamgym/Cliff-v0", "dynamics", "it takes is_slippery"),  # code, which no argument names
        ("Bare-v0", "size", "it takes none"),
    ],
)
def test_an_unknown_argument_is_refused_with_what_there_is(env_id, name, hint):
    with pytest.raises(ValueError, match=f"{env_id} has no argument '{name}': {hint}"):
        require_arguments(find_spec(env_id), [name])


@pytest.mark.parametrize(
    ("env_id", "name"),
    [("FrozenLake-v1", "desc"), ("dreamgym/Cliff-v0", "is_slippery"), ("Any-v0", "whatever")],
)
def test_arguments_that_it_takes_pass(env_id, name):
    require_arguments(find_spec(env_id), [name])
