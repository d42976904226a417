import gymnasium as gym
import pytest

from agents.environments.arguments import require_arguments, require_wrapping
from agents.environments.ids import find_spec


class Any(gym.Env):
    def __init__(self, size, **others):
        pass


class Bare(gym.Env):
    pass


class Typed(gym.Env):
    def __init__(self, speed=1.0, windy=False, mode=0, level: int | str = 0, name="a"):
        pass


gym.register("Typed-v0", entry_point=Typed, kwargs={"mode": "fast"})
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
        require_arguments(find_spec(env_id), {name: 1})


@pytest.mark.parametrize(
    ("env_id", "name"),
    [("FrozenLake-v1", "desc"), ("dreamgym/Cliff-v0", "is_slippery"), ("Any-v0", "whatever")],
)
def test_arguments_that_it_takes_pass(env_id, name):
    require_arguments(find_spec(env_id), {name: True})


@pytest.mark.parametrize(
    ("name", "expected"),
    [("speed", "a number, such as its default 1.0"), ("windy", "True or False, such as its def")],
)
def test_text_is_refused_where_the_default_is_of_another_kind(name, expected):
    message = f"{name} of Typed-v0 is 'x': expected {expected}"
    with pytest.raises(ValueError, match=message):
        require_arguments(find_spec("Typed-v0"), {name: "x"})
    require_arguments(find_spec("Typed-v0"), {"mode": "x", "level": "x", "name": "x", "speed": 3})


def test_wrappers_are_called_as_they_can_be():
    class Wrapper(gym.Wrapper):
        def __init__(self, env, size, *, colour="red"):
            super().__init__(env)

    class Open(gym.Wrapper):
        def __init__(self, env, **settings):
            super().__init__(env)

    require_wrapping(Wrapper, "Wrapper", {"size": 3, "colour": "blue"})
    require_wrapping(Open, "Open", {"anything": 3})
    with pytest.raises(ValueError, match="Wrapper has no argument 'color': did you mean 'colour'"):
        require_wrapping(Wrapper, "Wrapper", {"size": 3, "color": "blue"})
    with pytest.raises(ValueError, match="Wrapper needs size: Wrapper"):
        require_wrapping(Wrapper, "Wrapper", {"colour": "blue"})


def test_what_is_no_function_cannot_stand_for_one():
    kind = gym.wrappers.TransformReward
    require_wrapping(kind, "TransformReward", {"func": abs})
    message = "TransformReward needs a function as func, and got 3: wrap the environment so in Py"
    with pytest.raises(ValueError, match=message):
        require_wrapping(kind, "TransformReward", {"func": 3})
