"""`train-generative`, `sample` and `evaluate` on what they leave."""

import json
import re
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from command_runs import finished, interrupted
from leftovers import rows_of
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import generative
from agents.commands.evaluate import main as evaluate
from generative.commands.report import large
from generative.commands.sample import main as sample
from generative.commands.train import main as train
from generative.data.dataset import Dataset
from generative.data.parts import load_run_data
from generative.training.run import RunFolder
from nets.process.seeding import seeded
from nets.shell.main import main as dreamgym


@pytest.fixture(scope="module")
def imagined(tmp_path_factory):
    """A short run of a VAE: its home, its folder and what the command printed."""
    return finished(
        tmp_path_factory.mktemp("imagined"),
        "vae-digits-s0",
        "train_generative",
        *("vae", "digits", "--steps", 60, "--latent", 3, "--eval-every", 20),
        *("--config.hidden", 16, 12, "--config.ema-decay", 0.9),
    )


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    """A GAN that has hardly begun."""
    folder = tmp_path_factory.mktemp("ring") / "run"
    line = f"gan ring --steps 20 --limit 1500 --config.hidden 8 --run {folder}"
    assert train(line.split()) == 0
    return folder


def test_run_folder_holds_everything(imagined):
    names = {path.name for path in imagined.folder.iterdir()}
    assert names >= {
        *("config.json", "checkpoints", "best", "metrics.csv", "curve.png"),
        *("samples.png", "reconstructions.png", "traversals.png"),
    }
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert not [name for name in names if name.endswith(".tmp")]
    config = json.loads((imagined.folder / "config.json").read_text())
    assert (config["kind"], config["model"], config["shape"]) == ("generative", "vae", [1, 8, 8])
    assert config["data"]["spec"] == "digits"
    assert not any(value for name, value in config["data"].items() if name not in ("spec", "fit"))
    assert config["classes"] == list("0123456789")
    assert config["config"]["latent"] == 3
    assert config["config"]["hidden"] == [16, 12]
    assert config["run"]["eval_every"] == 20
    assert config["dataset_size"] == 1617  # a tenth of 1797 is held out
    assert config["command"][1:3] == ["vae", "digits"]
    assert set(config["versions"]) >= {"torch", "numpy", "python"}


def test_metrics_and_pictures_show_the_training(imagined):
    rows = rows_of(imagined.folder)
    assert [int(row["step"]) for row in rows if row["validation/loss"]] == [20, 40, 60]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    for name in ("samples", "reconstructions", "traversals", "curve"):
        picture = iio.imread(imagined.folder / f"{name}.png")
        assert picture.ndim == 3
        assert len(np.unique(picture)) > 20, name


def test_tensorboard_has_numbers_and_pictures(imagined):
    events = EventAccumulator(str(imagined.folder), size_guidance={"images": 0}).Reload()
    assert {"loss", "validation/elbo", "rows_per_second"} <= set(events.Tags()["scalars"])
    assert set(events.Tags()["images"]) == {"samples", "reconstructions", "traversals"}
    assert [event.step for event in events.Images("samples")] == list(range(6, 61, 6))


def test_output_tells_what_is_trained_where_it_lies_and_what_to_type_next(imagined):
    text = imagined.text
    assert "vae on digits: 1,617 rows of 1x8x8, " in text
    assert "60 steps, seed 0, cpu (1 thread)" in text
    assert "run folder: runs/vae-digits-s0" in text
    best = float(re.search(r"best held-out loss: (\S+)", text)[1])
    losses = [float(row["validation/loss"] or "inf") for row in rows_of(imagined.folder)]
    assert best == pytest.approx(min(losses), abs=1e-3)
    assert "60.0/60.0" in imagined.bar


def test_printed_commands_work_as_they_stand(imagined):
    lines = imagined.text.split("\nnext:\n")[1]
    commands = re.findall(r"^  (\S.*?)\s+# ", lines, re.MULTILINE)
    said = {}
    for command in commands:
        if "evaluate" in command or "--interpolate" in command:
            result = subprocess.run(
                command, shell=True, cwd=imagined.home, capture_output=True, text=True
            )
            assert result.returncode == 0, result.stderr
            said[Path(command.split()[1]).stem] = result.stdout
    assert "elbo " in said["evaluate"]
    assert "log_likelihood " in said["evaluate"]
    assert (imagined.folder / "interpolations.png").exists()


def test_resume_extends_a_finished_run(imagined, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(imagined.folder, "run")
    before = rows_of(tmp_path / "run")
    assert train(["--resume", "run", "--steps", "80"]) == 0
    assert "80 steps" in capsys.readouterr().out
    after = rows_of(tmp_path / "run")
    assert after[: len(before)] == before
    assert int(after[-1]["step"]) == 80
    assert train(["--resume", "run", "--steps", "70"]) == 2
    assert "steps is 70: run was started with 80, expected at least" in capsys.readouterr().err


def test_a_loaded_model_has_the_averaged_weights_and_waits_for_use(imagined):
    model = generative.load(imagined.folder)
    assert isinstance(model, generative.VAE)
    assert not model.training
    last = generative.load(imagined.folder, checkpoint="last")
    path = max((imagined.folder / "checkpoints").glob("0*.pt"))
    from nets.runs.checkpoint import load_checkpoint

    state = load_checkpoint(path)
    for name, value in last.state_dict().items():
        assert value.equal(state["average"][name])
        if value.is_floating_point():
            assert not value.equal(state["weights"][name])


def test_the_same_command_gives_the_same_run(run_in, ring, capsys):
    line = "gan ring --steps 20 --limit 1500 --config.hidden 8 --run again"
    assert train(line.split()) == 0
    assert (run_in / "again" / "metrics.csv").read_bytes() == (ring / "metrics.csv").read_bytes()
    assert train(line.split()) == 2
    assert "again already holds a run" in capsys.readouterr().err


def test_default_folders_do_not_collide(run_in, capsys):
    line = "ae ring --steps 3 --limit 100 --seed 4 --config.hidden 4"
    for _ in range(2):
        assert train(line.split()) == 0
    names = sorted(path.name for path in (run_in / "runs").iterdir())
    assert names == ["ae-ring-s4", "ae-ring-s4-2"]


def test_data_from_a_file_can_be_resumed_from_elsewhere(run_in, capsys):
    rng = np.random.default_rng(0)
    np.save("mine.npy", rng.integers(0, 256, (40, 1, 8, 8), dtype=np.uint8))
    line = "vae mine.npy --steps 4 --run r --config.hidden 4 --config.batch-size 8"
    assert train(line.split()) == 0
    (run_in / "deep").mkdir()
    import os

    os.chdir(run_in / "deep")
    assert train(["--resume", "../r", "--steps", "6"]) == 0
    written = Path("../r/config.json").read_bytes()
    np.save("../mine.npy", rng.integers(0, 256, (50, 1, 8, 8), dtype=np.uint8))
    assert train(["--resume", "../r", "--steps", "8"]) == 2
    error = capsys.readouterr().err
    assert "mine.npy" in error
    assert "its SHA-256 is" in error
    assert Path("../r/config.json").read_bytes() == written  # it was not made longer


def test_binarized_data_stay_so_in_the_run(run_in, capsys):
    line = "vae digits --binarize --steps 4 --limit 60 --run r --config.hidden 4"
    assert train(line.split()) == 0
    held_out = load_run_data(RunFolder("r").load_config())[1]
    with seeded(0):
        assert held_out.batch(slice(None)).x.unique().tolist() == [0.0, 1.0]
    assert train(["--resume", "r", "--steps", "6"]) == 0


# sample -----------------------------------------------------------------------------------------


def test_samples_are_arrays_pictures_and_films(imagined, run_in, capsys):
    folder = str(imagined.folder)
    assert sample([folder, "--n", "50", "--out", "a.npy"]) == 0
    assert sample([folder, "--n", "50", "--out", "b.npy"]) == 0
    assert sample([folder, "--n", "50", "--out", "c.npy", "--seed", "1"]) == 0
    a, b, c = (np.load(f"{name}.npy") for name in "abc")
    assert a.shape == (50, 1, 8, 8)
    assert a.min() >= 0
    assert a.max() <= 1
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    for option, stem in (("--traverse", "t"), ("--interpolate", "i")):
        for suffix in (".png", ".gif"):
            assert sample([folder, option, "--n", "5", "--out", stem + suffix]) == 0
    assert len(iio.imread("t.gif")) == 20  # eleven moments there, nine back
    assert capsys.readouterr().out.split()[-1] == "i.gif"
    assert sample([folder, "--out", "a.txt"]) == 2
    assert "a.txt: expected a name that ends in .png or .npy" in capsys.readouterr().err


def test_samples_without_room_are_refused_before_any_is_drawn(
    imagined, run_in, capsys, monkeypatch
):
    monkeypatch.setattr("nets.process.memory._whole_memory", lambda: 64 * 4 * 20)
    monkeypatch.setattr("generative.model.GenerativeModel.sample", None)
    folder = str(imagined.folder)
    assert sample([folder, "--n", "21", "--out", "a.png"]) == 2
    told = "error: n is 21: expected at most 20, as many as memory holds\n"
    assert capsys.readouterr().err == told
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    assert sample([folder, "--n", "21", "--out", "a.npy"]) == 2
    told = (
        r"error: a\.npy: 5,376 bytes of rows do not fit into .*give a smaller n, or another --out"
    )
    assert re.search(told, capsys.readouterr().err)
    assert not list(Path().glob("a.*"))


def test_samples_of_a_table_have_its_columns_units_and_kinds(run_in, capsys):
    lines = [f"{20 + k},{1.5 * k},{k % 2},{'ab'[k % 2]}" for k in range(40)]
    Path("people.csv").write_text("\n".join(["age,height,smokes,kind", *lines]))
    line = "vae people.csv --labels kind --config.conditional --steps 2 --run people"
    assert train(line.split()) == 0
    assert sample(["people", "--n", "1009"]) == 0
    header, *rows = [line.split(",") for line in Path("people/samples.csv").read_text().split()]
    assert header == ["age", "height", "smokes", "kind"]
    assert len(rows) == 1009
    for k, (age, height, smokes, kind) in enumerate(rows):
        assert 20 <= int(age) <= 59
        assert int(smokes) in (0, 1)
        assert "." in height
        assert kind == "ab"[k % 2]
    assert (
        train(["ae", "people/samples.csv", "--labels", "kind", "--steps", "1", "--run", "again"])
        == 0
    )
    assert "age, height, smokes" in capsys.readouterr().out


def test_points_are_drawn_beside_the_data(ring, run_in, capsys):
    assert sample([str(ring), "--out", "points.png"]) == 0
    assert len(np.unique(iio.imread("points.png"))) > 50
    assert sample([str(ring), "--traverse", "--out", "t.png"]) == 2
    assert "a gan of (2,) makes no pictures" in capsys.readouterr().err


# evaluate ---------------------------------------------------------------------------------------


def test_evaluate_leaves_generative_runs_to_their_own_command(ring, capsys):
    assert evaluate([str(ring), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"] == "gan"
    assert 0 <= found["modes_covered"] <= 8
    assert 0 <= found["high_quality"] <= 1
    assert dreamgym(["evaluate", str(ring), "--seed", "0"]) == 0
    text = capsys.readouterr().out
    assert f"modes_covered       {found['modes_covered']:>12.4f}  of 8" in text


def test_evaluate_measures_the_code_where_factors_are_known(run_in, capsys):
    line = "vae sprites:shape,x=::8,y=::8 --size 16 --steps 5 --latent 3 --run r"
    assert train([*line.split(), "--config.hidden", "8", "--config.encoder", "mlp"]) == 0
    capsys.readouterr()
    assert evaluate(["r", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = ("mig_chen", "mig_locatello", "factor_vae", "dci_disentanglement", "dci_completeness")
    for name in (*names, "dci_informativeness"):
        assert 0 <= found[name] <= 1
    assert found["log_likelihood"] >= found["elbo"] - 1


# Endings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGHUP])
def test_signals_that_end_it_save_and_say_how_to_go_on(tmp_path, by):
    arguments = ("vae", "digits", "--steps", "100000", "--config.hidden", "8")
    out = interrupted("train_generative", *arguments, folder=tmp_path / "r", by=by)
    assert re.search(r"interrupted at step [\d,]+; to go on from the last checkpoint:\n", out)
    assert "train_generative.py --resume r" in out


def test_divergence_is_told_in_one_line(run_in, capsys):
    line = "ae ring --limit 200 --steps 200 --run r --config.hidden 8"
    assert train([*line.split(), "--config.learning-rate", "1e30"]) == 2
    out, err = capsys.readouterr()
    assert re.fullmatch(
        r"error: the loss of the autoencoder is (nan|inf) at step \d+; try a smaller "
        r"learning_rate or a (smaller )?max_grad_norm",
        err.splitlines()[-1],
    )
    assert out.endswith("\nnothing had been saved in r before that: begin with other settings\n")


def test_large_pictures_are_told_what_smaller_ones_would_save():
    frames = Dataset("frames", torch.zeros(2, 3, 320, 160, dtype=torch.uint8))
    said = "frames: 320x160 pixels; --size 64 makes 12 times less work of a step"
    assert list(large(frames)) == [said]
    assert not list(large(replace(frames, x=frames.x[..., :128, :128])))
