"""`render`: files that others can read, frame for frame, and a window."""

import imageio.v3 as iio
import numpy as np
import pytest

import agents
from agents.commands.render import main as render
from agents.commands.window import Window
from agents.outcomes.playing import make_drawn, play

STEPS = 13  # of the best path along the cliff


@pytest.fixture(scope="module")
def pictures(planned):
    """Every picture of the episode, drawn with Gymnasium alone."""
    agent = agents.load(planned.folder)
    env = agent.source.make(render_mode="rgb_array")
    env.unwrapped.dynamics.overlay(values=agent.values, policy=agent.policy)
    observation, _ = env.reset(seed=0)
    drawn, over = [env.render()], False
    while not over:
        action, _ = agent.predict(observation, deterministic=True)
        observation, _, terminated, truncated, _ = env.step(action)
        over = terminated or truncated
        drawn.append(env.render())
    env.close()
    return np.stack(drawn)


def test_gif_has_every_frame_of_a_short_episode(planned, pictures, call, tmp_path):
    result = call("render", planned.folder, "--out", "episode.gif", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "checkpoint: " in result.stdout
    assert "wrote episode.gif" in result.stdout
    gif = iio.imread(tmp_path / "episode.gif")
    assert len(gif) == STEPS + 1 == len(pictures)
    assert gif.shape[2] == 400
    assert [path.name for path in tmp_path.iterdir()] == ["episode.gif"]


def test_film_shows_the_values_policy_and_moves(planned, pictures, tmp_path, read_film):
    film = tmp_path / "film.mp4"
    assert render([str(planned.folder), "--out", str(film), "--episodes", "2"]) == 0
    frames, rate = read_film(film)
    assert len(frames) == 2 * (STEPS + 1)
    assert rate == 6  # the world's own rate
    height, width, _ = pictures[0].shape
    assert frames.shape[1:3] == (height + height % 2, width + width % 2)
    for k in (0, 5, STEPS):
        error = np.abs(frames[k].astype(int) - pictures[k]).mean(axis=(0, 1, 2))
        assert error < 6  # the codec's loss
        others = np.abs(frames[k].astype(int) - pictures[(k + 4) % STEPS]).mean()
        assert others > error


def test_sheet_has_twelve_moments(planned, tmp_path):
    sheet = tmp_path / "sheet.png"
    assert render([str(planned.folder), "--out", str(sheet)]) == 0
    height, width, _ = iio.imread(sheet).shape
    assert width == 4 * 250 + 10
    assert height == 3 * (80 + 20 + 10) + 10  # 4 by 12 cells, 240 pixels wide: 80 pixels high


@pytest.fixture
def shown(monkeypatch):
    """The captions of what a window shows, without a pause between them."""
    monkeypatch.setattr(Window, "wait", lambda self, rate: None)
    monkeypatch.setattr(Window, "rest", lambda self, seconds: None)
    shown, show = [], Window.show
    monkeypatch.setattr(
        Window, "show", lambda self, *args: (shown.append(args[1]), show(self, *args))
    )
    return shown


def test_window_shows_every_moment_then_closes(planned, shown, capsys):
    assert render([str(planned.folder), "--episodes", "2"]) == 0
    assert len(shown) == 2 * (STEPS + 1)
    assert shown[-1] == f"episode 2   step {STEPS}   return -13"


def test_file_and_window_together(planned, shown, tmp_path):
    assert render([str(planned.folder), "--out", str(tmp_path / "a.gif"), "--live"]) == 0
    assert (tmp_path / "a.gif").exists()
    assert len(shown) == STEPS + 1


@pytest.mark.parametrize("seed", [0, 5, 6])
def test_pictures_are_of_the_episode_that_evaluate_measures(seed, learned):
    agent = agents.load(learned.folder)
    env = make_drawn(agent.source)
    moments = list(play(agent, env, seed=seed))
    env.close()
    measured = agents.evaluate(agent, episodes=1, seed=seed)
    assert moments[-1].total_reward == measured.mean_return
    assert moments[-1].step == len(moments) - 1 == measured.mean_length


def test_unknown_suffix_is_refused(planned, tmp_path, capsys):
    assert render([str(planned.folder), "--out", str(tmp_path / "a.webm")]) == 2
    assert "suffix '.webm': expected one of" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_world_of_other_spaces_is_refused(planned, tmp_path, capsys):
    line = [str(planned.folder), "--out", str(tmp_path / "a.gif"), "--on", "CartPole-v1"]
    assert render(line) == 2
    assert "CartPole-v1 has the observation_space Box(" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
