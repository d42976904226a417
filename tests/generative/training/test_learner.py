"""The learner: which rows, whose gradient, at which precision, and that nothing waits."""

import os

import pytest
import torch
from known_models import SMALL, Line, build, pictures, points, weights
from torch import nn
from waiting import counted_waits

from generative.autoencoders.adversarial import AAE
from generative.autoencoders.config import AEConfig, VAEConfig
from generative.autoencoders.plain import AE
from generative.autoencoders.variational import VAE, BetaTCVAE, BetaVAE
from generative.data.dataset import Dataset
from generative.gans.minimax import DCGAN, GAN, DCGANConfig, GANConfig
from generative.gans.wasserstein import WGANGP, WGANGPConfig
from generative.model import Loss, ModelConfig, Player
from generative.training.epochs import Epochs
from generative.training.learner import Learner
from generative.training.players import PlayerOptimiser, learning_rate, mixed_precision
from generative.training.run import RunConfig
from generative.training.trainer import Trainer
from nets.gradients.averaging import ExponentialAverage
from nets.process.seeding import seeded

# Which rows -------------------------------------------------------------------------------------


def test_every_epoch_deals_all_rows_once_in_an_order_of_its_own():
    epochs = Epochs(rows=12, batch_size=4, seed=3)
    dealt = [torch.cat([epochs[3 * e + k] for k in range(3)]) for e in range(3)]
    for order in dealt:
        assert sorted(order.tolist()) == list(range(12))
    assert len({tuple(order.tolist()) for order in dealt}) == 3


def test_a_batch_depends_on_seed_and_number_alone():
    epochs, again = Epochs(20, 6, seed=1), Epochs(20, 6, seed=1)
    batches = [epochs[k] for k in range(9)]
    for k in (8, 0, 5):
        assert torch.equal(again[k], batches[k])
    assert all(len(batch) == 6 for batch in batches)  # rows that fill no batch sit out
    assert not torch.equal(Epochs(20, 6, seed=2)[0], batches[0])


def test_a_batch_is_never_larger_than_the_data():
    assert sorted(Epochs(5, 64, seed=0)[7].tolist()) == [0, 1, 2, 3, 4]


# One step ---------------------------------------------------------------------------------------


def test_training_is_adam_on_the_loss_of_each_batch():
    """Against Adam's formula in float64, on the batches that the seed decides."""
    data = points()
    config = ModelConfig(batch_size=8, learning_rate=0.1, betas=(0.8, 0.9))
    model = build(Line, config, data)
    learner = Learner(model, data, seed=5, device="cpu")
    for _ in range(12):
        learner.turn()

    epochs, x = Epochs(40, 8, seed=5), data.x.double()
    theta, m, v = (torch.zeros(2, dtype=torch.float64) for _ in range(3))
    for t in range(12):
        gradient = theta - x[epochs[t]].mean(0)
        m = 0.8 * m + 0.2 * gradient
        v = 0.9 * v + 0.1 * gradient.square()
        theta = theta - 0.1 * (m / (1 - 0.8 ** (t + 1))) / (
            (v / (1 - 0.9 ** (t + 1))).sqrt() + 1e-8
        )
    torch.testing.assert_close(model.theta.detach().double(), theta, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mover", [0, 1])
def test_G_GAN_03_a_player_moves_its_own_module_alone(mover):
    data = points()
    model = build(GAN, GANConfig(**SMALL), data)
    optimisers = [PlayerOptimiser(model, player) for player in model.players()]
    before = weights(model)
    with seeded(0):
        optimisers[mover].step(data.batch(slice(0, 8)), 1e-3)
    names = [player.name for player in model.players()]
    for name, value in model.state_dict().items():
        moved = not torch.equal(value, before[name])
        assert moved == name.startswith(names[mover]), name
    assert all(p.grad is None for p in model.parameters())
    assert all(p.requires_grad for p in model.parameters())


def test_the_others_are_held_fixed_while_a_player_computes_its_gradient():
    data = points()
    model = build(GAN, GANConfig(**SMALL), data)
    seen = []

    def watch(batch):
        seen.append([p.requires_grad for p in model.discriminator.parameters()])
        raise RuntimeError("broken loss")

    player = Player("generator", model.generator, watch)
    optimiser = PlayerOptimiser(model, player)
    with pytest.raises(RuntimeError, match="broken loss"):
        optimiser.step(data.batch(slice(0, 8)), 1e-3)
    assert not any(seen[0])
    assert all(p.requires_grad for p in model.parameters())


def test_G_GAN_04_the_discriminator_takes_k_steps_on_new_rows_before_the_generator():
    data = points()
    model = build(WGANGP, WGANGPConfig(**SMALL, discriminator_steps=3), data)
    learner = Learner(model, data, device="cpu")
    calls = []
    for optimiser in learner.optimisers:
        step, name = optimiser.step, optimiser.player.name

        def record(batch, rate, step=step, name=name):
            calls.append((name, batch.x))
            return step(batch, rate)

        optimiser.step = record
    for _ in range(2):
        learner.turn()
    assert [name for name, _ in calls] == (["discriminator"] * 3 + ["generator"]) * 2
    rows = torch.cat([x for name, x in calls if name == "discriminator"][:5])  # one epoch
    assert len(rows.unique(dim=0)) == 40


def test_clipping_bounds_the_global_norm_of_the_gradient():
    data = points()
    config = ModelConfig(batch_size=40, max_grad_norm=0.01, betas=(0.5, 0.999))
    model = build(Line, config, data)
    learner = Learner(model, data, device="cpu")
    metrics = learner.turn()
    assert metrics["grad_norm"].item() == pytest.approx(data.x.mean(0).norm().item(), rel=1e-5)
    moment = learner.optimisers[0].adam.state[model.theta]["exp_avg"]
    assert moment.norm().item() == pytest.approx(0.5 * 0.01, rel=1e-4)


@pytest.mark.parametrize(
    ("step", "factor"),
    [(0, 0.25), (3, 1.0), (4, 1.0), (5, 0.8535534), (6, 0.5), (8, 0.0), (99, 0.0)],
)
def test_learning_rate_rises_and_falls_along_the_cosine(step, factor):
    config = ModelConfig(learning_rate=0.2, warmup_steps=4, anneal_steps=8)
    assert learning_rate(config, step) == pytest.approx(0.2 * factor)


def test_learning_rate_falls_along_a_line_or_stays():
    config = ModelConfig(learning_rate=1.0, anneal_steps=10, schedule="linear")
    assert [learning_rate(config, t) for t in (0, 5, 10)] == [1.0, 0.5, 0.0]
    assert learning_rate(ModelConfig(learning_rate=0.3), 10**6) == 0.3


def test_a_function_is_asked_with_what_is_left():
    config = ModelConfig(learning_rate=lambda left: 0.5 * left + 0.1, warmup_steps=2)
    rates = [learning_rate(config, t, horizon=10) for t in (0, 1, 5, 10, 11)]
    assert rates == pytest.approx([0.3, 0.55, 0.35, 0.1, 0.1])
    until = ModelConfig(learning_rate=lambda left: 0.5 * left + 0.1, anneal_steps=20)
    assert learning_rate(until, 5, horizon=10) == pytest.approx(0.475)
    with pytest.raises(ValueError, match=r"learning_rate is -1 when 0\.5 of the training is left"):
        learning_rate(ModelConfig(learning_rate=lambda left: -1), 5, horizon=10)


@pytest.mark.parametrize("kind", [AE, GAN, WGANGP])
def test_every_model_learns_at_the_rate_of_a_function(kind):
    shares = []

    def rate(left):
        shares.append(left)
        return 0.01 * left

    model = build(kind, kind.config_type(batch_size=8, learning_rate=rate), points())
    trainer = Trainer(model, points(), device="cpu", progress=False)
    trainer.run(4)
    assert shares == [1.0, 0.75, 0.5, 0.25]
    groups = [g for o in trainer.learner.optimisers for g in o.adam.param_groups]
    assert {group["lr"] for group in groups} == {0.01 * 0.25}
    trainer.run(8)
    assert shares[4:] == [0.5, 0.375, 0.25, 0.125]


def test_the_optimiser_uses_the_scheduled_learning_rate():
    data = points()
    model = build(Line, ModelConfig(learning_rate=0.1, warmup_steps=10), data)
    learner = Learner(model, data, device="cpu")
    learner.turn()
    # Adam's first step is the learning rate, whatever the gradient
    torch.testing.assert_close(
        model.theta.abs().detach(), torch.full((2,), 0.01), rtol=1e-4, atol=0
    )


def test_averaged_weights_trail_behind_with_buffers():
    data = points()
    model = build(Line, ModelConfig(batch_size=8, ema_decay=0.75), data)
    learner = Learner(model, data, device="cpu")
    expected, floating = model.theta.detach().clone(), []
    for t in range(40):
        learner.turn()
        decay = min(0.75, (1 + t) / (10 + t))  # a young average forgets the first weights
        expected = decay * expected + (1 - decay) * model.theta.detach()
        floating.append(learner.trained.theta.clone())
    assert learner.trained is not model
    torch.testing.assert_close(learner.trained.theta, expected)
    assert learner.trained.seen == 40  # integers are copied
    assert not torch.equal(floating[-1], model.theta)


def test_averages_include_the_statistics_of_batch_norm():
    data = pictures()
    model = build(DCGAN, DCGANConfig(batch_size=8, base_filters=4, ema_decay=0.5), data)
    learner = Learner(model, data, device="cpu")
    name = next(n for n, _ in model.generator.named_buffers() if n.endswith("running_var"))
    expected = model.generator.get_buffer(name).clone()
    for decay in (1 / 10, 2 / 11, 3 / 12):
        learner.turn()
        expected = decay * expected + (1 - decay) * model.generator.get_buffer(name)
    torch.testing.assert_close(learner.trained.generator.get_buffer(name), expected)


def test_an_average_is_near_the_last_weights_however_long_its_memory():
    """Of weights that go from 0 to 1 a tenth of the way is forgotten, not all but a tenth."""
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(module.weight)
    average = ExponentialAverage(module, 0.9999)
    for t in range(1000):
        torch.nn.init.constant_(module.weight, (t + 1) / 1000)
        average.update(t)
    assert 0.85 < average.module.weight.item() < 0.95


# Precision and layout ---------------------------------------------------------------------------


def test_bfloat16_computes_losses_near_those_of_float32_on_float32_weights():
    data, losses = pictures(size=16), {}
    for precision in ("float32", "bfloat16"):
        model = build(VAE, VAEConfig(**SMALL, channels=(8, 8), precision=precision), data)
        learner = Learner(model, data, device="cpu")
        with seeded(1):
            losses[precision] = learner.turn()["loss"]
        assert all(p.dtype == torch.float32 for p in model.parameters())
    assert losses["float32"].dtype == losses["bfloat16"].dtype == torch.float32
    assert losses["bfloat16"] != losses["float32"]
    torch.testing.assert_close(losses["bfloat16"], losses["float32"], rtol=0.01, atol=0)


@pytest.mark.parametrize(
    ("precision", "shape", "fast", "halved"),
    [
        ("auto", (1, 28, 28), True, True),
        ("auto", (1, 28, 28), False, False),
        ("auto", (1, 8, 8), True, False),  # casting the weights would cost more
        ("auto", (784,), True, False),
        ("float32", (1, 64, 64), True, False),
        ("bfloat16", (2,), False, True),
    ],
)
def test_precision_auto_is_bfloat16_for_large_pictures_where_it_is_fast(
    monkeypatch, precision, shape, fast, halved
):
    monkeypatch.setattr("generative.training.players.has_bfloat16", lambda device: fast)
    context = mixed_precision(ModelConfig(precision=precision), torch.device("cpu"), shape)
    with context():
        assert torch.is_autocast_enabled("cpu") == halved


def test_convolutions_are_trained_channels_last():
    data = Dataset("colour", torch.randint(0, 256, (16, 3, 16, 16), dtype=torch.uint8))
    model = build(VAE, VAEConfig(**SMALL, channels=(4, 8)), data)
    seen = []
    learner = Learner(model, data, device="cpu")
    loss = learner.optimisers[0].loss.loss
    learner.optimisers[0].loss.loss = lambda batch: seen.append(batch.x) or loss(batch)
    learner.turn()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert not seen[0].is_contiguous()
    kernels = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert kernels
    assert all(k.is_contiguous(memory_format=torch.channels_last) for k in kernels)


@pytest.mark.slow
@pytest.mark.skipif(
    "ATEN_CPU_CAPABILITY" in os.environ,
    reason="torch's compiler writes for the machine's own instructions, which it is kept from",
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")  # the compiler's own habits
def test_compiled_training_has_the_same_keys_and_nearly_the_same_losses():
    data, rows = pictures(), {}
    for compiled in (False, True):
        config = VAEConfig(**SMALL, compile=compiled)
        model = build(VAE, config, data)
        model.posterior = lambda x, m=model: (m.encoder(x)[:, :10], torch.full((len(x), 10), -20.0))
        learner = Learner(model, data, device="cpu")
        with seeded(2):
            rows[compiled] = [learner.turn()["loss"].item() for _ in range(4)]
        assert not any("_orig_mod" in name for name in model.state_dict())
    assert rows[True] == pytest.approx(rows[False], rel=1e-3)


# No waiting for the device ----------------------------------------------------------------------

EVERY_MODEL = {
    "ae": (AE, SMALL, pictures),
    "ae vectors": (AE, SMALL, points),
    "vae": (VAE, SMALL | {"kl_warmup_steps": 5, "max_grad_norm": 1.0}, pictures),
    "vae gaussian": (VAE, SMALL | {"ema_decay": 0.9}, points),
    "vae conv": (VAE, SMALL | {"channels": (4, 4)}, pictures),
    "beta-vae": (BetaVAE, SMALL, pictures),
    "beta-tcvae": (BetaTCVAE, SMALL, pictures),
    "aae": (AAE, SMALL, pictures),
    "gan": (GAN, SMALL, points),
    "dcgan": (DCGAN, {"batch_size": 8, "base_filters": 4, "ema_decay": 0.9}, pictures),
    "wgan-gp": (WGANGP, SMALL, points),
    "wgan-gp conv": (WGANGP, {"batch_size": 8, "base_filters": 4}, pictures),
}


def build_named(name, **how):
    """One of these models, and its data."""
    kind, settings, make = EVERY_MODEL[name]
    data = make(**how)
    return build(kind, kind.config_type(**settings), data), data


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_whole_turns_run_on_the_meta_device(name):
    """A tensor left on the CPU, or an `.item()`, would raise there."""
    learner = Learner(*build_named(name), device="meta")
    for _ in range(2):
        metrics = learner.turn()
    assert all(value.device.type == "meta" for value in metrics.values())


def test_the_meta_device_notices_waiting():
    """Negative control."""
    data = points()
    model = build(Line, ModelConfig(), data)
    loss = model.loss
    model.loss = lambda batch: Loss(loss(batch).value, {"wait": torch.tensor(batch.x.sum().item())})
    with pytest.raises(RuntimeError, match="meta"):
        Learner(model, data, device="meta").turn()


@pytest.mark.cuda
@pytest.mark.parametrize("name", EVERY_MODEL)
def test_an_epoch_stays_on_the_gpu(name):
    learner = Learner(*build_named(name, rows=400), device="cuda")
    learner.turn()  # loads kernels, fetches the first epoch's order
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            learner.turn()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.cuda
def test_a_row_waits_once_for_all_its_figures():
    model, data = build_named("vae", rows=400)
    lengths = {"segment_steps": 40, "log_every": 10, "eval_every": 0, "draw_every": 0}
    trainer = Trainer(model, data, config=RunConfig(40, **lengths), device="cuda", progress=False)
    with counted_waits() as waits:
        trainer.run(40)
    assert len(waits) <= 4 + 2  # rows, and a look at whether all is finite


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_losses_on_the_gpu_are_those_of_the_cpu(precision):
    data, losses = pictures(rows=64, size=32), {}
    for device in ("cpu", "cuda"):
        config = AEConfig(channels=(8, 8), batch_size=16, precision=precision)
        learner = Learner(build(AE, config, data), data, device=device)
        losses[device] = [learner.turn()["loss"].item() for _ in range(5)]
    tolerance = 1e-3 if precision == "float32" else 2e-2
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=tolerance)
    assert losses["cpu"][-1] < losses["cpu"][0]
