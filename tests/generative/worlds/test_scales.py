"""The scale on which small numbers and large ones are told apart."""

import math

import torch

from generative.worlds.scales import symexp, symlog


def test_symlog_is_the_number_near_0_and_its_logarithm_far_out():
    x = torch.tensor([1e-4, 0.0, math.e - 1, 1e6]).double()
    expected = torch.tensor([1e-4, 0.0, 1.0, math.log(1e6)]).double()
    torch.testing.assert_close(symlog(x), expected, rtol=1e-4, atol=0.0)
    torch.testing.assert_close(symlog(-x), -symlog(x))


def test_symexp_undoes_it():
    x = torch.tensor([-3000.0, -0.02, 0.0, 1e-5, 7.0])
    torch.testing.assert_close(symexp(symlog(x)), x, rtol=1e-5, atol=0.0)
