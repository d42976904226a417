"""The help, lists, options and presets of `train-generative`, and what it and `sample` refuse."""

import pytest
from command_runs import undocumented
from fresh_process import printed_by

import generative
from generative.catalogue import MODELS, find_model
from generative.commands.evaluate import main as evaluate
from generative.commands.options import TrainOptions, parse_train
from generative.commands.sample import SampleOptions
from generative.commands.sample import main as sample
from generative.commands.train import main as train
from generative.presets import Preset, find_preset, load_presets
from nets.shell.run_options import ResumeOptions


def test_import_of_the_package_is_light(tmp_path):
    code = (
        "import generative, sys; assert 'VAE' in dir(generative); assert 'torch' not in sys.modules"
    )
    printed_by(code, cwd=tmp_path)


def test_public_names_are_there():
    for name in {*generative.__all__, *(model.type_name for model in MODELS.values())}:
        assert getattr(generative, name).__doc__ or name == "MODELS"
    with pytest.raises(AttributeError, match="no attribute 'Dreamer'"):
        _ = generative.Dreamer


def test_help_of_a_model_shows_its_settings_with_the_preset_as_defaults(capsys):
    with pytest.raises(SystemExit) as stop:
        train(["wgan-gp", "ring", "--help"])
    assert stop.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    preset = find_preset("wgan-gp", "ring")
    assert "The defaults below are the preset for wgan-gp on ring." in text
    assert f"--steps INT Turns of all players. (default: {preset.run['steps']})" in text
    assert "--config.penalty FLOAT λ, the weight of the gradient penalty." in text


def test_list_names_models_data_and_presets(capsys):
    assert train(["--list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for name in (*MODELS, "sprites", "digits", "frames:ENV_ID"):
        assert any(line[:1] == [name] for line in lines), name
    for pair in load_presets():
        assert list(pair) in lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("veo digits", "unknown model 'veo'; did you mean 'vae'"),
        ("wrld CartPole-v1", "unknown model 'wrld'; did you mean 'world'"),
        ("qqq digits", "'gan', 'dcgan', 'wgan-gp', 'world'"),
        ("vae digitz", "unknown data set 'digitz'; did you mean 'digits'?"),
        ("vae nowhere/at-all.npz", "nowhere/at-all.npz"),
        ("vae digits --config.beta 3", "--config.beta"),
        ("vae digits --latent 0", "latent is 0: expected at least 1"),
        ("vae digits --config.learning-rate 0", "learning_rate is 0.0: expected more than 0"),
        ("vae digits --held-out 1", "held_out is 1.0: expected a share in [0, 1)"),
        ("dcgan ring --limit 100", "makes pictures"),
        ("vae frames:CartPole-v9", "CartPole"),
        ("--resume nowhere", "nowhere is not a run folder: it has no config.json"),
    ],
)
def test_what_cannot_work_is_told_in_one_line(line, words, run_in, capsys):
    assert train(line.split()) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not (run_in / "runs").exists()


def test_episodes_are_those_of_an_actor(capsys):
    assert evaluate(["runs/vae", "--episodes", "3"]) == 2
    assert "episodes is 3: expected an actor, who plays them" in capsys.readouterr().err


def test_runs_of_another_kind_are_refused(planned, capsys):
    folder = str(planned.folder)
    assert sample([folder]) == 2
    assert "is not a run of a generative model" in capsys.readouterr().err
    assert train(["--resume", folder]) == 2
    told = "is not a run of a generative model: it is one of an agent"
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("key", load_presets(), ids=" ".join)
def test_preset_fits_its_model(key):
    preset = load_presets()[key]
    config = preset.apply(find_model(key[0]).config_type()())
    for name, value in preset.settings.items():
        usual = getattr(type(config)(), name)
        assert usual is None or type(getattr(config, name)) is type(usual)
        assert getattr(config, name) == value


def test_presets_go_by_the_name_before_the_colon():
    assert find_preset("gan", "ring:5") is find_preset("gan", "ring")
    assert find_preset("gan", "digits:x") is None


def test_misspelt_setting_is_named():
    preset = Preset("vae", "x", {}, {"lerning_rate": 1.0})
    with pytest.raises(ValueError, match=r"'lerning_rate'\], which VAEConfig does not have"):
        preset.apply(find_model("vae").config_type()())


def test_command_line_overrides_the_preset():
    line = "wgan-gp ring --steps 7 --latent 5 --config.hidden 3 4"
    options, preset = parse_train(line.split())
    assert (options.model, options.data, options.steps) == ("wgan-gp", "ring", 7)
    assert (options.config.hidden, options.config.latent) == ((3, 4), 5)
    assert options.config.learning_rate == preset.settings["learning_rate"]
    used, overridden = preset.describe(options).split("\n")
    assert "learning_rate" in used
    assert f"steps = {preset.run['steps']}" in overridden
    assert f"latent = {preset.settings['latent']}" in overridden


@pytest.mark.parametrize("options", [TrainOptions, ResumeOptions, SampleOptions])
def test_every_option_is_on_the_page_of_the_commands(options):
    positional = {"model", "data", "config"} if options is TrainOptions else {"run"}
    assert not undocumented(options, positional)
