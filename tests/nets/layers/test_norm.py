from functools import partial

import numpy as np
import pytest
import torch
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from torch import nn

from nets import MLP
from nets.layers.conv import ConvBlock
from nets.layers.norm import BatchNorm, BatchNorm2d, RunningNorm, norm


def data(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3.0 + 2.0 * torch.randn(*shape, dtype=torch.float64, generator=generator)


def test_N_NORM_01_minmax_is_sklearns_and_constant_features_give_zero():
    x = data(200, 4)
    x[:, 2] = 7.0
    layer = RunningNorm(4, mode="minmax")
    for chunk in x.split([1, 50, 149]):
        layer(chunk)
    expected = MinMaxScaler().fit_transform(x.numpy())
    np.testing.assert_allclose(layer.eval()(x), expected, atol=1e-12)
    assert (layer(x)[:, 2] == 0).all()


def test_N_NORM_01_bytes_are_divided_by_255():
    image = torch.arange(256, dtype=torch.uint8).reshape(-1, 1)
    y = RunningNorm(1, mode="minmax")(image)
    torch.testing.assert_close(y, image / 255.0)


def test_N_NORM_02_zscore_in_chunks_is_sklearns_on_all_the_data():
    x = data(500, 3) + torch.tensor([0.0, 1e4, -50.0], dtype=torch.float64)
    layer = RunningNorm(3, eps=0.0)
    for chunk in x.split([1, 7, 200, 292]):
        layer.update(chunk)
    scaler = StandardScaler().fit(x.numpy())
    np.testing.assert_allclose(layer.mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(layer.squares / 500, x.var(0, unbiased=False), rtol=1e-12)
    np.testing.assert_allclose(layer.eval()(x), scaler.transform(x.numpy()), atol=1e-9)


def test_N_NORM_02_evaluation_reuses_the_training_statistics():
    layer = RunningNorm(2)
    layer(data(100, 2))
    before = {k: v.clone() for k, v in layer.state_dict().items()}
    alone = layer.eval()(data(1, 2, seed=1))
    among = layer(torch.cat([data(1, 2, seed=1), 100 + data(5, 2, seed=2)]))[:1]
    torch.testing.assert_close(alone, among)
    for key, value in layer.state_dict().items():
        assert torch.equal(value, before[key]), key
    assert layer.count == 100


@pytest.mark.parametrize("mode", ["zscore", "minmax"])
def test_running_norm_before_any_data_is_finite_and_keeps_the_sample_shape(mode):
    layer = RunningNorm((2, 3), mode=mode).eval()
    y = layer(torch.ones(4, 5, 2, 3))
    assert y.shape == (4, 5, 2, 3)
    assert y.dtype == torch.float32
    assert y.isfinite().all()
    layer.train().update(torch.empty(0, 2, 3))
    assert layer.count == 0
    with pytest.raises(ValueError, match=r"shape \(2, 3\), got \(3,\)"):
        layer(torch.ones(3))
    with pytest.raises(ValueError, match="did you mean 'zscore'"):
        RunningNorm(2, mode="zscor")


@pytest.mark.parametrize("mode", ["zscore", "minmax"])
def test_running_norm_runs_on_the_meta_device(mode):
    layer = RunningNorm(3, mode=mode).to("meta")
    assert layer(torch.empty(5, 3, device="meta")).shape == (5, 3)


@pytest.mark.parametrize(
    ("layer", "shape", "dims"),
    [
        (BatchNorm(5), (64, 5), (0,)),
        (BatchNorm(5), (8, 9, 5), (0, 1)),
        (BatchNorm2d(5), (8, 5, 4, 3), (0, 2, 3)),
    ],
)
def test_N_NORM_03_batch_norm_is_the_formula(layer, shape, dims):
    layer = layer.double()
    x = data(*shape)
    channels = [1] * len(shape)
    channels[1 if len(shape) == 4 else -1] = 5
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(0.5, 2.5, 5))
        layer.bias.copy_(torch.linspace(-1, 1, 5))
    mu = x.mean(dims, keepdim=True)
    variance = (x - mu).square().mean(dims, keepdim=True)  # biased
    expected = layer.weight.view(channels) * (x - mu) / (variance + 1e-5).sqrt()
    torch.testing.assert_close(layer(x), expected + layer.bias.view(channels))


def test_N_NORM_03_on_vectors_it_is_torchs_bit_for_bit():
    x = data(32, 5).float()
    ours, theirs = BatchNorm(5), nn.BatchNorm1d(5)
    assert torch.equal(ours(x), theirs(x))
    assert list(ours.state_dict()) == list(theirs.state_dict())


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (BatchNorm(3), torch.ones(1, 3)),
        (BatchNorm(3), torch.ones(3)),
        (BatchNorm2d(3), torch.ones(1, 3, 1, 1)),
    ],
)
def test_N_NORM_03_one_sample_in_training_is_an_error_that_says_what_to_do(layer, x):
    with pytest.raises(ValueError, match=r"more than one value.*call eval\(\)"):
        layer(x)
    assert layer.num_batches_tracked == 0
    assert layer.eval()(x).shape == x.shape


@pytest.mark.parametrize("rho", [0.9, 0.99])
def test_N_NORM_04_running_statistics_keep_rho_of_the_old_value(rho):
    layer = norm(partial(BatchNorm, momentum=1 - rho), 4).double()
    x = data(16, 4)
    layer(x)
    torch.testing.assert_close(layer.running_mean, (1 - rho) * x.mean(0))
    unbiased = x.var(0, unbiased=True)
    torch.testing.assert_close(layer.running_var, rho + (1 - rho) * unbiased)
    expected = (x - layer.running_mean) / (layer.running_var + 1e-5).sqrt()
    torch.testing.assert_close(layer.eval()(x), expected)


def test_N_NORM_04_no_momentum_is_the_cumulative_average():
    layer = norm(partial(BatchNorm, momentum=None), 4).double()
    batches = [data(16, 4, seed=s) for s in range(3)]
    for batch in batches:
        layer(batch)
    mean = torch.stack([batch.mean(0) for batch in batches]).mean(0)
    torch.testing.assert_close(layer.running_mean, mean)


def test_N_NORM_05_a_bias_before_batch_norm_changes_nothing_and_is_left_out():
    net = MLP(3, [8, 8], 2, norm="batch")
    assert [m.bias is None for m in net if isinstance(m, nn.Linear)] == [True, True, False]
    layer, x = BatchNorm(8).double(), data(20, 8)
    torch.testing.assert_close(layer(x + torch.linspace(-5, 5, 8)), layer(x))


@pytest.mark.parametrize("options", [{"norm": "layer"}, {"norm": "batch", "norm_first": False}])
def test_N_NORM_05_a_bias_that_is_not_cancelled_stays(options):
    assert all(m.bias is not None for m in MLP(3, [8], 2, **options) if isinstance(m, nn.Linear))


@pytest.mark.parametrize(
    ("norm_first", "kinds"),
    [
        (True, [nn.Linear, BatchNorm, nn.Tanh, nn.Dropout, nn.Linear]),
        (False, [nn.Linear, nn.Tanh, BatchNorm, nn.Dropout, nn.Linear]),
    ],
)
def test_N_NORM_06_the_norm_stands_before_the_activation_unless_told(norm_first, kinds):
    net = MLP(3, [8], 2, activation="tanh", norm="batch", dropout=0.5, norm_first=norm_first)
    assert [type(module) for module in net] == kinds


def test_N_NORM_06_convolutions_are_normed_before_the_activation():
    block = ConvBlock(2, 3, 3, norm="batch", activation="relu", pool="max")
    assert [name for name, _ in block.named_children()] == ["conv", "norm", "activation", "pool"]
    x = data(4, 2, 6, 6).float()
    expected = nn.functional.max_pool2d(block.norm(block.conv(x)).relu(), 2)
    torch.testing.assert_close(block(x), expected)


def test_N_NORM_07_predictions_on_one_sample_do_not_depend_on_the_batch():
    net = MLP(3, [8], 2, norm="batch").double()
    x = data(10, 3)
    net(x)
    assert not torch.allclose(net(x)[:1], net(x[:2])[:1])  # training: they do
    net.eval()
    state = {k: v.clone() for k, v in net.state_dict().items()}
    torch.testing.assert_close(net(x)[:1], net(x[:1]))
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())


@pytest.mark.parametrize("shape", [(6,), (4, 6), (2, 3, 6)])
def test_N_NORM_08_layer_norm_normalises_each_sample(shape):
    x = data(*shape)
    mu, variance = x.mean(-1, keepdim=True), x.var(-1, unbiased=False, keepdim=True)
    y = norm("layer", 6).double()(x)
    torch.testing.assert_close(y, (x - mu) / (variance + 1e-5).sqrt())


@pytest.mark.parametrize(("spec", "groups"), [("layer", 1), ("group", 4), ("instance", 12)])
def test_N_NORM_08_norms_of_images_share_statistics_within_groups(spec, groups):
    x = data(2, 12, 5, 4)
    layer = norm(spec, 12, images=True) if spec != "group" else nn.GroupNorm(4, 12)
    grouped = x.reshape(2, groups, -1)
    mu, variance = grouped.mean(-1, keepdim=True), grouped.var(-1, unbiased=False, keepdim=True)
    expected = ((grouped - mu) / (variance + 1e-5).sqrt()).view_as(x)
    torch.testing.assert_close(layer.double()(x), expected)


@pytest.mark.parametrize(("channels", "groups"), [(64, 32), (48, 16), (7, 1)])
def test_N_NORM_08_group_norm_takes_the_most_groups_that_divide(channels, groups):
    assert norm("group", channels, images=True).num_groups == groups


def test_every_way_to_say_it():
    assert type(norm(None, 4)) is nn.Identity
    assert type(norm(nn.LayerNorm, 4)) is nn.LayerNorm
    assert type(norm("batch", 4, images=True)) is BatchNorm2d
    with pytest.raises(ValueError, match="unknown norm 'bach'; did you mean 'batch'"):
        norm("bach", 4)
    with pytest.raises(TypeError, match="LayerNorm"):
        norm(nn.LayerNorm(4), 4)
