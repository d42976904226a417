import math
from random import Random

import pytest
import torch
from torch import nn

from nets.runs.checkpoint import load_checkpoint, save_checkpoint
from nets.supervised.early_stopping import EarlyStopping

# settings, metric by metric, the check that stops (None: none does), the best check
SCRIPTS = {
    "patience 0": ({}, [3.0, 2.0, 2.5, 1.0], 3, 2),
    "patience 1 is the same": ({"patience": 1}, [3.0, 2.0, 2.5, 1.0], 3, 2),
    "patience 2 sees the improvement": ({"patience": 2}, [3.0, 2.0, 2.5, 1.0, 1.5, 1.2], 6, 4),
    "an equal value is no improvement": ({"patience": 2}, [2.0, 2.0, 2.0], 3, 1),
    "never": ({"patience": 1}, [4.0, 3.0, 2.0, 1.0], None, 4),
    "min_delta": ({"patience": 2, "min_delta": 0.5}, [3.0, 2.6, 2.51, 2.4], 3, 1),
    "min_delta passed": ({"patience": 2, "min_delta": 0.5}, [3.0, 2.6, 2.4, 2.3, 2.2], 5, 3),
    "exactly min_delta": ({"patience": 1, "min_delta": 0.5}, [3.0, 2.5], 2, 1),
    "max": ({"mode": "max"}, [1.0, 2.0, 1.5], 3, 2),
    "min": ({"mode": "min", "monitor": "accuracy"}, [1.0, 2.0], 2, 1),
    "auto accuracy": ({"monitor": "validation_accuracy"}, [0.5, 0.6, 0.6], 3, 2),
    "auto auc": ({"monitor": "AUC"}, [0.5, 0.6, 0.4], 3, 2),
    "auto return": ({"monitor": "eval_return"}, [-5.0, -4.0, -6.0], 3, 2),
    "auto error": ({"monitor": "error"}, [0.5, 0.6], 2, 1),
    "max with min_delta": (
        {"mode": "max", "min_delta": 0.1, "patience": 2},
        [0.5, 0.55, 0.65, 0.7, 0.74],
        5,
        3,
    ),
    "baseline missed": ({"baseline": 1.0, "patience": 3}, [4.0, 3.0, 2.0, 2.5, 0.5], 4, 3),
    "an improvement never stops": (
        {"baseline": 1.0, "patience": 3},
        [4.0, 3.0, 2.0, 1.5, 1.0, 0.5, 0.5, 0.5, 0.5],
        9,
        6,
    ),
    "baseline beaten by no more than min_delta": (
        {"baseline": 2.0, "patience": 3, "min_delta": 0.5},
        [4.0, 3.0, 1.5, 1.5],
        4,
        3,
    ),
    "baseline beaten": ({"baseline": 2.5, "patience": 3}, [4.0, 3.0, 2.0, 3.0, 3.0, 3.0], 6, 3),
    "baseline with max": ({"baseline": 2.5, "patience": 2, "mode": "max"}, [1.0, 2.0, 1.0], 3, 2),
    "it may be beaten late": (
        {"baseline": 2.5, "patience": 2, "mode": "max"},
        [1.0, 2.0, 3.0, 1.0, 1.0],
        5,
        3,
    ),
    "NaN": ({"patience": 9}, [3.0, math.nan, 1.0], 2, 1),
    "NaN at first": ({"patience": 9}, [math.nan], 1, 0),
    "infinity": ({"patience": 1}, [math.inf, math.inf], 2, 0),
    "infinity is never the best": ({"patience": 2}, [math.inf, 3.0, -math.inf, 4.0, 1.0], 4, 2),
    "nor where more is better": (
        {"patience": 2, "mode": "max"},
        [-math.inf, 3.0, math.inf, 2.0, 9.0],
        4,
        2,
    ),
}


def run(stopping, values, network=None):
    """Feed the values; return the check that stopped."""
    network = network or nn.Linear(1, 1)
    for number, value in enumerate(values, start=1):
        with torch.no_grad():
            network.weight.fill_(number)
        if stopping.check(value, network):
            return number
    return None


@pytest.mark.parametrize("name", SCRIPTS)
def test_S_ES_01_scripted_metrics_stop_where_the_semantics_say(name):
    settings, values, stops, best = SCRIPTS[name]
    stopping = EarlyStopping(**settings)
    assert run(stopping, values) == stops
    assert stopping.stopped == (stops is not None)
    assert stopping.best_check == best
    assert stopping.best == (values[best - 1] if best else None)


def kerass_stop(values, patience, min_delta, mode, baseline):
    """Where the callback of Keras stops, and its best epoch, both from 1.

    An epoch improves if it beats the best before it by more than `min_delta`, and starts the wait
    anew if it beats the baseline so, too. An epoch that does not improve, and is not the first,
    stops if it is the `patience`-th since, or a later one.
    """
    sign, best = (1.0 if mode == "min" else -1.0), math.inf
    improvements, starts = [], [0]
    for epoch, value in enumerate(values, start=1):
        if sign * value + min_delta < best:
            best = sign * value
            improvements.append(epoch)
            if baseline is None or best + min_delta < sign * baseline:
                starts.append(epoch)
    stops = (
        epoch
        for epoch in range(2, len(values) + 1)
        if epoch not in improvements
        and epoch - max(start for start in starts if start <= epoch) >= patience
    )
    stop = next(stops, None)
    return stop, max(epoch for epoch in improvements if stop is None or epoch <= stop)


@pytest.mark.parametrize("baseline", [None, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("mode", ["min", "max"])
def test_S_ES_01_random_metrics_stop_where_keras_does(mode, baseline):
    """Values and margins are quarters, so that no difference is rounding."""
    random = Random(f"{mode} {baseline}")
    stopped = 0
    for _ in range(300):
        values = [random.randrange(17) / 4 for _ in range(random.randint(1, 12))]
        patience, min_delta = random.randrange(5), random.choice([0.0, 0.25, 0.5])
        expected, best = kerass_stop(values, patience, min_delta, mode, baseline)
        stopping = EarlyStopping(
            patience=patience,
            min_delta=min_delta,
            mode=mode,
            baseline=baseline,
            restore_best_weights=True,
        )
        network = nn.Linear(1, 1)
        assert (run(stopping, values, network), stopping.best_check) == (expected, best), values
        stopping.restore(network)
        assert network.weight.item() == best
        stopped += expected is not None
    assert 100 < stopped < 290


def test_S_ES_01_restored_weights_are_the_best_ones_bit_for_bit():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    stopping = EarlyStopping(patience=2, restore_best_weights=True)
    kept = {}
    for value in [3.0, 1.0, 2.0, 2.0]:
        network(torch.randn(8, 3))  # moves the statistics, too
        with torch.no_grad():
            network[0].weight.mul_(1.1)
        if value == 1.0:
            kept = {k: v.clone() for k, v in network.state_dict().items()}
        stopping.check(value, network)
    assert stopping.stopped
    stopping.restore(network)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, kept[name]), name


def test_S_ES_01_without_restoring_the_last_weights_stay():
    network, stopping = nn.Linear(1, 1), EarlyStopping(patience=2)
    assert run(stopping, [3.0, 1.0, 2.0, 2.0], network) == 4
    stopping.restore(network)
    assert network.weight.item() == 4.0


@pytest.mark.parametrize(
    ("names", "mode"),
    [
        ("accuracy valAcc validation_top5_accuracy f1 validation_macro_f1 precision recall", "max"),
        ("auc rocauc iou50 mIoU r2 bleu score reward psnr val/mAP log_likelihood elbo", "max"),
        ("loss valLoss accumulated_loss nll negative_log_likelihood RMSE fid fid_score", "min"),
        ("cross_entropy error_rate task-loss val/mae brier_score perplexity kl", "min"),
    ],
)
def test_auto_tells_by_the_words_of_a_name(names, mode):
    assert {name: EarlyStopping(name).mode for name in names.split()} == dict.fromkeys(
        names.split(), mode
    )


@pytest.mark.parametrize("name", ["validation_balanced", "temperature", "accuracy_loss", "x"])
def test_auto_refuses_names_that_do_not_tell(name):
    with pytest.raises(ValueError, match=f"cannot tell whether '{name}' should fall or grow"):
        EarlyStopping(name)
    assert EarlyStopping(name, mode="max").mode == "max"


@pytest.mark.parametrize("cut", range(6))
def test_S_ES_01_state_survives_a_file_and_goes_on_the_same(tmp_path, cut):
    values = [5.0, 4.0, 4.5, 3.0, 3.5, 3.6, 3.7]
    settings = {"patience": 3, "restore_best_weights": True}
    first, second = EarlyStopping(**settings), EarlyStopping(**settings)
    run(first, values[:cut])
    save_checkpoint(tmp_path / "stopping.pt", first.state_dict())
    second.load_state_dict(load_checkpoint(tmp_path / "stopping.pt"))
    networks = nn.Linear(1, 1), nn.Linear(1, 1)
    whole = EarlyStopping(**settings)
    assert run(whole, values, networks[0]) == 7
    for number, value in enumerate(values[cut:], start=cut + 1):
        with torch.no_grad():
            networks[1].weight.fill_(number)
        second.check(value, networks[1])
    assert second.stopped
    assert (second.best, second.best_check, second.checks) == (3.0, 4, 7)
    second.restore(networks[1])
    assert networks[1].weight.item() == 4.0


def test_S_ES_01_verbose_tells_of_stopping_and_restoring(capsys):
    network = nn.Linear(1, 1)
    for verbose in (False, True):
        stopping = EarlyStopping("error", restore_best_weights=True, verbose=verbose)
        run(stopping, [0.5, 0.25, 0.75], network)
        stopping.restore(network)
        out = capsys.readouterr().out
        assert bool(out) == verbose
    assert "check 3" in out
    assert "error 0.75" in out
    assert "0.25 of check 2" in out
    assert "restored the weights of check 2" in out


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"patience": -1}, "patience is -1: expected at least 0"),
        ({"patience": "3"}, "patience is '3': expected a whole number"),
        ({"min_delta": -0.1}, r"min_delta is -0\.1: expected at least 0"),
        (
            {"min_delta": math.nan},
            "min_delta is nan: expected at least 0",
        ),  # nothing improves on it
        ({"baseline": math.nan}, "baseline is nan: expected a finite number"),
        ({"mode": "maximum"}, "mode is 'maximum': expected one of 'auto', 'min', 'max'"),
    ],
)
def test_settings_out_of_range_are_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        EarlyStopping(**settings)
