"""Inputs that torch refuses are named, with what was expected."""

import inspect
import pickle

import numpy as np
import pytest
import torch

import nets
from agents.equations import losses as of_agents
from agents.equations import targets
from generative.autoencoders import losses as of_autoencoders
from generative.gans import losses as of_gans
from nets.inputs import explained

EQUATIONS = [
    function
    for module in (of_agents, targets, of_autoencoders, of_gans)
    for name, function in sorted(vars(module).items())
    if inspect.isfunction(function) and function.__module__ == module.__name__
    if not name.startswith("_")
]
LAYERS = {
    "input": nets.MLP(3, [4], 2),
    "x": nets.LSTM(3, 4),
    "features": nets.CategoricalHead(3, 2),
    "images": nets.SmallCNN((3, 8, 8)),
}


@pytest.mark.parametrize("equation", EQUATIONS, ids=lambda each: each.__name__)
def test_an_equation_names_what_is_no_tensor(equation):
    parameters = inspect.signature(equation).parameters.values()
    needed = [each for each in parameters if each.default is each.empty]
    lists = [(lambda x: x) if each.name == "critic" else [0.1, 0.2] for each in needed]
    first = next(each.name for each in needed if each.name != "critic")
    with pytest.raises(TypeError) as error:
        equation(*lists)
    message = f"{first} is a list: expected a tensor, as torch.as_tensor makes"
    assert str(error.value) == message


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("kind", ["ndarray", "list", "torch.int64", "torch.float64"])
def test_a_layer_names_what_is_no_tensor_or_has_other_numbers(name, kind):
    layer = LAYERS[name]
    x = torch.zeros((2, 3, 8, 8) if name == "images" else (2, 3))
    given = {
        "ndarray": x.numpy(),
        "list": x.tolist(),
        "torch.int64": x.long(),
        "torch.float64": x.double(),
    }[kind]
    if "torch" not in kind:
        article = "an" if kind == "ndarray" else "a"
        message = f"{name} is {article} {kind}: expected a tensor, as torch.as_tensor makes"
    elif (name, kind) == ("images", "torch.int64"):
        message = "images must be uint8, bool or float, got torch.int64"
    else:
        message = f"{name} is {kind}: expected torch.float32, as in {name}.to(torch.float32)"
    with pytest.raises(TypeError) as error:
        layer(given)
    assert str(error.value) == message
    layer(x)


def test_what_has_another_cause_keeps_torchs_words():
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        nets.MLP(3, [4], 2)(torch.zeros(2, 5))
    with pytest.raises(TypeError, match="positional argument"):
        of_gans.critic_loss()


def test_what_is_explained_is_what_it_was():
    def half(x: torch.Tensor, times: int = 1) -> torch.Tensor:
        """Halve."""
        return x.div(2**times)

    told = explained(half)
    assert (told.__doc__, inspect.signature(told)) == ("Halve.", inspect.signature(half))
    assert told(torch.ones(1), times=2) == 0.25
    assert pickle.loads(pickle.dumps(of_gans.critic_loss)) is of_gans.critic_loss
    with pytest.raises(TypeError, match=r"^x is an int: expected a tensor"):
        told(3)
    with pytest.raises(TypeError, match=r"^x is an ndarray"):
        told(x=np.ones(1))
