"""Runs that are told of elsewhere, by the commands and from Python."""

import json

import pytest
from trackers import offline, wandb_records, wandb_run

import agents
import generative
from agents.commands.compare import main as compare
from agents.commands.train import main as train
from agents.commands.tune import main as tune
from generative.commands.train import main as train_generative
from nets.shell.command_line import USAGE_ERROR
from nets.tracking.tracking import Tracking


@pytest.fixture
def client(tmp_path, monkeypatch):
    offline(monkeypatch, tmp_path / "store")
    return pytest.importorskip("mlflow.tracking", reason="needs dreamgym[mlflow]").MlflowClient()


def only_run(client):
    experiment = client.get_experiment_by_name("dreamgym")
    (run,) = client.search_runs([experiment.experiment_id])
    return run


def test_a_resumed_agent_goes_on_in_the_tracked_run(tmp_path, client, capsys):
    run = tmp_path / "mine"
    begin = ["reinforce", "dreamgym/Catch-v0", "--steps", "80", "--run", str(run)]
    assert train([*begin, "--track", "mlflow"]) == 0
    printed = capsys.readouterr().out
    assert "tracked by mlflow: " in printed
    assert "--steps 160 --track mlflow" in printed
    assert train(["--resume", str(run), "--steps", "160", "--track", "mlflow"]) == 0
    found = only_run(client)
    assert found.data.params["algorithm"] == "reinforce"
    assert found.data.params["env.id"] == "envs:dreamgym/Catch-v0"
    assert found.data.params["config.discount"] == "0.99"
    rows = (run / "metrics.csv").read_text().splitlines()
    history = client.get_metric_history(found.info.run_id, "episodes")
    assert sorted({m.step for m in history}) == [int(row.split(",")[0]) for row in rows[1:]]
    low, mean, high = (found.data.metrics[f"best/return{end}"] for end in ("_low", "", "_high"))
    assert low <= mean <= high
    files = {file.path for file in client.list_artifacts(found.info.run_id)}
    assert {"curve.png", "episode.gif"} <= files


def test_comparisons_and_searches_tell_of_every_run_by_its_name(tmp_path, client, capfd):
    line = ["q-learning", "FrozenLake-v1", "--steps", "400", "--eval-episodes", "2"]
    line += ["--track", "mlflow", "--out"]
    assert compare([*line, str(tmp_path / "c"), "--seeds", "2"]) == 0
    assert tune([*line, str(tmp_path / "t"), "--trials", "1"]) == 0
    experiment = client.get_experiment_by_name("dreamgym").experiment_id
    found = {run.info.run_name: run for run in client.search_runs([experiment])}
    files = {f"q-learning, seed {k}": f"c/q-learning/seed-{k}.json" for k in range(2)}
    files["trial-000, seed 0"] = "t/trial-000/seed-0.json"
    assert found.keys() == files.keys()
    for name, file in files.items():
        record = json.loads((tmp_path / file).read_text())
        told = found[name].data
        assert told.params["seed"] == str(record["seed"])
        assert told.metrics["best/return"] == record["result"]["figure"]
        assert told.metrics["eval_return"] == record["result"]["curve"]["return"][-1]


def test_a_generative_run_shows_its_pictures(tmp_path, client):
    begin = ["vae", "digits", "--steps", "20", "--config.hidden", "8", "--draw-every", "10"]
    assert train_generative([*begin, "--run", str(tmp_path / "v"), "--track", "mlflow"]) == 0
    found = only_run(client)
    assert found.data.params["model"] == "vae"
    assert {"loss", "validation/loss", "best/loss"} <= found.data.metrics.keys()
    names = [file.path for file in client.list_artifacts(found.info.run_id, "images")]
    assert all(any(f"samples+step+{step}+" in name for name in names) for step in (10, 20))


def test_learn_and_trainers_tell_of_themselves_in_python(tmp_path, monkeypatch):
    pytest.importorskip("wandb", reason="needs dreamgym[wandb]")
    offline(monkeypatch, tmp_path / "store")
    with Tracking("wandb", tmp_path / "agent") as track:
        agent = agents.QLearning("dreamgym/Cliff-v0")
        agent.learn(1000, progress=False, track=track).learn(1000, progress=False, track=track)
    data = generative.load_dataset("ring", limit=64)
    model = generative.VAE(data.shape, dataset_size=len(data))
    with Tracking("wandb", tmp_path / "model") as track:
        generative.Trainer(model, data, progress=False, track=track).run(3)
    _, config, rows, _ = wandb_run(*wandb_records(tmp_path / "agent", runs=1))
    assert (config["algorithm"], config["run.steps"]) == ("q-learning", 2000)
    assert rows[-1]["step"] == 2000
    assert rows[-1]["episodes"] == agent._training.progress.episodes
    _, config, rows, _ = wandb_run(*wandb_records(tmp_path / "model", runs=1))
    assert config["data"] == data.name
    assert [row["step"] for row in rows] == [1, 2, 3]


@pytest.mark.parametrize(
    ("main", "named"),
    [
        (train, ["ppo", "CartPole-v1"]),
        (train_generative, ["world", "CartPole-v1"]),
        (compare, ["ppo", "CartPole-v1"]),
        (tune, ["ppo", "CartPole-v1"]),
    ],
)
def test_a_tracker_that_is_not_installed_is_refused_before_there_is_a_folder(
    main, named, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("nets.extras.find_spec", lambda name: None)
    folder = "--out" if main in (compare, tune) else "--run"
    assert main([*named, folder, str(tmp_path / "r"), "--track", "wandb"]) == USAGE_ERROR
    error = capsys.readouterr().err
    assert error == "error: wandb is not installed: pip install 'dreamgym[wandb]'\n"
    assert not (tmp_path / "r").exists()
