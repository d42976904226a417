"""Programs of decoders, encoders and generators: they compute what the model does, for any N."""

import json

import numpy as np
import pytest
import torch

from generative import build_model, load_dataset, save
from generative.autoencoders.config import AEConfig, VAEConfig
from generative.commands.export import main
from generative.export import export_part
from generative.gans.minimax import DCGANConfig, GANConfig
from generative.model import GenerativeModel, ModelConfig
from nets.process.seeding import seeded
from nets.runs.program import ABOUT

DATA = {"digits": load_dataset("digits", limit=40), "ring": load_dataset("ring", limit=40)}
MODELS = {
    "vae": ("digits", VAEConfig(hidden=(8,), latent=3)),
    "vae of vectors": ("ring", VAEConfig(hidden=(8,), latent=2)),
    "vae of convolutions": ("digits", VAEConfig(channels=(4, 4), hidden=(8,), latent=2)),
    "vae of classes": ("digits", VAEConfig(hidden=(8,), latent=3, conditional=True)),
    "ae": ("digits", AEConfig(hidden=(8,), latent=3)),
    "gan": ("digits", GANConfig(hidden=(8,), latent=4)),
    "gan of classes": ("digits", GANConfig(hidden=(8,), latent=4, conditional=True)),
    "dcgan": ("digits", DCGANConfig(base_filters=4, latent=4)),
}


def build(name):
    data, config = MODELS[name]
    return build_model(name.partition(" ")[0], DATA[data], config)


def inputs_of(model, rows):
    z = torch.randn(rows, model.config.latent, generator=torch.Generator().manual_seed(rows))
    return (z, torch.arange(rows) % model.classes) if model.classes else (z,)


@pytest.mark.parametrize("name", list(MODELS))
def test_a_program_makes_what_the_model_makes_of_any_number_of_latents(name, tmp_path):
    model = build(name)
    export_part(model).save(tmp_path / "program.pt2")
    assert model.training  # nothing of it was changed
    program = torch.export.load(tmp_path / "program.pt2").module()
    model.eval()
    for rows in (1, 2, 7):
        given = inputs_of(model, rows)
        torch.testing.assert_close(program(*given), model.decode(*given).detach())


@pytest.mark.parametrize("name", ["vae", "vae of convolutions", "vae of classes", "ae"])
def test_an_encoder_finds_what_the_model_finds(name, tmp_path):
    model = build(name).eval()
    program = export_part(model, "encoder")
    program.save(tmp_path / "encoder.pt2")
    extra = {ABOUT: ""}
    loaded = torch.export.load(tmp_path / "encoder.pt2", extra_files=extra).module()
    x = DATA["digits"].batch(slice(0, 5)).x
    torch.testing.assert_close(loaded(x), model.encode(x).detach())
    about = json.loads(extra[ABOUT])
    assert about["inputs"] == [{"name": "x", "shape": ["N", 1, 8, 8], "dtype": "float32"}]
    assert about["outputs"][0]["shape"] == ["N", model.config.latent]


@pytest.mark.parametrize("name", ["vae of classes", "dcgan"])
def test_an_onnx_runtime_makes_the_same(name, tmp_path):
    pytest.importorskip("onnxscript")
    onnxruntime = pytest.importorskip("onnxruntime")
    model = build(name).eval()
    export_part(model).save(tmp_path / "program.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "program.onnx")
    assert json.loads(session.get_modelmeta().custom_metadata_map[ABOUT])["model"] == model.name
    for rows in (1, 6):
        given = inputs_of(model, rows)
        named = {each.name: value.numpy() for each, value in zip(session.get_inputs(), given)}  # noqa: B905
        found = session.run(None, named)[0]
        np.testing.assert_allclose(found, model.decode(*given).detach().numpy(), atol=1e-5)


def test_parts_that_there_are_not_are_refused():
    with pytest.raises(ValueError, match="gan has no encoder: expected generator"):
        export_part(build("gan"), "encoder")
    with pytest.raises(ValueError, match="vae has no generator: expected decoder or encoder"):
        export_part(build("vae"), "generator")

    class Own(GenerativeModel):
        name, config_type = "own", ModelConfig

        def players(self):
            return ()

        def sample(self, n, label=None):
            return torch.zeros(n, *self.shape)

    with pytest.raises(TypeError, match="own cannot be exported"):
        export_part(Own((2,), dataset_size=1))


def test_the_command_says_how_a_program_is_used(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with seeded(0):
        save(build("vae of classes"), "model.pt")
    assert main(["model.pt"]) == 0
    said = capsys.readouterr().out
    assert "takes    z float32 [N, 3], label int64 [N]" in said
    found = {}
    exec(said.partition("to use it:")[2].replace("\n  ", "\n"), found)
    assert found["result"].shape == (16, 1, 8, 8)
    assert main(["model.pt", "--out", "model.zip"]) == 2
    assert "out is model.zip: expected a name that ends in" in capsys.readouterr().err
    assert main(["model.pt", "--part", "generator"]) == 2
    assert "vae has no generator" in capsys.readouterr().err
