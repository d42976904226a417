"""Names that a package does not show are answered with where they are, also by `from … import`."""

import importlib

import pytest

import agents
import generative
import nets

ANSWERS = [
    (nets, "Linear", ": it is torch.nn.Linear"),
    (nets, "conv2D", ": it is torch.nn.Conv2d"),
    (nets, "relu", ": it is torch.nn.functional.relu"),
    (nets, "AdamW", ": it is torch.optim.AdamW"),
    (nets, "EarlyStopping", ": it is nets.supervised.early_stopping.EarlyStopping"),
    (nets, "fit", ": it is nets.supervised.fit.fit"),
    (nets, "perceptron", ": it is nets.networks.perceptron.Perceptron"),
    (nets, "accuracy_score", "; did you mean nets.supervised.metrics.accuracy?"),
    (nets, "mlp", "; did you mean 'MLP'?"),
    (nets, "Xyzzy", "; dir(nets) lists what there is"),
    (agents, "ReplayBuffer", ": it is agents.dqn.replay.ReplayBuffer"),
    (agents, "xyzzy", "; dir(agents) lists what there is"),
    (agents, "ActorCritic", ": it is A2C"),
    (generative, "Vae", "; did you mean 'VAE'?"),
]


@pytest.mark.parametrize(("package", "name", "told"), ANSWERS)
def test_a_name_is_answered_with_where_it_is(package, name, told):
    with pytest.raises(AttributeError) as error:
        getattr(package, name)
    assert str(error.value) == f"module {package.__name__!r} has no attribute {name!r}{told}"


@pytest.mark.parametrize(
    ("package", "name", "told"), [each for each in ANSWERS if "dir(" not in each[2]]
)
def test_an_import_by_that_name_says_the_same(package, name, told):
    message = f"cannot import name {name!r} from {package.__name__!r}{told}"
    for line in (f"from {package.__name__} import {name}", f"import {package.__name__}.{name}"):
        with pytest.raises(ModuleNotFoundError) as error:
            exec(line)
        assert str(error.value) == message


@pytest.mark.parametrize("name", ["nets.xyzzy", "nets._private", "nets.layers.xyzzy"])
def test_what_no_hint_is_known_for_is_missing_as_ever(name):
    with pytest.raises(ModuleNotFoundError, match=rf"^No module named '{name}'$"):
        importlib.import_module(name)
    assert importlib.util.find_spec(name) is None
