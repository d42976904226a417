"""The trainer: whose gradient, which rows, what is written, and what never happens."""

import csv
import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from generative.autoencoders import (
    AAE,
    AE,
    VAE,
    AAEConfig,
    AEConfig,
    BetaTCVAE,
    BetaTCVAEConfig,
    BetaVAE,
    BetaVAEConfig,
    VAEConfig,
)
from generative.dataset import Dataset
from generative.epochs import Epochs
from generative.gans import DCGAN, GAN, WGANGP, DCGANConfig, GANConfig, WGANGPConfig
from generative.model import GenerativeModel, Loss, ModelConfig, Player
from generative.optimisation import PlayerOptimiser, learning_rate, mixed_precision
from generative.run import RunConfig, RunFolder
from generative.trainer import Diverged, Trainer
from nets.training.checkpoint import load_checkpoint
from nets.training.seeding import seeded

SMALL = {"hidden": (16,), "batch_size": 8}


def pictures(rows=40, size=8, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(0, 256, (rows, 1, size, size), generator=generator, dtype=torch.uint8)
    return Dataset("pictures", x)


def points(rows=40, seed=0):
    return Dataset("points", torch.randn(rows, 2, generator=torch.Generator().manual_seed(seed)))


def build(kind, config=None, data=None, seed=0):
    data = pictures() if data is None else data
    with seeded(seed):
        return kind(data.shape, config, dataset_size=len(data))


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


class Line(GenerativeModel):
    """The mean of the data: loss ½ E‖x − θ‖², whose steps can be computed by hand."""

    name = "line"
    config_type = ModelConfig

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.theta = nn.Parameter(torch.zeros(self.shape))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.validated = []

    def players(self):
        return (Player("line", self, self.loss),)

    def loss(self, batch):
        self.seen += 1
        return Loss(0.5 * (batch.x - self.theta).square().sum(1).mean(), {})

    def sample(self, n, label=None):
        return self.theta.detach().expand(n, -1)

    def validate(self, batch):
        return {"loss": (batch.x - self.theta).square().sum(1).mean()}


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
    Trainer(model, data, seed=5, device="cpu", progress=False).run(12)

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
    trainer = Trainer(model, data, device="cpu", progress=False)
    calls = []
    for player in trainer.players:
        step, name = player.step, player.player.name

        def record(batch, rate, step=step, name=name):
            calls.append((name, batch.x))
            return step(batch, rate)

        player.step = record
    trainer.run(2)
    assert [name for name, _ in calls] == (["discriminator"] * 3 + ["generator"]) * 2
    rows = torch.cat([x for name, x in calls if name == "discriminator"][:5])  # one epoch
    assert len(rows.unique(dim=0)) == 40


def test_clipping_bounds_the_global_norm_of_the_gradient():
    data = points()
    config = ModelConfig(batch_size=40, max_grad_norm=0.01, betas=(0.5, 0.999))
    model = build(Line, config, data)
    trainer = Trainer(model, data, device="cpu", progress=False)
    metrics = trainer.turn()
    assert metrics["grad_norm"].item() == pytest.approx(data.x.mean(0).norm().item(), rel=1e-5)
    moment = trainer.players[0].optimiser.state[model.theta]["exp_avg"]
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


def test_the_optimiser_uses_the_scheduled_learning_rate():
    data = points()
    model = build(Line, ModelConfig(learning_rate=0.1, warmup_steps=10), data)
    trainer = Trainer(model, data, device="cpu", progress=False)
    trainer.turn()
    # Adam's first step is the learning rate, whatever the gradient
    torch.testing.assert_close(
        model.theta.abs().detach(), torch.full((2,), 0.01), rtol=1e-4, atol=0
    )


def test_averaged_weights_trail_behind_with_buffers():
    data = points()
    model = build(Line, ModelConfig(batch_size=8, ema_decay=0.75), data)
    trainer = Trainer(model, data, device="cpu", progress=False)
    expected, floating = model.theta.detach().clone(), []
    for _ in range(6):
        trainer.turn()
        expected = 0.75 * expected + 0.25 * model.theta.detach()
        floating.append(trainer.trained.theta.clone())
    assert trainer.trained is not model
    torch.testing.assert_close(trainer.trained.theta, expected)
    assert trainer.trained.seen == 6  # integers are copied
    assert not torch.equal(floating[-1], model.theta)


def test_averages_include_the_statistics_of_batch_norm():
    data = pictures()
    model = build(DCGAN, DCGANConfig(batch_size=8, base_filters=4, ema_decay=0.5), data)
    trainer = Trainer(model, data, device="cpu", progress=False)
    name = next(n for n, _ in model.generator.named_buffers() if n.endswith("running_var"))
    expected = model.generator.get_buffer(name).clone()
    for _ in range(3):
        trainer.turn()
        expected = 0.5 * expected + 0.5 * model.generator.get_buffer(name)
    torch.testing.assert_close(trainer.trained.generator.get_buffer(name), expected)


# Precision and layout ---------------------------------------------------------------------------


def test_bfloat16_computes_losses_near_those_of_float32_on_float32_weights():
    data, losses = pictures(size=16), {}
    for precision in ("float32", "bfloat16"):
        model = build(VAE, VAEConfig(**SMALL, channels=(8, 8), precision=precision), data)
        trainer = Trainer(model, data, device="cpu", progress=False)
        with seeded(1):
            losses[precision] = trainer.turn()["loss"]
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
    monkeypatch.setattr("generative.optimisation.has_bfloat16", lambda device: fast)
    context = mixed_precision(ModelConfig(precision=precision), torch.device("cpu"), shape)
    with context():
        assert torch.is_autocast_enabled("cpu") == halved


def test_convolutions_are_trained_channels_last():
    data = Dataset("colour", torch.randint(0, 256, (16, 3, 16, 16), dtype=torch.uint8))
    model = build(VAE, VAEConfig(**SMALL, channels=(4, 8)), data)
    seen = []
    trainer = Trainer(model, data, device="cpu", progress=False)
    loss = trainer.players[0].loss.loss
    trainer.players[0].loss.loss = lambda batch: seen.append(batch.x) or loss(batch)
    trainer.run(1)
    assert seen[0].is_contiguous(memory_format=torch.channels_last)
    assert not seen[0].is_contiguous()
    kernels = [m.weight for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert kernels
    assert all(k.is_contiguous(memory_format=torch.channels_last) for k in kernels)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")  # the compiler's own habits
def test_compiled_training_has_the_same_keys_and_nearly_the_same_losses():
    data, rows = pictures(), {}
    for compiled in (False, True):
        config = VAEConfig(**SMALL, compile=compiled)
        model = build(VAE, config, data)
        model.posterior = lambda x, m=model: (m.encoder(x)[:, :10], torch.full((len(x), 10), -20.0))
        trainer = Trainer(model, data, device="cpu", progress=False)
        with seeded(2):
            rows[compiled] = [trainer.turn()["loss"].item() for _ in range(4)]
        assert not any("_orig_mod" in name for name in model.state_dict())
    assert rows[True] == pytest.approx(rows[False], rel=1e-3)


# No waiting for the device ----------------------------------------------------------------------

EVERY_MODEL = {
    "ae": (AE, AEConfig(**SMALL), pictures),
    "ae vectors": (AE, AEConfig(**SMALL), points),
    "vae": (VAE, VAEConfig(**SMALL, kl_warmup_steps=5, max_grad_norm=1.0), pictures),
    "vae gaussian": (VAE, VAEConfig(**SMALL, ema_decay=0.9), points),
    "vae conv": (VAE, VAEConfig(**SMALL, channels=(4, 4)), pictures),
    "beta-vae": (BetaVAE, BetaVAEConfig(**SMALL), pictures),
    "beta-tcvae": (BetaTCVAE, BetaTCVAEConfig(**SMALL), pictures),
    "aae": (AAE, AAEConfig(**SMALL), pictures),
    "gan": (GAN, GANConfig(**SMALL), points),
    "dcgan": (DCGAN, DCGANConfig(batch_size=8, base_filters=4, ema_decay=0.9), pictures),
    "wgan-gp": (WGANGP, WGANGPConfig(**SMALL), points),
    "wgan-gp conv": (WGANGP, WGANGPConfig(batch_size=8, base_filters=4), pictures),
}


@pytest.mark.parametrize("name", EVERY_MODEL)
def test_whole_turns_run_on_the_meta_device(name):
    """A tensor left on the CPU, or an `.item()`, would raise there."""
    kind, config, make = EVERY_MODEL[name]
    data = make()
    trainer = Trainer(build(kind, config, data), data, device="meta", progress=False)
    for _ in range(2):
        metrics = trainer.turn()
    assert all(value.device.type == "meta" for value in metrics.values())


def test_the_meta_device_notices_waiting():
    """Negative control."""
    data = points()
    model = build(Line, ModelConfig(), data)
    loss = model.loss
    model.loss = lambda batch: Loss(loss(batch).value, {"wait": torch.tensor(batch.x.sum().item())})
    with pytest.raises(RuntimeError, match="meta"):
        Trainer(model, data, device="meta", progress=False).turn()


@pytest.mark.cuda
@pytest.mark.parametrize("name", EVERY_MODEL)
def test_an_epoch_stays_on_the_gpu(name):
    kind, config, make = EVERY_MODEL[name]
    data = make(rows=400)
    trainer = Trainer(build(kind, config, data), data, device="cuda", progress=False)
    trainer.turn()  # loads kernels, fetches the first epoch's order
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(5):
            trainer.turn()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.cuda
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_losses_on_the_gpu_are_those_of_the_cpu(precision):
    data, losses = pictures(rows=64, size=32), {}
    for device in ("cpu", "cuda"):
        config = AEConfig(channels=(8, 8), batch_size=16, precision=precision)
        trainer = Trainer(build(AE, config, data), data, device=device, progress=False)
        losses[device] = [trainer.turn()["loss"].item() for _ in range(5)]
    tolerance = 1e-3 if precision == "float32" else 2e-2
    assert losses["cuda"] == pytest.approx(losses["cpu"], rel=tolerance)
    assert losses["cpu"][-1] < losses["cpu"][0]


# Rows, evaluations, ends ------------------------------------------------------------------------


def read_rows(run):
    with run.metrics_file.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_hold_means_of_the_steps_since_the_last(tmp_path):
    data, run = points(), RunFolder(tmp_path)
    config = RunConfig(steps=10, segment_steps=5, log_every=3, eval_every=0, draw_every=0)
    model, losses = build(Line, ModelConfig(batch_size=8), data), []
    trainer = Trainer(model, data, run, config, device="cpu", progress=False)
    turn = trainer.turn
    trainer.turn = lambda: losses.append(turn()) or losses[-1]
    trainer.run(10)
    rows = read_rows(run)
    assert [int(row["step"]) for row in rows] == [3, 5, 6, 9, 10]  # segments end at 5 and 10
    means = [losses[a:b] for a, b in ((0, 3), (3, 5), (5, 6), (6, 9), (9, 10))]
    for row, part in zip(rows, means, strict=True):
        assert float(row["loss"]) == pytest.approx(sum(m["loss"].item() for m in part) / len(part))


def test_held_out_rows_are_measured_and_the_best_weights_kept(tmp_path):
    data, held_out, run = points(), points(rows=8, seed=9), RunFolder(tmp_path)
    config = RunConfig(steps=30, segment_steps=30, log_every=10, eval_every=10, draw_every=0)
    model = build(Line, ModelConfig(batch_size=40, learning_rate=0.5), data)
    theta = []
    draw = lambda m, rows: theta.append(m.theta.detach().clone()) or {}  # noqa: E731
    config = replace(config, draw_every=10)
    Trainer(
        model, data, run, config, held_out=held_out, device="cpu", draw=draw, progress=False
    ).run(30)
    expected = [(held_out.x - t).square().sum(1).mean().item() for t in theta[:3]]
    got = [float(row["validation/loss"]) for row in read_rows(run)]
    assert got == pytest.approx(expected, rel=1e-5)
    best = load_checkpoint(run.files.best)
    assert best["loss"] == pytest.approx(min(expected), rel=1e-5)
    assert torch.equal(best["weights"]["theta"], theta[expected.index(min(expected))])


def test_looking_at_the_model_leaves_training_as_it_was():
    data, ends = pictures(), []
    for config in (
        RunConfig(steps=20, segment_steps=10, log_every=5, eval_every=0, draw_every=0),
        RunConfig(steps=20, segment_steps=10, log_every=3, eval_every=2, draw_every=7),
    ):
        model = build(VAE, VAEConfig(**SMALL), data)
        trainer = Trainer(
            model,
            data,
            config=config,
            held_out=pictures(seed=1),
            device="cpu",
            draw=lambda m, rows: dict(enumerate(m.sample(len(rows)))),
            progress=False,
        )
        trainer.run(20)
        ends.append(weights(model))
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_training_stops_when_the_held_out_loss_is_no_longer_better():
    data = points()
    config = RunConfig(steps=500, segment_steps=100, log_every=10, eval_every=10, draw_every=0)
    model = build(Line, ModelConfig(patience=3, learning_rate=1e-9), data)
    losses = iter([9.0, 5.0, 4.0, 4.0, 4.5, 3.0, 3.5, 3.0, 3.1, 1.0])
    model.validate = lambda batch: {"loss": torch.tensor(next(losses))}
    trainer = Trainer(model, data, config=config, held_out=data, device="cpu", progress=False)
    trainer.run(500)
    assert (trainer.steps, trainer.best_loss, trainer.stopped) == (80, 3.0, True)


@pytest.mark.parametrize(("kind", "held_out"), [(GAN, points()), (Line, None)])
def test_patience_needs_a_held_out_loss(kind, held_out):
    config = replace(kind.config_type(), patience=2)
    with pytest.raises(ValueError, match="patience is 2, but of held-out rows there is no loss of"):
        Trainer(build(kind, config, points()), points(), held_out=held_out, device="cpu")


class Breaking(Line):
    """Diverges at a step of choice."""

    def loss(self, batch):
        loss = super().loss(batch)
        factor = torch.where(self.seen == 14, math.nan, 1.0)
        return Loss(loss.value * factor, {})


def test_a_loss_that_is_not_finite_stops_training_and_names_player_and_step(tmp_path):
    data, run = points(), RunFolder(tmp_path)
    config = RunConfig(steps=40, segment_steps=5, log_every=5, eval_every=0, draw_every=0)
    model = build(Breaking, ModelConfig(), data)
    with pytest.raises(Diverged, match="loss of the line is nan at step 14"):
        Trainer(model, data, run, config, device="cpu", progress=False).run(40)
    assert run.files.list()[-1].stem == "0000000010"
    assert load_checkpoint(run.files.list()[-1])["weights"]["theta"].isfinite().all()
    assert [int(row["step"]) for row in read_rows(run)] == [5, 10]


def test_weights_that_are_not_finite_are_never_saved(tmp_path):
    data, run = points(), RunFolder(tmp_path)
    config = RunConfig(steps=10, segment_steps=5, log_every=5, eval_every=0, draw_every=0)
    model = build(Line, ModelConfig(), data)
    trainer = Trainer(model, data, run, config, device="cpu", progress=False)
    turn = trainer.turn

    def turn_then_break():
        metrics = turn()
        if trainer.steps == 10:
            model.theta.data.fill_(math.inf)
        return metrics

    trainer.turn = turn_then_break
    with pytest.raises(Diverged, match="weights of the line are not finite after step 10"):
        trainer.run(10)
    assert [file.stem for file in run.files.list()] == ["0000000005"]
