"""What trackers are told of a training, and that none of them can end it."""

import json
import math
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from trackers import offline, wandb_records, wandb_run

from nets.runs.checkpoint import CheckpointError
from nets.supervised.fit import FitConfig, fit
from nets.tracking import tracker
from nets.tracking.tracking import IDS, Tracking

RECORD = {"algorithm": "ppo", "config": {"hidden": [8, 8], "clip": 0.2}, "seed": 1, "folder": "/x"}
PICTURE = {"samples": np.full((2, 3, 3), 7, np.uint8)}


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    offline(monkeypatch, tmp_path / "store")
    return tmp_path / "store"


def told(by, folder, *steps, first=0):
    with Tracking(by, folder) as track:
        track.begin(first, RECORD)
        for step in steps:
            track.scalars(step, {"loss": 1.0 / step, "wrong": math.nan})
        track.pictures(steps[-1], PICTURE)
        track.results({"best/return": 3.0})
        where = track.where
    assert track.where is None
    return where


def test_wandb_is_told_offline_and_goes_on_in_the_same_run(tmp_path):
    pytest.importorskip("wandb", reason="needs dreamgym[wandb]")
    where = told("wandb", tmp_path / "mine", 1, 2)
    assert where.startswith(str(tmp_path / "mine"))
    told("wandb", tmp_path / "mine", 2, 4, first=1)
    first, second = map(wandb_run, wandb_records(tmp_path / "mine", runs=2))
    known = json.loads((tmp_path / "mine" / IDS).read_text())["wandb"]
    assert first[0] == second[0] == known
    assert first[1]["algorithm"] == "ppo"
    assert first[1]["config.clip"] == 0.2
    assert first[1]["config.hidden"] == "[8, 8]"
    assert "folder" not in first[1]  # says something of this machine alone
    rows = [(row["step"], row.get("loss")) for row in first[2]]
    assert rows == [(1, 1.0), (2, 0.5), (2, None)]
    assert "wrong" not in first[2][0]
    assert first[2][2]["samples/_type"] == "image-file"
    assert [row["step"] for row in second[2]] == [2, 4, 4]
    assert second[3]["best/return"] == 3.0


def test_mlflow_is_told_in_a_folder_and_goes_on_in_the_same_run(tmp_path):
    client = pytest.importorskip("mlflow.tracking", reason="needs dreamgym[mlflow]").MlflowClient()
    assert "store" in told("mlflow", tmp_path / "mine", 1, 2)
    told("mlflow", tmp_path / "mine", 2, 4, first=1)
    experiment = client.get_experiment_by_name("dreamgym")
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_id == json.loads((tmp_path / "mine" / IDS).read_text())["mlflow"]
    assert (run.info.run_name, run.info.status) == ("mine", "FINISHED")
    assert run.data.params["config.clip"] == "0.2"
    assert run.data.metrics == {"loss": 0.25, "best/return": 3.0}
    history = client.get_metric_history(run.info.run_id, "loss")
    assert sorted((m.step, m.value) for m in history) == [(1, 1.0), (2, 0.5), (2, 0.5), (4, 0.25)]
    assert any("samples" in file.path for file in client.list_artifacts(run.info.run_id, "images"))


def test_a_server_that_is_out_of_order_keeps_a_training_for_seconds(tmp_path, monkeypatch):
    pytest.importorskip("mlflow.tracking", reason="needs dreamgym[mlflow]")
    asked = []

    class OutOfOrder(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), OutOfOrder) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
        with pytest.warns(UserWarning, match="tracking by mlflow ends, training goes on"):
            told("mlflow", tmp_path / "mine", 1)
        server.shutdown()
    assert len(asked) == 3


def test_a_run_that_the_store_does_not_know_is_a_new_one(tmp_path):
    client = pytest.importorskip("mlflow.tracking", reason="needs dreamgym[mlflow]").MlflowClient()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / IDS).write_text(json.dumps({"mlflow": "0" * 32}))
    told("mlflow", tmp_path / "mine", 1)
    known = json.loads((tmp_path / "mine" / IDS).read_text())["mlflow"]
    assert client.get_run(known).data.metrics["loss"] == 1.0


def test_tensorboard_has_settings_beside_results(tmp_path):
    told("tensorboard", tmp_path / "mine", 1, 2)
    board = EventAccumulator(str(tmp_path / "mine")).Reload()
    assert [(e.step, e.value) for e in board.Scalars("loss")] == [(1, 1.0), (2, 0.5)]
    assert board.Images("samples")[0].step == 2
    assert "_hparams_/session_start_info" in board.summary_metadata


class Broken:
    """A tracker whose server is gone after the first row."""

    id, where, rows = "a1", "nowhere", 0

    def settings(self, settings):
        pass

    def scalars(self, step, metrics):
        self.rows += 1
        if self.rows > 1:
            raise ConnectionError("the server\nis gone")

    def close(self):
        raise AssertionError("it is left alone")


def test_a_tracker_that_fails_ends_the_tracking_and_not_the_training(tmp_path, monkeypatch):
    broken = Broken()
    monkeypatch.setattr("nets.tracking.tracking.open_tracker", lambda name, begun: broken)
    network = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    rows = torch.randn(8, 2), torch.randn(8, 1)
    with (
        Tracking("wandb", tmp_path) as track,
        pytest.warns(UserWarning, match=r"^tracking by wandb ends, .*: the server is gone$"),
    ):
        history = fit(
            network,
            rows,
            loss=nn.functional.mse_loss,
            optimizer=optimizer,
            config=FitConfig(epochs=4),
            track=track,
        )
    assert len(history) == 4
    assert broken.rows == 2
    assert track.where is None


def test_a_tracker_that_cannot_begin_is_told_of_once(tmp_path, monkeypatch):
    def refuse(name, begun):
        raise RuntimeError("no key")

    monkeypatch.setattr("nets.tracking.tracking.open_tracker", refuse)
    with Tracking("wandb", tmp_path) as track:
        with pytest.warns(UserWarning, match="no key"):
            track.begin(0, RECORD)
        track.scalars(1, {"loss": 1.0})
        track.begin(1, RECORD)  # of the next call of `learn`


def test_what_is_no_tracker_or_not_installed_is_refused(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="no tracker 'wandbb': did you mean 'wandb'"):
        Tracking("wandbb", tmp_path)
    with pytest.raises(ValueError, match="no tracker 'tb': did you mean 'tensorboard'"):
        Tracking("tb", tmp_path)
    with pytest.raises(TypeError, match=r"^Tracking: missing a required argument: 'folder'$"):
        Tracking("tb")
    monkeypatch.setattr("nets.extras.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'dreamgym\[mlflow\]'"):
        Tracking("mlflow", tmp_path)


@pytest.mark.parametrize("known", ['{"wandb": "../x"}', '{"wandb": 3}', "[]", "{"])
def test_ids_of_a_strangers_folder_are_names_and_nothing_else(tmp_path, known):
    (tmp_path / IDS).write_text(known)
    with pytest.raises(CheckpointError, match=r"tracking\.json"):
        Tracking("tensorboard", tmp_path)


def test_every_name_has_its_tracker(tmp_path):
    assert set(tracker._HOMES) == {"tensorboard", "wandb", "mlflow"}
