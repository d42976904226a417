"""What a notebook shows of agents, models, data and runs."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

import agents
import generative
from generative import worlds


def pictures_of(html):
    files = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(file)))) for file in files]


def test_an_agent_says_what_it_is_and_how_far_it_came():
    config = agents.QLearningConfig(learning_rate=0.5)
    agent = agents.QLearning("FrozenLake-v1", config)
    agent.learn(64, progress=False)
    line = repr(agent)
    assert line.startswith("QLearning(env='FrozenLake-v1', ")
    assert "steps=64" in line
    assert "learning_rate=0.5" in line
    assert "discount" not in line  # a default
    html = agent._repr_html_()
    assert "FrozenLake-v1" in html
    assert "learning rate" in html


def test_progress_says_how_far_a_training_is():
    seen = []
    agent = agents.QLearning("envs:dreamgym/Cliff-v0", seed=0)
    agent.learn(300, progress=False, callback=seen.append)
    told = repr(seen[-1])
    assert told.startswith(f"Progress(steps=300, episodes={seen[-1].episodes}, mean_of_recent=")
    assert "deque" not in told
    cells = re.findall(r"<td[^>]*>(.*?)</td>", seen[-1]._repr_html_())
    assert cells[:4:2] == ["of", "steps"]


def test_data_show_their_first_pictures():
    data = generative.load_dataset("digits")
    assert repr(data).startswith("Dataset(name='digits', rows=1797, shape=(1, 8, 8), ")
    shown = pictures_of(data._repr_html_())
    assert len(shown) == 16
    for picture, x in zip(shown, data.x, strict=False):
        np.testing.assert_array_equal(picture[..., 0], x[0].numpy())
    ring = generative.load_dataset("ring")
    assert pictures_of(ring._repr_html_()) == []


def test_a_model_says_how_large_it_is():
    data = generative.load_dataset("digits")
    model = generative.build_model("vae", data, seed=0)
    count = sum(parameter.numel() for parameter in model.parameters())
    assert f"{count:,}" in model._repr_html_()


@pytest.mark.parametrize("training", [True, False])
def test_a_model_shows_what_it_makes_and_stays_as_it_is(training):
    data = generative.load_dataset("digits")
    model = generative.build_model("dcgan", data, seed=0).train(training)  # batch norm would learn
    model.discriminator.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes, drawn = [module.training for module in model.modules()], torch.get_rng_state()
    html = model._repr_html_()
    assert [picture.shape for picture in pictures_of(html)] == [(8, 8, 3)] * 16
    assert html == model._repr_html_()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert modes == [module.training for module in model.modules()]
    assert torch.equal(drawn, torch.get_rng_state())
    ring = generative.load_dataset("ring")
    assert pictures_of(generative.build_model("gan", ring, seed=0)._repr_html_()) == []


def test_a_run_shows_every_picture_that_it_leaves(tmp_path):
    for kind in (agents.RunFolder, generative.RunFolder):
        run = kind(tmp_path / kind.__module__)
        run.path.mkdir()
        for name in kind.pictures:
            Image.new("RGB", (40, 20), "teal").save(run.path / name)
        shown = re.findall(r'src="data:image/(png|gif);base64', run._repr_html_())
        assert shown == [name[-3:] for name in kind.pictures]
        assert "pixelated" not in run._repr_html_()  # charts are made smaller with smooth letters


def test_experience_is_told_in_a_line():
    spec = worlds.spec_of("dreamgym/Lake-v0")
    lived = worlds.collect(spec, 200, seed=0)
    count, mean = len(lived.lengths), float(lived.returns.mean())
    line = f"Episodes(episodes={count}, steps=200, observation=(), action=(), mean_return={mean})"
    assert repr(lived) == line
    assert "<td" in lived._repr_html_()


def test_a_run_shows_its_curve_and_a_strangers_file_does_no_harm(tmp_path):
    agent = agents.QLearning("FrozenLake-v1")
    run = agents.RunFolder(tmp_path / "run")
    config = agents.RunConfig(steps=200, segment_steps=100, log_every=50, eval_every=100)
    run.create(agent, config, ["train.py", "q-learning"])
    agents.Trainer(agent, run, config, progress=False).run(200)
    assert repr(run) == f"RunFolder({str(tmp_path / 'run')!r})"
    Image.new("RGB", (40, 20), "teal").save(run.curve)
    html = run._repr_html_()
    assert "train.py q-learning" in html
    assert [picture.shape for picture in pictures_of(html)] == [(20, 40, 3)]
    assert "0000000100, 0000000200" in html
    run.config_file.write_text('["<script>"]')
    assert "<script" not in run._repr_html_()
    run.config_file.write_text("{}")
    assert "path" in run._repr_html_()
    assert "path" in agents.RunFolder(tmp_path / "none")._repr_html_()
