"""What return models say of outputs, against loops over rows and actions."""

import numpy as np
import pytest
import torch

from agents.dqn.returns import CategoricalReturn, ExpectedReturn, QuantileReturn, output_index

LOW, HIGH, SIZE, ACTIONS = -2.0, 3.0, 5, 3
SUPPORT = np.linspace(LOW, HIGH, SIZE)
MODELS = {
    "expected": ExpectedReturn("huber"),
    "categorical": CategoricalReturn(SIZE, LOW, HIGH, torch.device("cpu")),
    "quantile": QuantileReturn(SIZE),
}


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def mean(name, outputs):
    """The expected return of one action's outputs."""
    return {
        "expected": lambda: outputs[0],
        "categorical": lambda: sum(p * z for p, z in zip(softmax(outputs), SUPPORT, strict=True)),
        "quantile": lambda: sum(outputs) / len(outputs),
    }[name]()


def backed_up(name, reward, discount, outputs):
    """What an action's outputs should say if `outputs` are those of the next action."""
    if name != "categorical":
        y = reward + discount * outputs
        return y[0] if name == "expected" else y
    projected, spacing = np.zeros(SIZE), SUPPORT[1] - SUPPORT[0]
    for p, z in zip(softmax(outputs), SUPPORT, strict=True):
        b = (min(max(reward + discount * z, LOW), HIGH) - LOW) / spacing
        for i in range(SIZE):
            projected[i] += p * max(0.0, 1.0 - abs(b - i))
    return projected


@pytest.fixture
def rows():
    """Rewards, discounts and two sets of outputs, of two minibatches of four rows."""
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(2, 4, *shape, generator=generator, dtype=torch.float64)

    def make(size):
        discount = 0.9 * (draw() > -0.5)
        return draw(), discount, draw(ACTIONS * size), draw(ACTIONS * size)

    return make


@pytest.mark.parametrize("name", MODELS)
def test_values_are_means_of_each_action(name, rows):
    model = MODELS[name]
    outputs = rows(model.size)[2].float()
    values = model.values(outputs)
    assert values.shape == (2, 4, ACTIONS)
    each = outputs.view(2, 4, ACTIONS, model.size).double().numpy()
    for k, b, a in np.ndindex(*values.shape):
        assert values[k, b, a].item() == pytest.approx(mean(name, each[k, b, a]), abs=1e-6)


@pytest.mark.parametrize("double", [False, True], ids=["single", "double"])
@pytest.mark.parametrize("name", MODELS)
def test_A_FA_02_A_FA_03_targets_are_bellmans(name, double, rows):
    model = MODELS[name]
    reward, discount, after, selector = (x.float() for x in rows(model.size))
    if double:
        targets = model.double_q_learning_target(reward, discount, after, selector)
    else:
        targets = model.q_learning_target(reward, discount, after)
    shape = 2, 4, ACTIONS, model.size
    after, selector = after.view(shape).numpy(), selector.view(shape).numpy()
    chosen = set()
    for k, b in np.ndindex(2, 4):
        chooser = selector if double else after
        best = max(range(ACTIONS), key=lambda a: mean(name, chooser[k, b, a]))
        chosen.add(best)
        y = backed_up(name, reward[k, b].item(), discount[k, b].item(), after[k, b, best])
        np.testing.assert_allclose(targets[k, b].numpy(), y, rtol=0, atol=1e-5)
    assert len(chosen) == ACTIONS
    assert 0 < (discount == 0).sum() < 8  # some rows terminated


@pytest.mark.parametrize("name", MODELS)
def test_A_FA_03_a_network_that_chooses_for_itself_learns_by_q_learning(name, rows):
    model = MODELS[name]
    reward, discount, after, other = (x.float() for x in rows(model.size))
    single = model.q_learning_target(reward, discount, after)
    assert torch.equal(single, model.double_q_learning_target(reward, discount, after, after))
    assert not torch.equal(single, model.double_q_learning_target(reward, discount, after, other))


@pytest.mark.parametrize("size", [1, 4])
def test_outputs_of_the_actions_taken_are_found_and_written_back(size):
    action = torch.tensor([[2, 0, 1], [1, 1, 0]])
    outputs = torch.arange(2 * 3 * ACTIONS * size).view(2, 3, ACTIONS * size)
    index = output_index(action, size)
    assert index.shape == (2, 3, size)
    found, back = outputs.gather(-1, index), torch.zeros_like(outputs).scatter_(-1, index, 1)
    for k, b in np.ndindex(2, 3):
        each = outputs[k, b].view(ACTIONS, size)
        assert torch.equal(found[k, b], each[action[k, b]])
        marked = torch.zeros(ACTIONS, size, dtype=torch.int64)
        marked[action[k, b]] = 1
        assert torch.equal(back[k, b].view(ACTIONS, size), marked)


@pytest.mark.parametrize("name", MODELS)
def test_slopes_are_gradients_of_the_values_beside_them(name, rows):
    model = MODELS[name]
    reward, discount, after, outputs = rows(model.size)
    with torch.no_grad():
        target = model.q_learning_target(*(x.float() for x in (reward, discount, after))).double()
    prediction = outputs[..., : model.size].clone().requires_grad_()
    loss, error = model.loss(prediction, target)
    assert loss.value.shape == error.shape == (2, 4)
    loss.value.sum().backward()
    torch.testing.assert_close(loss.slope.detach(), prediction.grad, rtol=0, atol=1e-6)
