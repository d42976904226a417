"""The recurrent state-space model against torch's own distributions and cells."""

import torch
from torch import nn
from torch.distributions import OneHotCategorical, kl_divergence

from nets.layers.rssm import RSSM, categorical_kl, gru_step, inverse_cdf, straight_through

B, E, A, H, G, C = 5, 6, 3, 8, 2, 4


def probabilities(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(B, G, C, generator=generator).add(0.01).softmax(-1)


def test_divergence_is_that_of_torch_summed_over_groups():
    p, q = probabilities(0), probabilities(1)
    expected = kl_divergence(OneHotCategorical(p), OneHotCategorical(q)).sum(-1)
    torch.testing.assert_close(categorical_kl(p, q), expected)


def test_drawn_classes_are_as_frequent_as_they_are_probable():
    p = torch.tensor([0.1, 0.0, 0.6, 0.3])
    u = (torch.arange(10_000) + 0.5) / 10_000
    counts = torch.bincount(inverse_cdf(p.expand(len(u), -1), u), minlength=4)
    assert counts.tolist() == [1000, 0, 6000, 3000]
    assert inverse_cdf(torch.tensor([[0.5, 0.4999999]]), torch.tensor([0.99999999])).item() == 1
    assert inverse_cdf(torch.tensor([[0.0, 1.0]]), torch.zeros(1)).item() == 1  # 0 is never drawn


def test_latents_are_one_hot_and_pass_gradients_as_if_undrawn():
    torch.manual_seed(0)
    p = probabilities(2).requires_grad_()
    z = straight_through(p)
    assert torch.equal(z.round(), z.detach().round())
    assert torch.allclose(z.sum(-1), torch.ones(B, G))
    weight = torch.randn(B, G, C)
    (z * weight).sum().backward()
    torch.testing.assert_close(p.grad, weight)


def test_every_class_keeps_a_hundredth_of_its_share():
    model = RSSM(E, A, H, G, C, hidden=16)
    sure = model._probabilities(torch.tensor([50.0, 0, 0, 0] * G).expand(B, -1))
    assert torch.allclose(sure.sum(-1), torch.ones(B, G))
    assert sure.min().item() == torch.tensor(0.01 / C).item()


def test_memory_goes_on_as_the_cell_says_and_does_not_see_the_next_observation():
    torch.manual_seed(1)
    model = RSSM(E, A, H, G, C, hidden=16)
    h, z, a = torch.randn(B, H), straight_through(probabilities(3)), torch.randn(B, A)
    expected = model.cell(model.entrance(torch.cat([z.flatten(1), a], 1)), h)
    torch.testing.assert_close(model(h, z, a), expected)
    assert model.prior(h).shape == model.posterior(h, torch.randn(B, E)).shape == (B, G, C)
    assert model.features(h, z).shape == (B, model.out_features)


def test_the_step_of_a_memory_and_its_slopes_are_those_of_torch():
    torch.manual_seed(2)
    cell = nn.GRUCell(A, H)
    columns = [torch.randn(B, A, requires_grad=True), torch.randn(B, H, requires_grad=True)]
    told, weight = [*columns, *cell.parameters()], torch.randn(B, H)
    slopes = [torch.autograd.grad((f(*columns) * weight).sum(), told) for f in (cell, _step(cell))]
    torch.testing.assert_close(gru_step(cell, *columns), cell(*columns))
    torch.testing.assert_close(*slopes)


def test_the_step_of_a_memory_takes_half_the_bits_where_it_is_told_to():
    torch.manual_seed(3)
    cell, x, h = nn.GRUCell(A, H), torch.randn(B, A), torch.randn(B, H)
    with torch.autocast("cpu", torch.bfloat16):
        found = gru_step(cell, x, h)
    assert found.dtype is torch.bfloat16
    torch.testing.assert_close(found.float(), cell(x, h), atol=0.03, rtol=0.03)


def test_a_memory_begins_with_units_that_hold_on_for_a_window():
    torch.manual_seed(4)
    gates = RSSM(E, A, 500, G, C, 16, span=20).cell.bias_ih.chunk(3)[1].exp()
    assert gates.min() > 0.99
    assert 18 < gates.max() < 20.01


def _step(cell):
    return lambda x, h: gru_step(cell, x, h)
