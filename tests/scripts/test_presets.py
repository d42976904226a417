"""Presets: every one fits its algorithm; the command line wins."""

import gymnasium as gym
import pytest

from agents.algorithms import find_algorithm
from agents.commands.options import parse_train
from agents.commands.train import main
from agents.environments.source import EnvSource
from agents.loading import load
from agents.presets import Preset, find_preset, load_presets, load_variants


@pytest.mark.parametrize("key", load_presets(), ids=" ".join)
def test_preset_fits_its_algorithm_and_environment(key):
    algorithm, env_id = key
    preset = load_presets()[key]
    config = preset.apply(find_algorithm(algorithm).config_type()())
    for name, value in preset.settings.items():
        assert getattr(config, name) == value
        assert type(getattr(config, name)) is type(getattr(type(config)(), name))
    try:
        source = EnvSource.of(env_id)
        assert source.name == env_id
        for wrapper in preset.wrappers:
            assert issubclass(getattr(gym.wrappers, wrapper), gym.Wrapper)
        source.adapted(preset.env, preset.wrappers).make().close()
    except gym.error.Error as error:
        missing = isinstance(error.__cause__, ModuleNotFoundError)
        if not missing and not isinstance(error, gym.error.DependencyNotInstalled):
            raise
        pytest.skip(f"{env_id} needs an extra")


def test_a_preset_adapts_its_environment(tmp_path, monkeypatch, capsys):
    file = tmp_path / "presets.toml"
    file.write_text("""
[q-learning."CliffWalking-v1"]
steps = 3

[dqn."dreamgym/Catch-v0"]
steps = 40
hidden = [4]
env = { obs = "board" }

[dqn."dreamgym/Catch-v0".wrappers]
FrameStackObservation = { stack_size = 2 }
FlattenObservation = {}
""")
    monkeypatch.setattr("agents.presets.FILE", file)
    load_presets.cache_clear()
    try:
        run = tmp_path / "run"
        assert main(["dqn", "dreamgym/Catch-v0", "--run", str(run), "--eval-every", "0"]) == 0
    finally:
        load_presets.cache_clear()
    said = "obs = board, FrameStackObservation(stack_size=2), FlattenObservation(), steps = 40"
    assert f"preset for dqn on dreamgym/Catch-v0: {said}, hidden = 4" in capsys.readouterr().out
    agent = load(run)
    assert agent.steps == 40
    assert agent.observation_space.shape == (2 * 10 * 5,)


def test_module_in_front_of_the_id_finds_the_same_preset():
    assert find_preset("dqn", "gymnasium.envs.classic_control:CartPole-v1") is find_preset(
        "dqn", "CartPole-v1"
    )
    assert find_preset("dqn", "Nowhere-v0") is None


def test_misspelt_setting_is_named():
    preset = Preset("dqn", "X-v0", {}, {"lerning_rate": 1.0})
    config = find_algorithm("dqn").config_type()()
    with pytest.raises(ValueError, match=r"'lerning_rate'\], which DQNConfig does not have"):
        preset.apply(config)


def test_command_line_overrides_the_preset():
    line = "dqn CartPole-v1 --steps 7 --config.hidden 3 4 --config.target-every 5"
    options, preset = parse_train(line.split())
    assert (options.algo, options.env, options.steps) == ("dqn", "CartPole-v1", 7)
    assert options.config.hidden == (3, 4)
    assert options.config.target_every == 5
    assert options.config.train_every == preset.settings["train_every"]
    used, overridden = preset.describe(options).split("\n")
    assert f"train_every = {preset.settings['train_every']}" in used
    assert "target_every" not in used
    assert overridden.startswith(f"overridden: steps = {preset.steps:,}, ")
    assert f"target_every = {preset.settings['target_every']}" in overridden


def test_options_may_come_before_the_names():
    options, preset = parse_train(["--seed", "3", "dqn", "CartPole-v1"])
    assert options.seed == 3
    assert preset is not None
    assert options.steps == preset.steps


def test_without_a_preset_the_defaults_hold():
    options, preset = parse_train(["dqn", "Pong-v0"])
    assert preset is None
    assert options.config == find_algorithm("dqn").config_type()()
    assert (options.steps, options.num_envs, options.device) == (100_000, 1, "auto")


def test_algorithms_have_a_usual_number_of_environments_and_one_can_be_asked_for():
    assert parse_train(["a2c", "Acrobot-v1"])[0].num_envs == 8
    assert parse_train(["a2c", "Acrobot-v1", "--num-envs", "1"])[0].num_envs == 1
    assert find_algorithm("a2c").agent_type()("Acrobot-v1").num_envs == 8
    assert find_algorithm("a2c").agent_type()("Acrobot-v1", num_envs=1).num_envs == 1


# Variants ---------------------------------------------------------------------------------------

VARIANTS = [(algo, name) for algo, variants in load_variants().items() for name in variants]
assert VARIANTS


@pytest.mark.parametrize(("algo", "name"), VARIANTS)
def test_variant_fits_its_algorithm_and_environments(algo, name):
    for env_id in load_variants()[algo][name]:
        preset = find_preset(algo, env_id or "Nowhere-v0", name)
        config = preset.apply(find_algorithm(algo).config_type()())
        for field, value in preset.settings.items():
            assert getattr(config, field) == value
            assert type(getattr(config, field)) is type(getattr(type(config)(), field))
        assert env_id is None or EnvSource.of(env_id).spec.id == env_id


def test_variant_goes_over_the_preset_of_the_environment():
    plain = find_preset("dqn", "CartPole-v1")
    rainbow = find_preset("dqn", "gymnasium.envs.classic_control:CartPole-v1", "rainbow")
    anywhere, here = (load_variants()["dqn"]["rainbow"][key] for key in (None, "CartPole-v1"))
    assert (rainbow.algorithm, rainbow.env_id, rainbow.name) == ("dqn", "CartPole-v1", "rainbow")
    assert rainbow.settings == plain.settings | anywhere.settings | here.settings
    assert rainbow.settings["hidden"] == plain.settings["hidden"]
    assert rainbow.settings["value_range"] == here.settings["value_range"]
    assert here.settings["value_range"] != anywhere.settings["value_range"]
    assert rainbow.steps == (here.steps or plain.steps)
    elsewhere = find_preset("dqn", "Nowhere-v0", "rainbow")
    assert elsewhere.settings == anywhere.settings
    assert str(elsewhere) == "preset rainbow for dqn on Nowhere-v0"


def test_what_a_variant_says_of_the_run_wins():
    run, settings = {"steps": 10, "num_envs": 4}, {"n_step": 2, "atoms": 5}
    plain = Preset("dqn", "X-v0", run, settings, {"size": 3}, {"A": {}})
    variant = Preset("dqn", "X-v0", {"steps": 20}, {"n_step": 3}, {"size": 4}, {"B": {}}, "v")
    merged = variant.over(plain)
    assert (merged.steps, merged.num_envs, merged.name) == (20, 4, "v")
    assert merged.settings == {"n_step": 3, "atoms": 5}
    assert (merged.env, merged.wrappers) == ({"size": 4}, {"A": {}, "B": {}})


@pytest.mark.parametrize(
    "line",
    [
        "dqn CartPole-v1 --preset rainbow --config.n-step 5",
        "dqn CartPole-v1 --preset=rainbow --config.n-step 5",
        "--preset rainbow dqn CartPole-v1 --config.n-step 5",
    ],
)
def test_variant_is_chosen_on_the_command_line(line):
    options, preset = parse_train(line.split())
    assert preset == find_preset("dqn", "CartPole-v1", "rainbow")
    config = options.config
    assert (config.noisy, config.head, config.replay) == (True, "categorical", "prioritized")
    assert (config.dueling, config.double, config.n_step) == (True, True, 5)
    assert options.steps == preset.steps
    used, overridden = preset.describe(options).split("\n")
    assert used.startswith("preset rainbow for dqn on CartPole-v1: ")
    assert overridden == "overridden: n_step = 3, now 5"


def test_variant_holds_where_the_environment_has_no_preset():
    options, preset = parse_train(["dqn", "Nowhere-v0", "--preset", "rainbow"])
    assert options.config.noisy
    assert preset.env_id == "Nowhere-v0"
    assert options.steps == 100_000
