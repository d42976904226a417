"""Decoders mirror their encoders: shapes, layers, and an image size that halves to odd numbers."""

import pytest
import torch
from torch import nn

from nets.networks.decoders import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder


def parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("residual", [0, 1])
@pytest.mark.parametrize("mode", ["transpose", "nearest"])
@pytest.mark.parametrize("shape", [(1, 64, 64), (3, 32, 32), (2, 28, 37), (1, 23, 16)])
def test_N_CNN_09_the_decoder_gives_back_the_encoders_image_size(shape, mode, residual):
    options = {"channels": (4, 8, 4), "hidden": (16,), "residual": residual, "norm": "group"}
    encoder = ConvEncoder(shape, **options).to("meta")
    decoder = ConvDecoder(5, shape, **options, mode=mode).to("meta")
    assert encoder.out_features == 16
    assert encoder(torch.empty(3, *shape, device="meta")).shape == (3, 16)
    assert decoder(torch.empty(3, 5, device="meta")).shape == (3, *shape)


def test_the_decoder_runs_through_the_encoders_shapes_in_reverse():
    shapes = []

    def record(block, args, output):
        shapes.append((args[0].shape[1:], output.shape[1:]))

    encoder = ConvEncoder((3, 37, 28), (4, 6, 8), (10,))
    decoder = ConvDecoder(2, (3, 37, 28), (4, 6, 8), (10,))
    for block in [*encoder.blocks, *decoder.blocks]:
        block.register_forward_hook(record)
    encoder(torch.rand(2, 3, 37, 28))
    decoder(torch.randn(2, 2))
    assert shapes[3:] == [(after, before) for before, after in reversed(shapes[:3])]


def test_the_64_pixel_pair_is_that_of_Burgess_et_al():
    encoder, decoder = ConvEncoder((1, 64, 64)), ConvDecoder(10, (1, 64, 64))
    dense = 512 * 256 + 256 + 256 * 256 + 256
    assert parameters(encoder) == (16 * 32 + 32) + 3 * (16 * 32 * 32 + 32) + dense
    dense = 10 * 256 + 256 + 256 * 256 + 256 + 256 * 512 + 512
    assert parameters(decoder) == 3 * (16 * 32 * 32 + 32) + (16 * 32 + 1) + dense


def test_the_output_has_neither_activation_nor_norm():
    decoder = ConvDecoder(2, (1, 16, 16), (4, 4), (8,), norm="batch", residual=1)
    assert [type(layer) for layer in decoder.blocks[-1]] == [nn.ConvTranspose2d]
    assert [type(layer) for layer in decoder.blocks[1]] == [
        nn.ConvTranspose2d,
        type(decoder.blocks[1].norm),
        nn.ReLU,
    ]
    assert decoder(torch.randn(64, 2)).min() < 0.0


def test_dense_pair_mirrors_its_layers_and_takes_any_shape():
    encoder, decoder = MLPEncoder((2, 3), (7, 5)), MLPDecoder(4, (2, 3), (7, 5))
    assert [m.out_features for m in encoder.modules() if isinstance(m, nn.Linear)] == [7, 5]
    assert [m.out_features for m in decoder.modules() if isinstance(m, nn.Linear)] == [5, 7, 6]
    assert encoder(torch.randn(9, 2, 3)).shape == (9, encoder.out_features)
    assert decoder(torch.randn(9, 4)).shape == (9, 2, 3)


@pytest.mark.parametrize("coder", [ConvEncoder, lambda *a: ConvDecoder(3, *a)])
def test_images_too_small_to_be_halved_so_often_are_refused(coder):
    with pytest.raises(ValueError, match=r"15x32 .*at least 16x16"):
        coder((1, 15, 32))
    with pytest.raises(ValueError, match="channels must name"):
        coder((1, 16, 16), ())
