"""Every demo draws its picture, the gallery shows it, and what it teaches is there to be seen."""

import runpy
import subprocess
import sys
from pathlib import Path

import imageio.v3 as iio
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scripts" / "demos"
NAMES = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem != "picture")
QUICK = ("activations", "checkerboard", "schedules", "xor")


@pytest.fixture
def load(monkeypatch):
    """Return the names that a demo defines."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return lambda name: runpy.run_path(str(FOLDER / f"{name}.py"))


def test_the_gallery_shows_every_demo():
    page = (ROOT / "docs" / "gallery.md").read_text()
    shown = [name for name in NAMES if f"](gallery/{name}.png)" in page]
    assert shown == NAMES
    assert all((ROOT / "docs" / "gallery" / f"{name}.png").exists() for name in NAMES)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
)
def test_demos_draw_the_picture_of_the_gallery(name, tmp_path):
    out = tmp_path / "picture.png"
    command = [sys.executable, FOLDER / f"{name}.py", "--out", out]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(out)
    picture, shown = iio.imread(out), iio.imread(ROOT / "docs" / "gallery" / f"{name}.png")
    assert picture.shape == shown.shape
    assert picture.std() > 5.0


def test_other_files_than_png_are_refused(tmp_path):
    command = [sys.executable, FOLDER / "xor.py", "--out", "xor.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "--out is xor.txt: expected a .png" in done.stderr


def test_N_ACT_11_sigmoid_loses_the_gradient_and_good_pairs_keep_it(load):
    torch.manual_seed(0)
    norms = load("vanishing_gradients")["gradient_norms"]

    def ratio(activation, scheme):
        found = norms(activation, scheme)
        return found[0] / found[-1]

    assert ratio("sigmoid", None) < 1e-12
    assert ratio("sigmoid", "glorot_normal") < 1e-6
    assert 0.1 < ratio("tanh", "glorot_normal") < 10.0
    assert 0.1 < ratio("relu", "he_normal") < 10.0


def test_N_GRAD_05_gradients_vanish_or_explode_with_the_spectral_radius(load):
    torch.manual_seed(0)
    demo = load("gradients_through_time")
    norms, rnn = demo["gradient_norms"], demo["rnn"]
    assert norms(rnn(0.5))[50] < 1e-9 * norms(rnn(0.5))[0]
    assert norms(rnn(1.5))[99] > 10 * norms(rnn(1.5))[0]
    lstm = demo["LSTM"](32, 32)
    closed = norms(lstm)
    kept = norms(demo["init_"](lstm, "forget_gate"))
    assert kept[50] / kept[0] > 1e3 * closed[50] / closed[0]


@pytest.mark.slow
def test_N_OPT_16_adaptive_rates_beat_plain_descent_on_the_spirals(load):
    losses = load("optimisers")["losses"]
    ends = {
        name: losses(name, rate, 300)[-50:].mean() for name, rate in (("sgd", 1.0), ("adam", 0.1))
    }
    assert ends["adam"] < 0.5 * ends["sgd"]


def test_N_CNN_10_only_uneven_overlap_leaves_a_checkerboard(load):
    from nets import UpBlock

    for label, settings in load("checkerboard")["CASES"].items():
        block = UpBlock(1, 1, activation=None, **settings)
        for name, parameter in block.named_parameters():
            torch.nn.init.constant_(parameter, float("weight" in name))
        inside = block(torch.ones(1, 1, 8, 8))[0, 0, 2:-2, 2:-2]
        values = set(inside.flatten().tolist())
        assert values == (
            {1.0, 2.0, 4.0} if "3x3 by 2" in label else {4.0} if "4x4" in label else {9.0}
        )


def test_A_PG_01_a_baseline_keeps_the_mean_and_takes_the_variance(load):
    import numpy as np

    demo = load("reinforce_variance")
    rng = np.random.default_rng(0)
    found = {
        b: np.array([demo["gradient"](rng, 0.3, b) for _ in range(4000)]) for b in (False, True)
    }
    p = 1 / (1 + np.exp(-0.3))
    for estimates in found.values():
        error = estimates.std() / 4000**0.5
        assert estimates.mean() == pytest.approx(p * (1 - p), abs=4 * error)
    assert found[True].std() < 0.2 * found[False].std()
