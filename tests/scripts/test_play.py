"""`play`: a person's keys, posted as events, move a real environment."""

import gymnasium as gym
import pygame
import pytest

from agents.commands.controls import Controls, find_controls, key_code
from agents.commands.play import main as play
from agents.commands.window import Window
from envs import register_world

RESTED = "after the rest that follows an episode"


@pytest.fixture
def press(monkeypatch):
    """A person who presses a key at each picture, and waits for the end of a rest where told to."""
    presses: list[int | str] = []
    wait, rest = Window.wait, Window.rest

    def see_picture(window, rate):
        wait(window, rate)
        if presses and presses[0] != RESTED:
            key = presses.pop(0)
            for kind in (pygame.KEYDOWN, pygame.KEYUP):
                pygame.event.post(pygame.event.Event(kind, key=key))

    def see_rest(window, seconds):
        rest(window, seconds)
        if presses and presses[0] == RESTED:
            presses.pop(0)

    monkeypatch.setattr(Window, "wait", see_picture)
    monkeypatch.setattr(Window, "rest", see_rest)
    return lambda *keys: presses.extend(keys)


UP, DOWN, LEFT, RIGHT = pygame.K_UP, pygame.K_DOWN, pygame.K_LEFT, pygame.K_RIGHT
ESCAPE = pygame.K_ESCAPE


@pytest.mark.parametrize("env_id", ["dreamgym/Cliff-v0", "CliffWalking-v1"])
def test_grid_world_waits_for_each_move(env_id, press, capsys):
    press(UP, *[RIGHT] * 11, DOWN, RESTED, ESCAPE)
    assert play([env_id]) == 0
    out = capsys.readouterr().out
    assert out.startswith("keys: up")
    assert "episodes 1, best return -13, mean -13" in out


def test_any_key_begins_the_next_episode(press, capsys):
    """One state between two ends: each episode is one move. Keys just after one do not count."""
    register_world("tiny/Walk-v0", "envs.grids.worlds:Walk", kwargs={"n": 1})
    a, d, space = pygame.K_a, pygame.K_d, pygame.K_SPACE
    press(a, d, RESTED, space, d, RESTED, ESCAPE)
    assert play(["tiny/Walk-v0"]) == 0
    assert "episodes 2, best return 1, mean 0.5" in capsys.readouterr().out


def test_physics_goes_on_by_itself_once_a_key_was_pressed(press, capsys):
    """One push to the left and nothing more: the pole falls within 8 to 11 steps."""
    press(LEFT, RESTED, ESCAPE)
    assert play(["CartPole-v1"]) == 0
    best = float(capsys.readouterr().out.split("best return ")[1].split(",")[0])
    assert 8 <= best <= 11


def test_closing_the_window_ends_the_game(monkeypatch, capsys):
    wait = Window.wait

    def close(window, rate):
        wait(window, rate)
        pygame.event.post(pygame.event.Event(pygame.QUIT))

    monkeypatch.setattr(Window, "wait", close)
    assert play(["dreamgym/Lake-v0"]) == 0
    assert "episodes" not in capsys.readouterr().out  # none came to its end


def test_game_can_be_played_after_a_game(press):
    for _ in range(2):
        press(ESCAPE)
        assert play(["dreamgym/Lake-v0"]) == 0


@pytest.mark.parametrize(
    ("env_id", "key", "action"),
    [
        ("FrozenLake-v1", "right", 2),
        ("Taxi-v4", "p", 4),
        ("MountainCar-v0", "left", 0),
        ("dreamgym/Lake-v0", "right", 1),
        ("dreamgym/Lake-v0", "d", 1),
        ("dreamgym/Catch-v0", "left", 0),
    ],
)
def test_keys_of_well_known_and_of_our_environments(env_id, key, action):
    env = gym.make(f"envs:{env_id}" if env_id.startswith("dreamgym") else env_id)
    assert find_controls(env).choose([key_code(key)], [], None) == action


def test_a_snake_goes_on_by_itself_once_it_has_a_way():
    controls = find_controls(gym.make("envs:dreamgym/Snake-v0"))
    assert controls.choose([], [], None) is None
    assert controls.choose([DOWN], [], None) == controls.choose([], [], 2) == 2


def test_environment_without_keys_is_played_with_the_digits():
    from gymnasium.envs.registration import EnvSpec

    env = gym.make(EnvSpec("Bare-v0", "gymnasium.envs.toy_text.frozen_lake:FrozenLakeEnv"))
    controls = find_controls(env)
    assert [controls.choose([ord(digit)], [], None) for digit in "0123"] == [0, 1, 2, 3]
    assert controls.choose([ord("4")], [], None) is None


def test_chords_idle_and_lasting_actions():
    keys = {frozenset({1}): "a", frozenset({2}): "b", frozenset({1, 2}): "both"}
    idle = Controls(keys, "nothing", real_time=True)
    assert idle.choose([1], [2], None) == "both"
    assert idle.choose([], [2], "a") == "b"
    assert idle.choose([], [], "a") == "nothing"
    lasting = Controls(keys, None, real_time=True)
    assert lasting.choose([], [], None) is None
    assert lasting.choose([], [], "a") == "a"
    patient = Controls(keys, None, real_time=False)
    assert patient.choose([], [1], "a") is None  # a held key moves once, not for ever
    assert patient.choose([2], [2], None) == "b"
