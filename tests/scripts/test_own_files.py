"""`train-generative`, `sample` and `evaluate` on people's own photos, tables and labels."""

import csv
import json
import shutil

import imageio.v3 as iio
import numpy as np
import pytest
from PIL import Image

from generative.commands.evaluate import main as evaluate
from generative.commands.export import main as export
from generative.commands.sample import main as sample
from generative.commands.train import main as train
from generative.data.load import load_dataset

BRIEF = ("--steps", "4", "--config.hidden", "8")
RNG = np.random.default_rng(0)


def test_photos_of_mixed_kinds_work_at_once_and_it_is_said_what_was_done(run_in, capsys):
    exif = Image.Exif()
    exif[0x0112] = 8
    (run_in / "photos" / "deeper").mkdir(parents=True)
    for k, size in enumerate([(40, 30), (30, 40), (64, 64), (90, 50)] * 3):
        Image.effect_noise(size, 90).convert("RGB").save(
            run_in / "photos" / "deeper" / f"{k}.jpg", exif=exif if k == 1 else Image.Exif()
        )
    Image.fromarray(np.full((20, 20), 30_000, np.uint16)).save(run_in / "photos" / "x.tif")
    (run_in / "photos" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    line = ("vae", "photos", "--run", "r", "--size", "8x16", "--fit", "crop")
    assert train([*line, *BRIEF, "--config.encoder", "mlp"]) == 0
    text = capsys.readouterr().out
    assert "13 pictures taken, 1 skipped: 1 damaged (torn.png:" in text
    assert "pixels (height x width), cropped to 8x16" in text
    assert "1 turned upright, as EXIF says" in text
    assert "rows of 3x8x16" in text
    shutil.rmtree("photos")
    for options in ([], ["--traverse"], ["--interpolate"], ["--out", "s.npy"]):
        assert sample(["r", "--n", "4", *options]) == 0
    assert "showing samples alone" in capsys.readouterr().err
    assert iio.imread("r/samples.png").ndim == 3
    assert np.load("s.npy").shape == (4, 3, 8, 16)
    assert evaluate(["r"]) == 2
    assert train(["--resume", "r", "--steps", "8"]) == 2


def test_a_table_comes_back_in_its_units(run_in, capsys):
    rows = np.column_stack([RNG.normal(300, 20, 60), RNG.normal(0.01, 0.001, 60)])
    text = "".join(f"{a},{b},{'xy'[k % 2]}\n" for k, (a, b) in enumerate(rows))
    (run_in / "t.csv").write_text(f"height,mass,label\n{text}")
    assert train(["vae", "t.csv", "--run", "r", *BRIEF]) == 0
    assert "t.csv: 2 columns, standardised: height, mass" in capsys.readouterr().out
    (run_in / "t.csv").unlink()
    assert sample(["r", "--n", "200"]) == 0
    assert capsys.readouterr().out == "r/samples.csv\n"
    with (run_in / "r" / "samples.csv").open() as file:
        head, *lines = csv.reader(file)
    assert head == ["height", "mass"]
    values = np.array(lines, float)
    assert values.shape == (200, 2)
    assert abs(values[:, 0].mean() - 300) < 60
    assert abs(values[:, 1].mean() - 0.01) < 0.003
    assert sample(["r", "--n", "200", "--out", "t.npy"]) == 0
    np.testing.assert_allclose(np.load("t.npy"), values, rtol=1e-12)
    assert sample(["r", "--out", "plane.png"]) == 0  # points alone
    assert export(["r"]) == 0
    assert "x is standardised, (value - mean)/std, of the columns height, mass:\n  mean  [" in (
        capsys.readouterr().out
    )


def test_classes_on_the_command_line_and_beside_the_samples(run_in, capsys):
    line = "dcgan digits --run r --steps 2 --limit 100 --held-out 0 --size 8"
    assert train([*line.split(), "--config.conditional", "--config.base-filters", "4"]) == 0
    assert sample(["r", "--n", "25", "--out", "a.npy"]) == 0
    back = load_dataset("a.npy")
    assert back.labels.tolist() == [k % 10 for k in range(25)]
    assert sample(["r", "--n", "5", "--label", "3", "--out", "b.npy"]) == 0
    assert np.load("b_labels.npy").tolist() == [3] * 5
    assert sample(["r", "--n", "5", "--label", "3"]) == 0
    capsys.readouterr()
    assert sample(["r", "--label", "12"]) == 2
    assert "unknown class '12'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shape", "written"), [((2, 5, 6), "samples.npy"), ((3,), "samples.csv")], ids=str
)
def test_what_cannot_be_drawn_is_trained_and_sampled_all_the_same(run_in, capsys, shape, written):
    np.save("x.npy", RNG.random((20, *shape)))
    assert train(["vae", "x.npy", "--run", "r", *BRIEF]) == 0
    assert "samples.png" not in capsys.readouterr().out
    assert sample(["r", "--n", "3"]) == 0
    assert capsys.readouterr().out == f"r/{written}\n"
    assert sample(["r", "--out", "x.png"]) == 2
    assert "neither pictures of 1 or 3 channels nor points" in capsys.readouterr().err


@pytest.mark.parametrize("labels", [[0, 0, 0, 1], None])
def test_what_does_not_suit_the_data_does_not_end_evaluate(run_in, capsys, labels):
    """Of two rows none has three neighbours beside it."""
    rows = {} if labels is None else {"y": labels}
    np.savez("x.npz", x=RNG.integers(256, size=(4, 8, 8), dtype=np.uint8), **rows)
    assert train(["vae", "x.npz", "--run", "r", "--held-out", "0.4", *BRIEF]) == 0
    capsys.readouterr()
    assert evaluate(["r", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["nearest_datum"] > 0
    assert found["precision"] is None
    assert "expected more rows" in found["not_applicable"]["precision"]
    assert evaluate(["r"]) == 0
    assert "precision           not applicable  " in capsys.readouterr().out
    np.savez("x.npz", x=RNG.integers(256, size=(4, 8, 8), dtype=np.uint8), **rows)
    with pytest.warns(UserWarning, match="is not what .* rows held out now may have been trained"):
        assert evaluate(["r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nearest_datum"] > 0
