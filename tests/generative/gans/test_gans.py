"""generative/gans/minimax.py: networks, losses of both players, options."""

import math

import pytest
import torch
from torch import nn

from generative.gans.minimax import DCGAN, GAN, DCGANConfig, GANConfig
from generative.gans.networks import halved, with_label
from generative.gans.wasserstein import WGANGP, WGANGPConfig
from generative.model import Batch
from nets.process.seeding import seeded

PICTURE, VECTOR = (3, 32, 32), (2,)
SMALL = {"base_filters": 4, "latent": 6}
MODELS = {
    "gan of vectors": (GAN, VECTOR, GANConfig(hidden=(16,), latent=3)),
    "gan of pictures": (GAN, (1, 8, 8), GANConfig(hidden=(16,), latent=3)),
    "saturating gan": (GAN, VECTOR, GANConfig(hidden=(16,), generator_loss="saturating")),
    "dcgan 32": (DCGAN, PICTURE, DCGANConfig(**SMALL)),
    "dcgan 64, resized": (DCGAN, (1, 64, 64), DCGANConfig(**SMALL, upsampling="nearest")),
    "dcgan, spectral norm": (DCGAN, PICTURE, DCGANConfig(**SMALL, spectral_norm=True)),
    "wgan-gp of vectors": (WGANGP, VECTOR, WGANGPConfig(hidden=(16,), latent=3)),
    "wgan-gp of pictures": (WGANGP, PICTURE, WGANGPConfig(**SMALL)),
    "conditional gan": (GAN, VECTOR, GANConfig(hidden=(16,), conditional=True)),
    "conditional dcgan": (DCGAN, PICTURE, DCGANConfig(**SMALL, conditional=True)),
    "conditional wgan-gp": (WGANGP, PICTURE, WGANGPConfig(**SMALL, conditional=True)),
}


def build(kind, device="cpu", seed=0):
    cls, shape, config = MODELS[kind]
    with seeded(seed), torch.device(device):
        return cls(shape, config, dataset_size=100, num_classes=5)


def batch_for(model, rows=4, device="cpu"):
    with seeded(1), torch.device(device):
        return Batch(torch.rand(rows, *model.shape), torch.randint(5, (rows,)))


def gradients(player, batch):
    parameters = list(player.module.parameters())
    return torch.autograd.grad(player.loss(batch).value, parameters)


class Linear(nn.Module):
    """x ↦ w·x + b, for losses in closed form."""

    def __init__(self, weight, bias=0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, x):
        return x @ self.weight + self.bias


@pytest.mark.parametrize("kind", MODELS)
def test_every_player_has_a_loss_and_a_gradient(kind):
    model = build(kind)
    for player in model.players():
        loss = player.loss(batch_for(model))
        assert loss.value.shape == ()
        assert not any(value.requires_grad for value in loss.metrics.values())
        sizes = [g.norm().item() for g in gradients(player, batch_for(model))]
        assert all(map(math.isfinite, sizes))
        assert max(sizes) > 0.0


@pytest.mark.parametrize("kind", MODELS)
def test_every_player_runs_on_meta(kind):
    """Whatever reads a number back from the device, or lies on another, fails there."""
    model = build(kind, "meta")
    for player in model.players():
        assert all(g.is_meta for g in gradients(player, batch_for(model, device="meta")))
        assert all(v.is_meta for v in player.loss(batch_for(model, device="meta")).metrics.values())
    assert model.sample(3).shape == (3, *model.shape)


@pytest.mark.parametrize("kind", MODELS)
def test_samples_have_the_shape_of_data_and_do_not_depend_on_each_other(kind):
    model = build(kind)
    for player in model.players():  # so that batch norm has running statistics
        player.loss(batch_for(model))
    label = torch.tensor([0, 1, 2, 3, 4, 0]) if model.classes else None
    with seeded(3):
        samples = model.sample(6, label)
    assert samples.shape == (6, *model.shape)
    assert not samples.requires_grad
    assert model.generator.training
    with seeded(3):
        noise = with_label(torch.randn(6, model.config.latent), label, model.classes)
    model.eval()
    alone = torch.cat([model.generator(row) for row in noise.split(1)]).view_as(samples)
    if len(model.shape) == 3:
        assert 0.0 <= samples.min() < samples.max() <= 1.0
        alone = (alone + 1) / 2
    assert torch.allclose(alone, samples, atol=1e-6)
    assert model.sample(2).shape == (2, *model.shape)  # classes drawn where there are any


@pytest.mark.cuda
@pytest.mark.parametrize("kind", MODELS)
def test_every_player_learns_on_cuda_as_on_the_cpu(kind):
    here, there = build(kind), build(kind).to("cuda")
    batch = batch_for(here)
    moved = Batch(batch.x.cuda(), batch.label.cuda())
    for player in there.players():
        assert all(g.is_cuda and g.isfinite().all() for g in gradients(player, moved))
    expected = build(kind).judge(*here.real(batch))
    found = build(kind).cuda().judge(*there.real(moved)).cpu()
    assert torch.allclose(found, expected, atol=1e-2)
    assert there.sample(3).is_cuda


def test_G_GAN_01_an_undecided_discriminator_gives_minus_the_value_log_4():
    model = build("gan of vectors")
    model.discriminator = Linear([0.0, 0.0])
    loss = model.discriminator_step(batch_for(model))
    assert loss.value.item() == pytest.approx(1.386294361, abs=1e-6)
    assert loss.metrics["real_probability"].item() == 0.5


@pytest.mark.parametrize(("prior", "variance"), [("normal", 1.0), ("uniform", 1 / 3)])
def test_G_GAN_05_noise_is_of_the_prior_in_training_and_in_samples(prior, variance):
    model = GAN((3,), GANConfig(latent=4, prior=prior), dataset_size=8)
    seen = []
    model.generator.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    with seeded(0):
        model.sample(4000)
        model.generator_step(Batch(torch.zeros(4000, 3)))
    for noise in seen:
        assert noise.var(0).tolist() == pytest.approx([variance] * 4, rel=0.1)
        assert noise.mean(0).tolist() == pytest.approx([0.0] * 4, abs=0.06)
        assert (noise.abs().amax() <= 1.0) == (prior == "uniform")


@pytest.mark.parametrize(("name", "sign"), [("non_saturating", 1), ("saturating", -1)])
def test_G_GAN_02_generator_loss_by_name(name, sign):
    model = GAN(VECTOR, GANConfig(generator_loss=name), dataset_size=1)
    model.discriminator = Linear([0.0, 0.0], bias=-3.0)  # D = σ(−3) of everything
    d = 1 / (1 + math.exp(3))
    expected = -math.log(d) if sign > 0 else math.log(1 - d)
    loss = model.generator_step(batch_for(model))
    assert loss.value.item() == pytest.approx(expected, rel=1e-5)


def test_G_GAN_03_each_player_can_be_stepped_without_the_other():
    model = build("dcgan 32")
    model.discriminator_step(batch_for(model)).value.backward()
    assert all(p.grad is None for p in model.generator.parameters())
    assert all(p.grad is not None for p in model.discriminator.parameters())


def test_G_GAN_03_the_discriminator_sees_data_as_real_and_samples_as_fake():
    """D(x) = σ(x₁ + x₂): data at +10 and samples at −10 leave no loss, the other way 40."""
    model = build("gan of vectors")
    model.discriminator = Linear([1.0, 1.0])
    model.generator = Linear([[0.0, 0.0]] * 3, bias=-10.0)
    x = torch.full((4, 2), 10.0)
    assert model.discriminator_step(Batch(x)).value.item() == pytest.approx(0.0, abs=1e-6)
    model.generator = Linear([[0.0, 0.0]] * 3, bias=10.0)
    assert model.discriminator_step(Batch(-x)).value.item() == pytest.approx(40.0)


@pytest.mark.parametrize(("cls", "config"), [(GAN, GANConfig), (WGANGP, WGANGPConfig)])
def test_G_GAN_04_k_discriminator_steps_and_then_one_of_the_generator(cls, config):
    model = cls(VECTOR, config(discriminator_steps=3), dataset_size=1)
    turn = [player.name for player in model.players() for _ in range(player.steps)]
    assert turn == ["discriminator"] * 3 + ["generator"]
    modules = {player.name: player.module for player in model.players()}
    assert modules == {"discriminator": model.discriminator, "generator": model.generator}


def test_G_GAN_05_parameters_of_the_paper():
    with torch.device("meta"):
        model = DCGAN((3, 64, 64), dataset_size=1)
    counts = {p.name: sum(w.numel() for w in p.module.parameters()) for p in model.players()}
    assert counts == {"discriminator": 2_765_568, "generator": 3_576_704}
    config = model.config
    assert (config.learning_rate, config.betas, config.batch_size) == (2e-4, (0.5, 0.999), 128)


def kinds(network):
    return [type(layer).__name__ for layer in network.modules() if not list(layer.children())]


def test_G_GAN_05_layers_of_the_paper():
    model = DCGAN((3, 64, 64), DCGANConfig(base_filters=8), dataset_size=1)
    up, down = ["ConvTranspose2d", "BatchNorm2d", "ReLU"], ["Conv2d", "BatchNorm2d", "LeakyReLU"]
    assert kinds(model.generator) == ["Unflatten", *up * 4, "ConvTranspose2d", "Tanh"]
    discriminator = model.discriminator
    assert kinds(discriminator) == ["Conv2d", "LeakyReLU", *down * 3, "Conv2d", "Flatten"]
    slopes = {m.negative_slope for m in discriminator.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}


@pytest.mark.parametrize("cls", [DCGAN, WGANGP])
def test_G_GAN_05_weights_are_drawn_with_deviation_002(cls):
    with seeded(0):
        model = cls((3, 32, 32), cls.config_type(base_filters=32), dataset_size=1)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
            assert abs(layer.weight.mean().item()) < 0.002
        elif isinstance(layer, nn.BatchNorm2d):
            assert layer.weight.mean().item() == pytest.approx(1.0, abs=0.02)
            assert 0.01 < layer.weight.std().item() < 0.03


def test_G_GAN_05_data_and_samples_are_normalised_apart():
    """In one batch their statistics would mix, and D would see samples through the data."""
    model = build("dcgan 32")
    sizes = []
    model.discriminator.register_forward_hook(lambda _, inputs, __: sizes.append(len(inputs[0])))
    model.discriminator_step(batch_for(model, rows=6))
    assert sizes == [6, 6]


@pytest.mark.parametrize("side", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("mode", ["transpose", "nearest", "bilinear"])
def test_N_CNN_10_pictures_of_every_size_by_either_enlargement(side, mode):
    config = DCGANConfig(base_filters=1, latent=2, upsampling=mode)
    with torch.device("meta"):
        model = DCGAN((2, side, side), config, dataset_size=1)
    assert model.sample(3).shape == (3, 2, side, side)
    doublings = side.bit_length() - 3  # from 4 pixels on
    resized = doublings if mode != "transpose" else 0
    assert kinds(model.generator).count("Conv2d") == resized
    assert kinds(model.generator).count("ConvTranspose2d") == 1 + doublings - resized
    assert model.judge(*model.real(batch_for(model, device="meta"))).shape == (4,)


@pytest.mark.parametrize(
    "size", [(28, 28), (32, 64), (37, 50), (4, 4), (5, 9), (200, 96), (16, 160)]
)
@pytest.mark.parametrize("mode", ["transpose", "nearest", "bilinear"])
def test_N_CNN_10_pictures_of_any_height_and_width(size, mode):
    config = DCGANConfig(base_filters=1, latent=2, upsampling=mode)
    critical = WGANGPConfig(base_filters=1, latent=2, upsampling=mode)
    with torch.device("meta"):
        models = (
            DCGAN((3, *size), config, dataset_size=1),
            WGANGP((3, *size), critical, dataset_size=1),
        )
    for model in models:
        assert model.sample(3).shape == (3, 3, *size)
        for player in model.players():
            value = player.loss(batch_for(model, device="meta")).value
            assert value.shape == ()
        ends = halved((3, *size))[-1]
        assert 4 <= min(ends) <= 7 or min(size) < 8


def test_large_pictures_are_not_halved_without_end():
    """1,024 times the base filters would be more weights than memory."""
    with torch.device("meta"):
        model = DCGAN((3, 512, 1024), DCGANConfig(), dataset_size=1)
    assert sum(p.numel() for p in model.parameters()) < 1e8
    assert model.sample(1).shape == (1, 3, 512, 1024)


def test_pictures_are_judged_between_minus_one_and_one():
    """[0, 1] outside, [−1, 1] inside, where tanh puts the samples: no cheap way to tell them."""
    model = build("dcgan 32")
    x, _ = model.real(Batch(torch.tensor([0.0, 0.5, 1.0]).view(3, 1, 1, 1).expand(3, *PICTURE)))
    assert x[:, 0, 0, 0].tolist() == [-1.0, 0.0, 1.0]
    last = model.generator[-1]
    last.activation = nn.Identity()
    last.conv = Constant(torch.full((2, *PICTURE), -1.0))
    assert model.sample(2).unique().tolist() == [0.0]


class Constant(nn.Module):
    """Whatever comes in, the same goes out."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return self.value


def test_G_GAN_08_losses_of_a_linear_critic():
    """D = 3x₁ + 4x₂, data at (1, 1), samples at 0: 0 − 7 + 10 (5 − 1)² = 153, and for G −0."""
    model = build("wgan-gp of vectors")
    model.discriminator = Linear([3.0, 4.0], bias=0.5)
    model.generator = Linear([[0.0, 0.0]] * 3)
    batch = Batch(torch.ones(4, 2))
    loss = model.discriminator_step(batch)
    assert loss.value.item() == pytest.approx(153.0, rel=1e-5)
    assert loss.metrics["wasserstein"].item() == pytest.approx(7.0)
    assert loss.metrics["gradient_penalty"].item() == pytest.approx(16.0, rel=1e-5)
    assert model.validate(batch)["wasserstein"].item() == pytest.approx(7.0)
    assert model.generator_step(batch).value.item() == -0.5


class HalfSquare(nn.Module):
    """x ↦ ½‖x‖², of slope ‖x‖."""

    def forward(self, x):
        return 0.5 * x.square().sum(1)


def test_G_GAN_08_the_penalty_is_taken_between_data_and_samples():
    """Data at (6, 0), samples at 0: E (6u − 1)² = 36/3 − 12/2 + 1 = 7 for uniform u."""
    model = build("wgan-gp of vectors")
    model.generator, model.discriminator = Linear([[0.0, 0.0]] * 3), HalfSquare()
    with seeded(0):
        loss = model.discriminator_step(Batch(torch.tensor([[6.0, 0.0]]).expand(4000, 2)))
    assert loss.metrics["gradient_penalty"].item() == pytest.approx(7.0, rel=0.05)


def test_G_GAN_08_the_critic_has_no_batch_norm():
    critic = build("wgan-gp of pictures").discriminator
    assert not any("Norm" in type(layer).__name__ for layer in critic.modules())
    x = torch.rand(3, *PICTURE)
    assert torch.allclose(critic(x)[:1], critic(x[:1]), atol=1e-6)


def test_G_GAN_09_smoothing_reaches_the_loss():
    """Where D = σ(2) of data, ε moves ε of the weight from log D to log(1 − D)."""
    model = GAN(VECTOR, GANConfig(label_smoothing=0.1), dataset_size=1)
    model.discriminator = Linear([0.0, 0.0], bias=2.0)
    d = 1 / (1 + math.exp(-2))
    expected = -0.9 * math.log(d) - 0.1 * math.log(1 - d) - math.log(1 - d)
    assert model.discriminator_step(batch_for(model)).value.item() == pytest.approx(expected)


def test_G_GAN_09_spectral_norm_makes_dense_discriminators_lipschitz():
    with seeded(0):
        model = GAN(VECTOR, GANConfig(hidden=(32, 32), spectral_norm=True), dataset_size=1)
        weights = [m.weight for m in model.discriminator.modules() if isinstance(m, nn.Linear)]
        assert len(weights) == 3
        for _ in range(50):  # of the power iteration, one a pass
            model.discriminator_step(batch_for(model))
    for layer in model.discriminator.modules():
        if isinstance(layer, nn.Linear):
            assert torch.linalg.matrix_norm(layer.weight, 2).item() == pytest.approx(1.0, abs=1e-3)
    assert not any("parametrizations" in key for key in model.generator.state_dict())


def test_labels_become_channels():
    x = torch.zeros(2, 1, 2, 2)
    found = with_label(x, torch.tensor([2, 0]), 3)
    assert found.shape == (2, 4, 2, 2)
    assert found[:, :, 1, 0].tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]
    assert with_label(x, None, 0) is x


def test_conditional_players_are_told_the_class():
    model = build("conditional gan")
    x, label = model.real(batch_for(model))
    assert not torch.equal(model.judge(x, label), model.judge(x, (label + 1) % 5))
    with seeded(2):
        zeros = model.sample(4, torch.zeros(4, dtype=torch.int64))
    with seeded(2):
        ones = model.sample(4, torch.ones(4, dtype=torch.int64))
    assert not torch.equal(zeros, ones)


class Told(nn.Module):
    """G(z, k) = (k, k)."""

    def forward(self, z):
        return z[:, -5:].argmax(1, keepdim=True).float().expand(-1, 2)


def test_a_conditional_model_draws_every_class_as_often_where_none_is_asked_for():
    """Each of 5 classes is expected in 400 ± 18 of 2,000 draws."""
    model = build("conditional gan")
    model.generator = Told()
    with seeded(0):
        counts = model.sample(2000)[:, 0].long().bincount(minlength=5)
    assert counts.sum() == 2000
    assert counts.tolist() == pytest.approx([400] * 5, abs=5 * 18)


class Suspicious(nn.Module):
    """D(x, k) = −50 ‖x − k‖²: undecided about what is as its class should be, sure of all else."""

    def __init__(self):
        super().__init__()
        self.sharpness = nn.Parameter(torch.tensor(50.0))

    def forward(self, x):
        label = x[:, -5:].argmax(1, keepdim=True)
        return -self.sharpness * (x[:, :-5] - label).square().sum(1)


UNDECIDED = {"discriminator": math.log(4), "generator": math.log(2)}
FLAT = {"discriminator": 10.0, "generator": 0.0}  # λ (0 − 1)²


@pytest.mark.parametrize(
    ("cls", "config", "losses"),
    [
        (GAN, GANConfig(conditional=True), UNDECIDED),
        (WGANGP, WGANGPConfig(conditional=True, penalty=10.0), FLAT),
    ],
)
def test_conditional_players_judge_every_row_under_its_own_class(cls, config, losses):
    """Data and samples are what their class says: under another's D would be sure, and steep."""
    model = cls(VECTOR, config, dataset_size=100, num_classes=5)
    model.generator, model.discriminator = Told(), Suspicious()
    label = torch.tensor([3, 0, 4, 1, 2, 2])
    batch = Batch(label[:, None].expand(-1, 2).float(), label)
    found = {player.name: player.loss(batch).value.item() for player in model.players()}
    assert found == pytest.approx(losses, abs=1e-5)
    assert all(value == 0.0 for value in model.validate(batch).values())


def test_errors_name_what_is_wrong():
    with pytest.raises(ValueError, match="conditional gan needs data with classes"):
        GAN(VECTOR, GANConfig(conditional=True), dataset_size=1)
    with pytest.raises(ValueError, match="needs batches with labels"):
        build("conditional gan").generator_step(Batch(torch.zeros(2, 2)))
    with pytest.raises(ValueError, match="not conditional: it takes no label"):
        build("gan of vectors").sample(1, torch.zeros(1, dtype=torch.int64))
    for shape, cls in (((1, 3, 28), DCGAN), ((1, 32, 1), WGANGP)):
        with pytest.raises(ValueError, match=f"{shape[1]}x{shape[2]}: expected sides of 4 pixels"):
            cls(shape, dataset_size=1)
    with pytest.raises(ValueError, match=r"dcgan makes pictures: data of shape \(2,\) are none"):
        DCGAN(VECTOR, dataset_size=1)


@pytest.mark.parametrize(
    ("config", "settings", "message"),
    [
        (GANConfig, {"latent": 0}, "latent is 0: expected at least 1"),
        (DCGANConfig, {"discriminator_steps": 0}, "discriminator_steps is 0"),
        (GANConfig, {"generator_loss": "satturating"}, "'satturating': expected one of 'non_s"),
        (GANConfig, {"label_smoothing": 1.0}, r"label_smoothing is 1.0: expected .* \[0, 1\)"),
        (WGANGPConfig, {"penalty": -1.0}, "penalty is -1.0"),
        (WGANGPConfig, {"compile": True}, "torch.compile cannot differentiate a gradient penalty"),
        (WGANGPConfig, {"learning_rate": 0.0}, "learning_rate is 0.0"),
    ],
)
def test_settings_that_cannot_work_are_refused(config, settings, message):
    with pytest.raises(ValueError, match=message):
        config(**settings)
