"""The commands with `--device cuda`: what trains there is measured, drawn, and acts anywhere."""

import functools

import pytest

from agents.commands.evaluate import main as evaluate
from agents.commands.export import main as export
from agents.commands.train import main as train
from generative.commands.sample import main as sample
from generative.commands.train import main as train_generative
from generative.metrics import measure

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.filterwarnings("ignore:.*latent"),
]
CUDA = ("--device", "cuda")
SHORT = {
    "ppo": ("CartPole-v1", "--config.epochs", "1", "--config.encoder", "lstm"),
    "dqn": ("dreamgym/Catch-v0", "--config.learning-starts", "40"),
    "sb3-dqn": ("CartPole-v1", "--config.learning-starts", "40"),
}


@pytest.mark.parametrize("name", SHORT)
def test_agents(name, run_in):
    short = ("--steps", "80", "--eval-every", "80", "--eval-max-steps", "20")
    assert train([name, *SHORT[name], *short, "--run", "there", *CUDA]) == 0
    assert evaluate(["there", "--episodes", "2"]) == 0
    assert export(["there"]) == 0
    assert train(["--resume", "there", "--steps", "160", *CUDA]) == 0


@pytest.mark.parametrize("name", ["vae", "dcgan"])
def test_models(name, run_in, monkeypatch):
    brief = functools.partial(measure.train_classifier, steps=20)
    monkeypatch.setattr(measure, "train_classifier", brief)
    short = ("--steps", "6", "--config.batch-size", "16", "--run", "there")
    assert train_generative([name, "digits", *short, *CUDA]) == 0
    assert evaluate(["there", *CUDA]) == 0
    assert sample(["there", "--n", "4", *CUDA]) == 0
    assert sample(["there", "--n", "4", "--device", "cpu"]) == 0
    assert train_generative(["--resume", "there", "--steps", "8", *CUDA]) == 0
