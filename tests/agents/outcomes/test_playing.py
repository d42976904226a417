"""An agent at play, and a person, get rewards and flags through the same door as a learner."""

from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pygame
import pytest

from agents.commands.play import main as play_by_hand
from agents.commands.window import Window
from agents.environments.door import InvalidExperience
from agents.outcomes.playing import play

IDLE = SimpleNamespace(masks=False, predict=lambda *seen: (0, None))


class Screen(gym.Env):
    """A world of two steps that returns what it is told to."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 200}
    observation_space = gym.spaces.Text(8)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None, reward=1.5, first=False, last=True):
        self.render_mode, self.reward, self.flags = render_mode, reward, (first, last)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.taken = 0
        return "begin", {}

    def step(self, action):
        self.taken += 1
        return "go on", self.reward, self.flags[self.taken - 1], False, {}

    def render(self):
        return np.zeros((8, 8, 3), np.uint8)


class Numbered(Screen):
    """The same for agents, who read no text."""

    observation_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return 0, super().reset(seed=seed)[1]

    def step(self, action):
        return (0, *super().step(action)[1:])


gym.register("playing/Screen-v0", Screen, disable_env_checker=True)
NUMBERS = [{"reward": np.array([1.5])}, {"first": np.array([False]), "last": np.array([1])}]
WRONG = [
    ({"first": "False"}, "the flag 'False' at step 1: expected True or False"),
    ({"reward": "much"}, "the reward 'much' at step 1: expected a number"),
    ({"reward": np.nan}, "the reward nan at step 1: expected a finite number of 32 bits"),
]


@pytest.mark.parametrize("told", NUMBERS, ids=str)
def test_numbers_in_any_form_are_numbers(told):
    frames = list(play(IDLE, Numbered(**told)))
    assert [(frame.step, frame.total_reward) for frame in frames] == [(0, 0.0), (1, 1.5), (2, 3.0)]


@pytest.mark.parametrize(("told", "words"), WRONG, ids=lambda x: str(x)[:20])
def test_what_is_no_number_is_refused(told, words):
    with pytest.raises(InvalidExperience, match=rf"Numbered.* returned {words}"):
        list(play(IDLE, Numbered(**told)))


@pytest.fixture
def hand(monkeypatch):
    """A person who presses 0 at every picture, until the episode is over."""
    rest = Window.rest

    def press(key):
        for kind in (pygame.KEYDOWN, pygame.KEYUP):
            pygame.event.post(pygame.event.Event(kind, key=key))

    def leave(window, seconds):
        rest(window, 0)
        window.closed = True

    monkeypatch.setattr(Window, "wait", lambda window, rate: press(pygame.K_0))
    monkeypatch.setattr(Window, "rest", leave)


def by_hand(monkeypatch, **told):
    """Play a world that returns what it is told to; the exit code."""
    monkeypatch.setitem(gym.registry["playing/Screen-v0"].__dict__, "kwargs", told)
    return play_by_hand(["playing/Screen-v0"])


@pytest.mark.parametrize("told", NUMBERS, ids=str)
def test_a_person_plays_with_numbers_in_any_form(told, hand, monkeypatch, capsys):
    assert by_hand(monkeypatch, **told) == 0
    assert "episodes 1, best return 3, mean 3" in capsys.readouterr().out


@pytest.mark.parametrize(("told", "words"), WRONG, ids=lambda x: str(x)[:20])
def test_a_person_is_told_in_one_line_what_is_no_number(told, words, hand, monkeypatch, capsys):
    assert by_hand(monkeypatch, **told) == 2
    assert f" returned {words}\n" in capsys.readouterr().err
