"""Every demo draws its picture, the gallery shows it, and what it teaches is there to be seen."""

import re
import runpy
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
import torch.nn.functional as F

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "scripts" / "demos"
NAMES = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem not in ("begin", "picture"))
QUICK = ("activations", "checkerboard", "constant_slope", "schedules", "xor")


@pytest.fixture
def load(monkeypatch):
    """Return the names that a demo defines."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return lambda name: runpy.run_path(str(FOLDER / f"{name}.py"))


@pytest.fixture
def panels(load):
    """Return the panels that a demo draws."""

    def draw(name):
        torch.manual_seed(0)
        return load(name)["draw"]().axes

    return draw


def coarse(picture):
    """The mean greys of cells of 16x16 pixels: what fonts and the last bits do not change."""
    grey = picture[..., :3].mean(-1)
    height, width = (side // 16 for side in grey.shape)
    cells = grey[: 16 * height, : 16 * width].reshape(height, 16, width, 16)
    return cells.mean((1, 3)).ravel()


def test_the_gallery_shows_every_demo():
    page = (ROOT / "docs" / "gallery.md").read_text()
    shown = [name for name in NAMES if f"](gallery/{name}.png)" in page]
    assert shown == NAMES
    assert all((ROOT / "docs" / "gallery" / f"{name}.png").exists() for name in NAMES)


@pytest.mark.parametrize(
    "name", [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in NAMES]
)
def test_demos_draw_the_picture_of_the_gallery(name, tmp_path, call):
    """Two trainings that part in their last bits give 0.75 and more, two demos less than 0.5."""
    out = tmp_path / "picture.png"
    done = call(f"demos/{name}", "--out", out, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "picture.png\n"), done.stderr
    picture, shown = iio.imread(out), iio.imread(ROOT / "docs" / "gallery" / f"{name}.png")
    assert picture.shape == shown.shape
    assert np.corrcoef(coarse(picture), coarse(shown))[0, 1] > 0.6


def test_a_picture_for_a_paper_or_on_dark_paper(tmp_path, call):
    assert call("demos/xor", "--out", "xor.svg", cwd=tmp_path).returncode == 0
    dark = call("demos/xor", "--out", "xor.png", "--theme", "dark", cwd=tmp_path)
    assert (dark.returncode, dark.stdout) == (0, "xor.png\n")
    assert (tmp_path / "xor.svg").read_bytes().startswith(b"<?xml")
    assert iio.imread(tmp_path / "xor.png")[0, 0, :3].max() < 64


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("xor.txt", "expected a name that ends in .png, .svg, .pdf"),
        ("notes/xor.png", "notes is no folder"),
    ],
)
def test_a_place_for_no_figure_is_refused_first(out, told, tmp_path, call):
    (tmp_path / "notes").write_text("")
    done = call("demos/xor", "--out", out, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"error: {out}: {told}\n")


def test_activations_are_drawn_with_their_slopes(panels):
    x = torch.linspace(-4, 4, 401)
    for axis in panels("activations"):
        curve, slope = (torch.from_numpy(line.get_ydata()) for line in axis.lines)
        torch.testing.assert_close(curve, getattr(F, axis.get_title())(x))
        exact = getattr(F, axis.get_title())(x.double())
        between = (exact[2:] - exact[:-2]) / (x[2:] - x[:-2])
        assert ((slope[1:-1] - between).abs() > 1e-3).sum() <= 1  # at a kink, if there is one
        if axis.get_title() == "sigmoid":
            assert slope.max() == pytest.approx(0.25)


def test_schedules_are_drawn_by_their_equations(panels):
    epoch = np.arange(100)
    expected = {
        "inverse time, k = 0.1": 1 / (1 + 0.1 * epoch),
        "linear to 0": 1 - epoch / 100,
        "step, every 30": 0.3 ** (epoch // 30),
        "exponential, 0.96": 0.96**epoch,
        "cosine": (1 + np.cos(np.pi * epoch / 100)) / 2,
        "warm-up 10, then cosine": np.where(
            epoch < 10, (epoch + 1) / 11, (1 + np.cos(np.pi * (epoch - 10) / 90)) / 2
        ),
        "milestones at 20, 80": 0.2 ** np.searchsorted([20, 80], epoch, side="right"),
        # the loss is best in epoch 40, and of the next ones every sixth halves the rate
        "plateau, patience 5": 0.5 ** (np.maximum(epoch - 41, 0) // 6),
    }
    found = {axis.get_title(): axis.lines[0].get_ydata() for axis in panels("schedules")}
    assert list(found) == list(expected)
    for label, rates in found.items():
        np.testing.assert_allclose(rates, expected[label], atol=1e-9, err_msg=label)


def test_N_LIN_01_N_LIN_02_a_line_separates_or_and_not_xor(panels):
    right = [int(axis.get_title()[-6]) for axis in panels("xor")]
    assert (right[0], right[2]) == (4, 4)
    assert right[1] < 4


def test_a_line_is_biased_and_a_high_degree_varies(panels):
    parts = [re.findall(r"\d+\.?\d*", axis.get_title()) for axis in panels("bias_variance")]
    degree, bias, variance = np.array(parts, float).T
    assert degree.tolist() == [1, 4, 12]
    assert bias[0] > 10 * bias[1:].max()
    assert variance[2] > 2 * variance[:2].max()
    assert (bias + variance).argmin() == 1


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # torch's, under NumPy 2
def test_kinds_of_pooling_keep_what_they_are_said_to_keep(panels):
    found = {a.get_title(): np.asarray(a.images[0].get_array()) for a in panels("pooling")}
    windows = found["64x64"].reshape(16, 4, 16, 4).swapaxes(1, 2).reshape(16, 16, 16)
    np.testing.assert_array_equal(found["max"], windows.max(-1))
    np.testing.assert_allclose(found["mean"], windows.mean(-1), atol=1e-6)
    specks = windows == 1.0  # all that is not a speck is at most 0.8
    assert ((found["max"] == 1.0) == specks.any(-1)).all()
    assert (found["median"][specks.sum(-1) < 8] < 1.0).all()
    assert (found["stochastic"][..., None] == windows).any(-1).all()
    for norm in ("2-norm", "8-norm"):
        assert (found[norm] > windows.max(-1) - 1e-6).all()
        assert (found[norm] < windows.sum(-1) + 1e-6).all()


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
    for layer in (demo["LSTM"](32, 32), demo["GRU"](32, 32)):  # gates that begin half open
        half_open = norms(layer)
        assert (half_open[20] / half_open[0]) ** (1 / 20) < 2 / 3


@pytest.mark.slow
def test_N_OPT_16_adaptive_rates_beat_plain_descent_on_the_spirals(load):
    losses = load("optimisers")["losses"]
    ends = {
        name: losses(name, [rate])[-50:].mean(0).median()
        for name, rate in (("sgd", 1.0), ("adam", 0.1))
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


def test_N_OPT_05_N_OPT_09_momentum_has_a_terminal_speed_and_adagrads_rate_dies(load):
    names = load("constant_slope")
    rate, slope, steps = names["RATE"], names["SLOPE"], names["STEPS"]
    t = torch.arange(1, steps + 1, dtype=torch.float64)
    speeds = {name: names["speeds"](name) for name in names["NAMES"]}
    torch.testing.assert_close(speeds["sgd"], torch.full_like(t, rate * slope))
    torch.testing.assert_close(speeds["momentum"], rate * slope * (1 - 0.9**t) / (1 - 0.9))
    torch.testing.assert_close(speeds["adagrad"], rate / t.sqrt(), rtol=1e-5, atol=0)
    for name in ("adam", "rmsprop"):  # what forgets keeps its pace
        assert speeds[name][-1] == pytest.approx(rate, rel=0.01)


@pytest.mark.parametrize("seed", range(3))
def test_N_GRAD_05_skips_through_time_keep_what_a_small_radius_loses(load, seed):
    names = load("gradients_through_time")
    torch.manual_seed(seed)
    plain, skipping, opened = (
        names["gradient_norms"](layer)
        for layer in (names["rnn"](0.5), names["SkipRNN"](0.5), names["open_lstm"](4.0))
    )
    far = 5 * names["SKIP"]
    assert plain[far] < 1e-9 * plain[0]
    assert skipping[far] > 1e-2 * skipping[0]
    assert opened[far] > 1e-2 * opened[0]
    alone = names["gradient_norms"](names["SkipRNN"](0.0))  # no way back but by the skips
    assert alone[far] > 1e-2 * alone[0]
    assert alone[far - 1] == alone[far + 1] == 0.0


def test_N_LIN_02_hidden_layers_wind_the_boundary_along_the_spirals(load):
    names = load("decision_regions")
    axis = torch.linspace(-1.4, 1.4, 160)
    plane = torch.cartesian_prod(axis, axis)

    def learned(layers):
        """Return the share that is right, and the length of the boundary in cells of a grid."""
        torch.manual_seed(0)
        x, side = names["spirals"]()
        network = names["trained"](layers, x, side)
        with torch.no_grad():
            right = ((network(x)[:, 0] > 0) == (side > 0)).float().mean().item()
            says = (network(plane) > 0).reshape(160, 160)
        changes = (says[1:] != says[:-1]).sum() + (says[:, 1:] != says[:, :-1]).sum()
        return right, changes.item()

    (line, straight), (two, winding) = learned(0), learned(2)
    assert line < 0.75
    assert straight <= 320  # no line crosses more
    assert two > 0.97
    assert winding > 2 * straight
