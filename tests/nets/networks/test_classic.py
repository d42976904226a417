"""Classic networks: known parameter counts, torchvision's outputs, and what they are used for."""

from functools import partial

import pytest
import torch
from torch import nn

from nets.layers.densenet import DenseBlock, Transition
from nets.layers.inception import Auxiliaries, Inception
from nets.layers.residual import Bottleneck, ResBlock
from nets.networks.classic import CLASSIC, classic_cnn, classic_encoder

COUNTS = {
    "alexnet": 61_100_840,
    "vgg-11": 132_863_336,
    "vgg-13": 133_047_848,
    "vgg-16": 138_357_544,
    "vgg-19": 143_667_240,
    "vgg-16-bn": 138_365_992,
    "resnet-18": 11_689_512,
    "resnet-34": 21_797_672,
    "resnet-50": 25_557_032,
    "resnet-101": 44_549_160,
    "densenet-121": 7_978_856,
    "densenet-161": 28_681_000,
    "densenet-169": 14_149_480,
    "densenet-201": 20_013_928,
}


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("name", COUNTS)
def test_N_ARC_01_02_06_07_parameter_counts(name):
    with torch.device("meta"):
        network = classic_cnn(name)
    assert count(network) == COUNTS[name]
    assert network(torch.empty(2, 3, 224, 224, device="meta")).shape == (2, 1000)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"norm": None}, 6_998_552),  # the paper's
        ({}, 7_005_832),
        ({"kernel5": 3}, 6_624_904),  # torchvision's
        ({"kernel5": 3, "auxiliary": True}, 13_004_888),
    ],
)
def test_N_ARC_03_googlenet_has_known_numbers_of_parameters(options, expected):
    with torch.device("meta"):
        network = classic_cnn("googlenet", **options)
    assert count(network) == expected


def test_N_ARC_03_auxiliary_classifiers_speak_in_training():
    torch.manual_seed(0)
    network = classic_cnn("googlenet", (3, 64, 64), 7, auxiliary=True)
    out = network(torch.rand(2, 3, 64, 64))
    assert isinstance(out, Auxiliaries)
    assert [logits.shape for logits in out] == [(2, 7)] * 3
    for logits in out:
        network.zero_grad()
        logits.sum().backward(retain_graph=True)
        assert network.features.stem[0].conv.weight.grad.abs().sum() > 0
    assert network.eval()(torch.rand(2, 3, 64, 64)).shape == (2, 7)


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, 163_696), ({"kernel5": 3, "norm": partial(nn.BatchNorm2d, eps=1e-3)}, 155_872)],
)
def test_N_ARC_04_inception_concatenates_four_views(options, expected):
    module = Inception(192, 64, (96, 128), (16, 32), 32, **options)  # 3a
    assert count(module) == expected
    x = torch.rand(2, 192, 10, 10)
    y = module.eval()(x)
    assert y.shape == (2, 256, 10, 10)
    assert (y >= 0).all()  # ReLU after every convolution
    first, rest = module.branches[0], module.branches[3]
    torch.testing.assert_close(y[:, :64], first(x))
    torch.testing.assert_close(y[:, 224:], rest(x))


def test_N_ARC_04_four_views_of_3_channels_are_12():
    module = Inception(3, 3, (2, 3), (2, 3), 3)
    assert module(torch.rand(1, 3, 10, 10)).shape == (1, 12, 10, 10)


def test_N_ARC_05_residual_blocks_change_shape_by_a_shortcut():
    torch.manual_seed(0)
    x = torch.randn(2, 4, 9, 9)
    block = ResBlock(4, 6, 2).eval()
    assert block(x).shape == (2, 6, 5, 5)
    nn.init.zeros_(block.residual[-1].weight)
    conv, norm = block.shortcut
    torch.testing.assert_close(block(x), norm(conv(x)).relu())
    assert ResBlock(4, 6, norm=None, pre_activation=True)(x).shape == (2, 6, 9, 9)
    narrow = Bottleneck(4, 3, 2).eval()
    assert narrow(x).shape == (2, 12, 5, 5)
    same = Bottleneck(12, 3).eval()
    nn.init.zeros_(same.residual[-1].weight)
    y = torch.randn(2, 12, 5, 5)
    torch.testing.assert_close(same(y), y.relu())


def test_N_ARC_07_each_dense_layer_sees_all_before():
    torch.manual_seed(0)
    block, x = DenseBlock(5, 3, 4).eval(), torch.randn(2, 5, 6, 6)
    y = block(x)
    assert y.shape == (2, 17, 6, 6)
    assert torch.equal(y[:, :5], x)
    for k, layer in enumerate(block):
        seen = y[:, : 5 + 4 * k]
        torch.testing.assert_close(y[:, 5 + 4 * k : 9 + 4 * k], layer(seen))
    assert Transition(17)(y).shape == (2, 8, 3, 3)


@pytest.mark.parametrize("name", ["resnet-18", "googlenet", "densenet-121"])
def test_N_ARC_03_06_07_a_classifier_sees_the_mean_of_every_map(name):
    torch.manual_seed(0)
    network, x = classic_cnn(name, (1, 64, 64), 3).eval(), torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        maps = network.features(x)  # [2, F, 2, 2]
        expected = network.classifier(maps.flatten(2).mean(2))
        torch.testing.assert_close(network(x), expected)


PAIRS = {
    "alexnet": "alexnet",
    "vgg-11": "vgg11",
    "vgg-16-bn": "vgg16_bn",
    "googlenet": "googlenet",
    "resnet-18": "resnet18",
    "resnet-50": "resnet50",
    "densenet-121": "densenet121",
}


@pytest.mark.parametrize("name", PAIRS)
def test_N_ARC_08_torchvisions_weights_give_torchvisions_outputs(name):
    models = pytest.importorskip("torchvision").models
    torch.manual_seed(0)
    options = {"kernel5": 3} if name == "googlenet" else {}
    theirs_options = {"aux_logits": False, "init_weights": True} if options else {}
    ours = classic_cnn(name, num_classes=10, **options).eval()
    theirs = getattr(models, PAIRS[name])(num_classes=10, **theirs_options).eval()
    source = theirs.state_dict()
    if name == "googlenet":  # torchvision lists a module's branches in the same order as we do
        source = {k: v for k, v in source.items() if not k.startswith("aux")}
    assert len(source) == len(ours.state_dict())
    copied = zip(ours.state_dict(), source.values(), strict=True)
    ours.load_state_dict(dict(copied))
    x = torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        expected, found = theirs(x), ours(x)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def write_waves(network):
    """Give weights and biases that need no generator, as large as He has them."""
    with torch.no_grad():
        for k, weight in enumerate(network.parameters()):
            wave = torch.arange(weight.numel(), dtype=torch.float64).add(k).sin().view_as(weight)
            if weight.dim() > 1:
                weight.copy_(wave * (2.0 / weight[0].numel()) ** 0.5)
            elif weight.eq(1.0).all():  # of a norm
                weight.add_(wave, alpha=0.1)
            else:
                weight.copy_(0.1 * wave)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("googlenet", [-0.5082575368624224, -0.7619212123393724, -0.9774651696617364]),
        ("resnet-18", [0.3508288912305131, -0.665472003186569, 0.7486563286428782]),
        ("resnet-50", [-1.000273356972059, -0.9553428412796227, -0.7568527898497025]),
        ("densenet-121", [0.2979588765672154, 0.5605806579487784, 0.8458689715184323]),
    ],
)
def test_N_ARC_08_waves_as_weights_give_what_torchvision_0_28_gave(name, expected):
    """Held where there is no torchvision; in float64, so that no processor's rounding counts."""
    options = {"kernel5": 3} if name == "googlenet" else {}
    network = classic_cnn(name, (3, 64, 64), num_classes=3, **options)
    write_waves(network.double().eval())
    x = torch.arange(3 * 64 * 64, dtype=torch.float64).view(1, 3, 64, 64)
    with torch.no_grad():
        found = network((0.37 * x).cos().add(1.0).div(2.0))
    torch.testing.assert_close(
        found, torch.tensor([expected], dtype=torch.float64), rtol=1e-6, atol=0
    )


@pytest.mark.parametrize(
    ("name", "features"),
    [("resnet-18", 512), ("resnet-50", 2048), ("googlenet", 1024), ("densenet-121", 1024)],
)
def test_without_classes_they_are_encoders(name, features):
    with torch.device("meta"):
        network = classic_cnn(name, (4, 64, 64), 0)
    assert network.out_features == features
    pictures = torch.empty(2, 4, 64, 64, dtype=torch.uint8, device="meta")
    assert network(pictures).shape == (2, features)


@pytest.mark.parametrize("name", ["resnet-18", "googlenet", "densenet-121", "vgg-11-bn", "alexnet"])
def test_as_encoders_they_compute_the_same_in_training(name):
    with torch.device("meta"):
        classifier, encoder = classic_cnn(name, (3, 64, 64), 0), classic_encoder(name, (3, 64, 64))
    assert count(classifier) == count(encoder)
    assert not list(encoder.buffers())
    modes = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd)
    assert not [m for m in encoder.modules() if isinstance(m, modes)]


def test_an_encoder_of_small_pictures_loses_none_of_them():
    """Maps of 1x1: a group of one channel would be 0 whatever the picture."""
    torch.manual_seed(0)
    encoder = classic_encoder("googlenet", (3, 32, 32))
    inputs = []
    for module in encoder.modules():
        if isinstance(module, nn.GroupNorm):
            module.register_forward_hook(lambda m, x, y: inputs.append((m, x[0])))
    x = torch.rand(4, 3, 32, 32)
    together = encoder(x)
    assert len(inputs) > 50
    for norm, seen in inputs:
        assert seen.shape[1] // norm.num_groups * seen.shape[2] * seen.shape[3] >= 16
    torch.testing.assert_close(encoder(x[:1]), together[:1], rtol=1e-4, atol=1e-5)
    assert (together.std(0) > 0.01).float().mean() > 0.5  # the others are what ReLU cuts off


def test_bytes_are_scaled():
    torch.manual_seed(0)
    network = classic_cnn("resnet-18", (1, 32, 32), 3).eval()
    x = torch.randint(256, (2, 1, 32, 32), dtype=torch.uint8)
    torch.testing.assert_close(network(x), network(x / 255))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("vgg-16", (3, 31, 40), "31x40 .* too small for vgg-16: it needs at least 32x32"),
        ("alexnet", (1, 20, 20), "too small for alexnet: it needs at least 63x63"),
        ("resnet18", (3, 0, 8), "too small for resnet-18"),
        ("resnet-19", (3, 64, 64), "did you mean 'resnet-18'"),
    ],
)
def test_small_pictures_and_unknown_names_are_refused(name, shape, message):
    with torch.device("meta"), pytest.raises(ValueError, match=message):
        classic_cnn(name, shape)


def test_all_names_are_known():
    assert len(CLASSIC) == 1 + 8 + 1 + 4 + 4
