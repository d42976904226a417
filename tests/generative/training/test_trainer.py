"""The trainer: what is written, measured and kept, and when it ends."""

import math
from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from known_models import SMALL, Line, build, pictures, points, weights
from leftovers import rows_of

from generative.autoencoders.config import VAEConfig
from generative.autoencoders.variational import VAE
from generative.data.stored import in_a_file
from generative.gans.minimax import GAN
from generative.model import Loss, ModelConfig
from generative.training.run import RunConfig, RunFolder
from generative.training.trainer import Diverged, Trainer
from nets.process.distributed import Team
from nets.runs.checkpoint import CheckpointError, load_checkpoint, save_checkpoint

# Rows, evaluations, ends ------------------------------------------------------------------------


def test_rows_hold_means_of_the_steps_since_the_last(tmp_path):
    data, run = points(), RunFolder(tmp_path)
    config = RunConfig(steps=10, segment_steps=5, log_every=3, eval_every=0, draw_every=0)
    model, losses = build(Line, ModelConfig(batch_size=8), data), []
    trainer = Trainer(model, data, run, config, device="cpu", progress=False)
    turn = trainer.learner.turn
    trainer.learner.turn = lambda: losses.append(turn()) or losses[-1]
    trainer.run(10)
    rows = rows_of(run.path)
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
    got = [float(row["validation/loss"]) for row in rows_of(run.path)]
    assert got == pytest.approx(expected, rel=1e-5)
    best = load_checkpoint(run.files.best)
    assert best["loss"] == pytest.approx(min(expected), rel=1e-5)
    assert torch.equal(best["weights"]["theta"], theta[expected.index(min(expected))])


def test_the_best_weights_are_kept_where_later_ones_are_worse(tmp_path):
    """Of three evaluations the second is the best: its averaged weights, not the last ones."""
    data, run = points(), RunFolder(tmp_path)
    config = RunConfig(steps=30, segment_steps=30, log_every=10, eval_every=10, draw_every=0)
    model = build(Line, ModelConfig(batch_size=8, ema_decay=0.9, learning_rate=0.1), data)
    trainer = Trainer(model, data, run, config, held_out=data, device="cpu", progress=False)
    losses, last, averaged = iter([4.0, 3.0, 5.0]), [], []

    def validate(batch):
        last.append(weights(trainer.model))
        averaged.append(weights(trainer.trained))
        return {"loss": torch.tensor(next(losses))}

    trainer.trained.validate = validate
    trainer.run(30)
    best = load_checkpoint(run.files.best)
    assert (best["loss"], best["step"]) == (3.0, 20)
    assert torch.equal(best["weights"]["theta"], averaged[1]["theta"])
    assert not torch.equal(last[1]["theta"], averaged[1]["theta"])


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


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
@pytest.mark.parametrize("look", ["eval_every", "draw_every"])
def test_the_model_is_looked_at_in_evaluation_mode_and_goes_on_in_training_mode(look, ema_decay):
    data, trained, seen = points(), [], []
    config = RunConfig(steps=6, segment_steps=6, log_every=6, eval_every=0, draw_every=0)
    model = build(Line, ModelConfig(ema_decay=ema_decay), data)
    trainer = Trainer(
        *(model, data, None, replace(config, **{look: 2})),
        held_out=data,
        device="cpu",
        draw=lambda m, rows: seen.append(m.training) or {},
        progress=False,
    )
    turn = trainer.learner.turn
    trainer.learner.turn = lambda: trained.append(model.training) or turn()
    trainer.trained.validate = lambda batch: seen.append(trainer.trained.training) or {}
    trainer.run(6)
    assert trained == [True] * 6
    assert seen == [False] * 3


class Noisy(Line):
    """Notes down the noise that each of its steps draws."""

    def loss(self, batch):
        self.drawn.append(torch.rand(()).item())
        return super().loss(batch)


def test_every_segment_and_every_process_has_noise_of_its_own():
    data, drawn = points(), {}
    config = RunConfig(steps=6, segment_steps=2, log_every=6, eval_every=0, draw_every=0)
    for name, seed, rank in (("first", 0, 0), ("again", 0, 0), ("process", 0, 1), ("seed", 1, 0)):
        model = build(Noisy, ModelConfig(), data)
        model.drawn = drawn[name] = []
        trainer = Trainer(model, data, None, config, seed=seed, device="cpu", progress=False)
        trainer.team = Team(rank)
        trainer.run(6)
    assert drawn["first"] == drawn.pop("again")
    assert len({number for numbers in drawn.values() for number in numbers}) == 3 * 6


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
    assert [int(row["step"]) for row in rows_of(run.path)] == [5, 10]


def moment(trainer):
    return trainer.learner.optimisers[0].adam.state[trainer.model.theta]["exp_avg_sq"]


BROKEN = {
    "weights.theta": lambda trainer: trainer.model.theta.data,
    "average.theta": lambda trainer: trainer.trained.theta.data,
    "optimisers.line.state.0.exp_avg_sq": moment,
}


@pytest.mark.parametrize("eval_every", [0, 10])
@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_finite_is_never_saved(tmp_path, name, eval_every):
    data, run = points(), RunFolder(tmp_path)
    cut = {"segment_steps": 5, "log_every": 5, "eval_every": eval_every, "draw_every": 0}
    config = RunConfig(steps=10, **cut)
    model = build(Line, ModelConfig(ema_decay=0.9), data)
    model.validate = lambda batch: {"loss": torch.tensor(1.0)}
    trainer = Trainer(model, data, run, config, held_out=data, device="cpu", progress=False)
    turn = trainer.learner.turn

    def turn_then_break():
        metrics = turn()
        if trainer.steps == 10:
            BROKEN[name](trainer).fill_(math.inf)
        return metrics

    trainer.learner.turn = turn_then_break
    with pytest.raises(Diverged, match=f"^{name} is not finite after step 10; try a smaller learn"):
        trainer.run(10)
    assert [file.stem for file in run.files.list()] == ["0000000005"]
    assert not run.files.best.exists()


@pytest.mark.parametrize("patience", [0, 9])
@pytest.mark.parametrize("loss", [math.inf, -math.inf, math.nan])
def test_a_held_out_loss_that_is_not_finite_stops_training(tmp_path, patience, loss):
    data, run = points(), RunFolder(tmp_path)
    config = RunConfig(steps=40, segment_steps=40, log_every=10, eval_every=10, draw_every=0)
    model = build(Line, ModelConfig(patience=patience), data)
    losses = iter([5.0] * (patience > 0) + [3.0, loss])
    model.validate = lambda batch: {"loss": torch.tensor(next(losses))}
    trainer = Trainer(model, data, run, config, held_out=data, device="cpu", progress=False)
    with pytest.raises(Diverged, match=f"the held-out loss is {loss} at step 20"):
        trainer.run(40)
    assert trainer.best_loss == 3.0
    best = load_checkpoint(run.files.best)
    assert (best["step"], best["loss"]) == (10, 3.0)


def test_the_best_weights_are_kept_in_memory_where_nothing_is_written(tmp_path):
    data, ends = points(), []
    config = RunConfig(steps=30, segment_steps=30, log_every=10, eval_every=10, draw_every=0)
    for run in (None, RunFolder(tmp_path)):
        model = build(Line, ModelConfig(batch_size=8, ema_decay=0.9, learning_rate=0.1), data)
        trainer = Trainer(model, data, run, config, held_out=data, device="cpu", progress=False)
        with pytest.raises(ValueError, match="no held-out loss has been measured"):
            trainer.best()
        losses, seen = iter([4.0, 3.0, 5.0]), []

        def validate(batch, losses=losses, seen=seen, trainer=trainer):
            seen.append(weights(trainer.trained))
            return {"loss": torch.tensor(next(losses))}

        trainer.trained.validate = validate
        trainer.run(30)
        best = trainer.best()
        assert torch.equal(best.theta, seen[1]["theta"])
        assert not best.training
        ends.append(weights(best))
    assert torch.equal(ends[0]["theta"], ends[1]["theta"])


@pytest.mark.parametrize("kept", ["in memory", "in a file"])
@pytest.mark.parametrize("part", ["train", "held out", "none held out", "first held out"])
def test_a_run_is_gone_on_with_on_its_own_rows_alone(tmp_path, part, kept):
    data, others = points(), points(seed=1)
    if kept == "in a file":
        data, others = (replace(d, x=in_a_file(d.name, [d.x], d.x.shape, d.x.dtype)) for d in
                        (data, others))  # fmt: skip
    config = RunConfig(steps=4, segment_steps=4, log_every=4, eval_every=0, draw_every=0)
    which = "train" if part == "train" else "held out"
    for rows in (data, others):
        train, held_out = (rows, data) if part == "train" else (data, rows)
        if part == ("none held out" if rows is others else "first held out"):
            held_out = None
        model = build(Line, ModelConfig(batch_size=8), data)
        trainer = Trainer(model, train, RunFolder(tmp_path), config, held_out=held_out,
                          device="cpu", progress=False)  # fmt: skip
        if rows is others:
            with pytest.raises(CheckpointError, match=rf"is of another run.*rows\.{which} is"):
                trainer.run(8)
        else:
            trainer.run(4)


def test_a_checkpoint_that_is_not_finite_is_not_gone_on_from(tmp_path):
    """As a program left it that did not look."""
    data, run = points(), RunFolder(tmp_path)
    config = RunConfig(steps=10, segment_steps=5, log_every=5, eval_every=0, draw_every=0)
    model = build(Line, ModelConfig(), data)
    Trainer(model, data, run, config, device="cpu", progress=False).run(10)
    last = run.files.list()[-1]
    state = load_checkpoint(last)
    state["weights"]["theta"].fill_(math.nan)
    save_checkpoint(last, state)
    with pytest.warns(UserWarning, match=f"{last.name} .*weights.theta is not finite; going on"):
        Trainer(model, data, run, config, device="cpu", progress=False).run(10)
    assert load_checkpoint(last)["weights"]["theta"].isfinite().all()


@pytest.mark.parametrize("damaged", [True, False])
def test_a_best_that_is_gone_is_told_at_once_and_made_again(tmp_path, damaged):
    data, run = pictures(), RunFolder(tmp_path)
    config = RunConfig(steps=10, segment_steps=5, log_every=5, eval_every=5, draw_every=0)

    def train(steps):
        model = build(VAE, VAEConfig(**SMALL), data)
        settings = {"held_out": data, "device": "cpu", "progress": False}
        Trainer(model, data, run, config, **settings).run(steps)

    train(10)
    run.files.best.write_bytes(b"") if damaged else run.files.best.unlink()
    with pytest.warns(UserWarning, match=r"best/checkpoint\.pt .*; the next evaluation") as told:
        train(15)
    assert len(told) == 1
    assert load_checkpoint(run.files.best)["step"] == 15


def test_without_a_folder_training_goes_on_from_where_it_stopped_with_new_noise():
    data = pictures()
    config = RunConfig(steps=10, segment_steps=10, log_every=1, eval_every=0, draw_every=0)
    model = build(VAE, VAEConfig(**SMALL), data)
    trainer = Trainer(model, data, None, config, device="cpu", progress=False)
    turn = trainer.learner.turn

    def stop():
        if trainer.steps == 4:
            raise KeyboardInterrupt
        return turn()

    trainer.learner.turn = stop
    with pytest.raises(KeyboardInterrupt) as told:
        trainer.run(10)
    where = "the next call goes on from there, with new noise"
    assert told.value.__notes__ == [f"vae on {data.name} was interrupted at step 4; {where}"]
    assert (trainer.steps, trainer.segment) == (4, 1)
    trainer.learner.turn = turn
    trainer.run(10)
    assert (trainer.steps, trainer.segment) == (10, 2)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_stopped_before_the_first_checkpoint_a_run_begins_anew(tmp_path, error):
    data, ends = pictures(), []
    config = RunConfig(steps=30, segment_steps=20, log_every=3, eval_every=5, draw_every=0)
    for name, stops in (("whole", []), ("run", [8, 14])):
        model, run = build(VAE, VAEConfig(**SMALL), data), RunFolder(tmp_path / name)
        trainer = Trainer(model, data, run, config, held_out=data, device="cpu", progress=False)
        turn = trainer.learner.turn

        def turn_or_stop(trainer=trainer, turn=turn, stops=stops):
            if stops and trainer.steps == stops[0]:
                stops.pop(0)
                raise error
            return turn()

        trainer.learner.turn = turn_or_stop
        while trainer.steps < 30:
            with suppress(error):
                trainer.run(30)
        ends.append((weights(model), trainer.best_loss, run.metrics_file.read_bytes()))
    (whole, *figures), (again, *others) = ends
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert figures == others


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            lambda model, rows: Trainer(model, rows, "folder"),
            "run is 'folder': expected a RunFolder",
        ),
        (lambda model, rows: Trainer("vae", rows), "model is 'vae': expected a GenerativeModel"),
        (
            lambda model, rows: Trainer(model, torch.zeros(5, 2)),
            r"data is .*expected rows, as load_",
        ),
        (
            lambda model, rows: Trainer(model, rows, held_out=[1, 2]),
            r"held_out is \[1, 2\]: expected rows",
        ),
    ],
)
def test_what_is_no_part_of_a_training_is_refused(given, message):
    model, rows = build(VAE), points()
    with pytest.raises(TypeError, match=message):
        given(model, rows)
