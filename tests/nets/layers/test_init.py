import math

import pytest
import torch
from torch import nn

from nets import MLP, init_
from nets.layers.init import forget_gate_
from nets.process.seeding import seeded

N = 512


def made(name, *shape, seed=0, **options):
    rows, columns = shape or (N, N)
    with seeded(seed):
        return init_(nn.Linear(columns, rows), name, **options)


def same_draws(ours, torchs, *shape):
    """Whether a scheme fills exactly as a function of torch.nn.init does, from one seed."""
    with seeded(0):
        layer = nn.Linear(*reversed(shape))
        with torch.no_grad():
            torchs(layer.weight)
    return torch.allclose(made(ours, *shape).weight, layer.weight, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("ours", "torchs"),
    [
        ("he", lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu")),
        ("kaiming_uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="relu")),
        ("lecun_normal", lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear")),
        ("lecun_uniform", lambda w: nn.init.kaiming_uniform_(w, nonlinearity="linear")),
        ("glorot_normal", nn.init.xavier_normal_),
        ("xavier", nn.init.xavier_uniform_),
        ("orthogonal", nn.init.orthogonal_),
    ],
)
def test_a_scheme_draws_what_torch_draws(ours, torchs):
    assert same_draws(ours, torchs, 40, 30)


@pytest.mark.parametrize("shape", [(N, N), (256, 1024)])
@pytest.mark.parametrize("name", ["he_normal", "he_uniform"])
def test_N_INIT_01_he_has_variance_two_over_fan_in_and_mean_zero(name, shape):
    w = made(name, *shape).weight
    assert w.var().item() * shape[1] == pytest.approx(2.0, rel=0.02)
    assert abs(w.mean().item()) < 3 * math.sqrt(2 / shape[1] / w.numel())


def test_N_INIT_01_ten_relu_layers_keep_the_second_moment_within_a_factor_of_two():
    moments = []
    for seed in range(10):
        with seeded(seed):
            x = torch.randn(256, 128)
            y = MLP(128, [128] * 10, init="he")(x)
        moments.append(y.square().mean().item() * 2)  # ReLU keeps half of the second moment
    assert 0.5 < sum(moments) / 10 < 2.0


@pytest.mark.parametrize("shape", [(N, N), (256, 1024)])
@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_N_INIT_02_lecun_and_glorot_variances(kind, shape):
    fan_out, fan_in = shape
    lecun, glorot = made(f"lecun_{kind}", *shape).weight, made(f"glorot_{kind}", *shape).weight
    assert lecun.var().item() * fan_in == pytest.approx(1.0, rel=0.02)
    assert glorot.var().item() * (fan_in + fan_out) == pytest.approx(2.0, rel=0.02)


def test_N_INIT_03_small_random_values_have_the_stated_scale():
    normal, uniform = made("normal", scale=0.05).weight, made("uniform", scale=0.05).weight
    assert normal.std().item() == pytest.approx(0.05, rel=0.02)
    assert 0.0499 < uniform.abs().max().item() <= 0.05
    assert uniform.std().item() == pytest.approx(0.05 / 3**0.5, rel=0.02)


@pytest.mark.parametrize("scale", [0.01, 0.5])
def test_N_INIT_04_the_normal_is_truncated_at_two_standard_deviations(scale):
    layer = made("truncated_normal", scale=scale)
    w = layer.weight / scale
    assert 1.99 < w.abs().max().item() <= 2.0 + 1e-6
    # Standard deviation of a standard normal truncated to [-2, 2]: √(1 - 4φ(2)/(2Φ(2) - 1)).
    phi = math.exp(-2) / math.sqrt(2 * math.pi)
    assert w.std().item() == pytest.approx(math.sqrt(1 - 4 * phi / math.erf(2**0.5)), rel=0.01)
    assert layer.bias.abs().max().item() == 0.0


def test_N_INIT_05_ones_and_zeros():
    assert (made("ones").weight == 1).all()
    assert (made("zeros").weight == 0).all()
    assert (made("ones").bias == 0).all()


@pytest.mark.parametrize("gain", [1.0, 2**0.5, 0.01])
@pytest.mark.parametrize("shape", [(64, 64), (16, 64), (64, 16)])
def test_N_INIT_06_orthogonal_rows_or_columns_have_length_gain(shape, gain):
    w = made("orthogonal", *shape, gain=gain).weight
    product = w @ w.T if shape[0] <= shape[1] else w.T @ w
    assert (product - gain**2 * torch.eye(min(shape))).norm().item() < 1e-5


def test_N_INIT_06_the_gain_comes_from_the_activation_that_follows():
    assert torch.equal(
        made("orthogonal", 8, 8, gain="tanh").weight, made("orthogonal", 8, 8, gain=5 / 3).weight
    )
    net = MLP(16, [16, 16], 16, activation=["relu", "tanh"], init="orthogonal", out_gain=0.01)
    gains = [torch.linalg.matrix_norm(m.weight, 2).item() for m in net if isinstance(m, nn.Linear)]
    assert gains == pytest.approx([2**0.5, 5 / 3, 0.01], rel=1e-5)
    last = MLP(16, [], 16, init="orthogonal")[0].weight
    assert torch.linalg.matrix_norm(last, 2).item() == pytest.approx(1.0, rel=1e-5)


def test_N_INIT_06_the_filters_of_a_convolution_are_orthogonal_both_ways():
    conv = init_(nn.Conv2d(3, 8, 3), "orthogonal", gain=2.0)
    rows = conv.weight.flatten(1)
    assert (rows @ rows.T - 4 * torch.eye(8)).norm().item() < 1e-5
    up = init_(nn.ConvTranspose2d(8, 3, 3), "orthogonal")
    rows = up.weight.transpose(0, 1).flatten(1)  # [out, in * taps]
    assert (rows @ rows.T - torch.eye(3)).norm().item() < 1e-5


@pytest.mark.parametrize("layers", [1, 2])
def test_N_INIT_07_the_forget_gate_bias_is_one_in_one_of_the_two_biases(layers):
    lstm = nn.LSTM(3, 5, layers)
    before = {key: value.clone() for key, value in lstm.state_dict().items()}
    assert init_(lstm, "forget_gate") is lstm
    for key, value in lstm.state_dict().items():
        if key.startswith("bias"):
            assert (value[5:10] == (1.0 if key.startswith("bias_ih") else 0.0)).all()
            value[5:10] = before[key][5:10]
        assert torch.equal(value, before[key]), key


def test_N_INIT_07_other_values_and_other_layers():
    model = nn.Sequential(nn.LSTM(3, 5, bidirectional=True))
    forget_gate_(model, 2.0)
    assert (model[0].bias_ih_l0_reverse[5:10] == 2.0).all()
    for without in (nn.GRU(3, 5), nn.LSTM(3, 5, bias=False), nn.Linear(2, 2)):
        with pytest.raises(ValueError, match="no LSTM with biases"):
            init_(without, "forget_gate")


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_the_gates_of_a_recurrent_layer_are_filled_one_by_one(kind, gates):
    layer = init_(kind(6, 8, 2), "orthogonal")
    for key, value in layer.named_parameters():
        if key.startswith("bias"):
            assert (value == 0).all()
        else:
            for gate in value.chunk(gates):
                product = gate @ gate.T if gate.shape[0] <= gate.shape[1] else gate.T @ gate
                assert (product - torch.eye(min(gate.shape))).norm().item() < 1e-5


@pytest.mark.parametrize(
    ("layer", "fan_in"),
    [
        (nn.Conv2d(16, 32, 3), 16 * 9),
        (nn.Conv2d(16, 32, 3, groups=4), 4 * 9),
        (nn.ConvTranspose2d(32, 64, 4, stride=2), 32 * 16 / 4),
        (nn.ConvTranspose2d(32, 64, 3), 32 * 9),
        (nn.ConvTranspose2d(32, 64, 3, groups=4), 8 * 9),
    ],
)
def test_he_counts_the_inputs_that_reach_one_output(layer, fan_in):
    with seeded(0):
        init_(layer, "he")
        x = torch.randn(4, layer.in_channels, 16, 16)
    assert layer.weight.var().item() * fan_in == pytest.approx(2.0, rel=0.05)
    inner = layer(x)[:, :, 4:-4, 4:-4]  # away from the border
    assert inner.square().mean().item() == pytest.approx(2.0, rel=0.1)


def test_norms_slopes_and_embeddings_keep_their_values():
    model = nn.Sequential(
        nn.Embedding(5, 4), nn.LayerNorm((2, 4)), nn.BatchNorm1d(4), nn.PReLU(), nn.Linear(4, 4)
    )
    before = {key: value.clone() for key, value in model.state_dict().items()}
    init_(model, "zeros")
    changed = [k for k, v in model.state_dict().items() if not torch.equal(v, before[k])]
    assert changed == ["4.weight", "4.bias"]


def test_errors_and_the_meta_device():
    with pytest.raises(ValueError, match="unknown initialisation 'orthogonl'; did you mean 'ortho"):
        init_(nn.Linear(2, 2), "orthogonl")
    for name in ("he", "glorot", "orthogonal", "truncated_normal", "uniform"):
        init_(nn.Linear(3, 2, device="meta"), name)
    init_(nn.LSTM(3, 2, device="meta"), "forget_gate")
