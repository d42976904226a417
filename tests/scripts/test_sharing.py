"""Runs to a hub and back, by huggingface_hub's own client; what a stranger shares is harmless."""

import json
from pathlib import Path

import pytest
from command_runs import undocumented
from model_hub import model_hub, yaml_of

import agents
import generative
from agents.commands.evaluate import main as evaluate
from agents.commands.render import main as render
from agents.commands.train import main as train
from generative.commands.train import main as train_generative
from nets.hub import contents, sharing
from nets.runs.checkpoint import load_checkpoint
from nets.runs.records import load_record, save_record
from nets.shell.command_line import USAGE_ERROR
from nets.shell.pull import PullOptions
from nets.shell.pull import main as pull
from nets.shell.push import PushOptions
from nets.shell.push import main as push
from nets.shell.verify import main as verify

REPO = "me/lake"
pytest.importorskip("huggingface_hub", reason="needs dreamgym[hub]")
# huggingface_hub's client hands a file to httpx in a way of before
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared") / "lake"
    assert train(["value-iteration", "dreamgym/Lake-v0", "--run", str(folder), "--seed", "3"]) == 0
    return folder


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with model_hub(monkeypatch, tmp_path / "cache") as hub:
        yield hub


@pytest.fixture
def shared(hub, lake):
    assert push([str(lake), REPO]) == 0
    return hub.files[REPO]


def refused(argv, capsys):
    capsys.readouterr()
    assert pull(argv) == USAGE_ERROR
    return capsys.readouterr().err


def test_a_shared_agent_comes_back_and_plays_as_before(hub, shared, lake, tmp_path, capsys):
    capsys.readouterr()
    there = tmp_path / "runs" / "theirs"
    assert pull([REPO, str(there)]) == 0
    assert not [file.name for file in there.parent.iterdir() if file != there]
    assert verify([str(there)]) == 0
    figures = []
    for run in (lake, there):
        capsys.readouterr()
        assert evaluate([str(run), "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out)["returns"])
    assert figures[0] == figures[1]
    assert render([str(there), "--out", str(tmp_path / "sheet.png")]) == 0
    record = load_record(there / "config.json", sealed=True)
    assert record["pulled"] == f"{REPO}@{hub.commit(REPO)}"
    assert train(["--resume", str(there)]) == USAGE_ERROR
    assert "with its best weights alone" in capsys.readouterr().err
    before = load_checkpoint(lake / "best" / "checkpoint.pt")
    assert before["config"] == load_checkpoint(there / "best" / "checkpoint.pt")["config"]
    assert agents.load(there).steps == before["steps"]


def test_the_card_says_what_how_and_how_good(shared):
    card = shared["README.md"].decode()
    about = yaml_of(card)
    assert (about["license"], about["library_name"]) == ("mit", "dreamgym")
    (result,) = about["model-index"][0]["results"]
    assert result["dataset"]["type"] == "dreamgym/Lake-v0"
    assert "95 % interval" in result["metrics"][0]["value"]
    assert "dreamgym train value-iteration dreamgym/Lake-v0 --seed 3" in card
    assert "--run" not in card
    assert "| seed | 3 |" in card
    assert "torch 2" in card
    assert "dreamgym pull me/lake" in card
    assert "![curve.png](curve.png)" in card


def test_nothing_of_this_machine_travels(shared, lake):
    assert "best/checkpoint.safetensors" in shared
    assert not [name for name in shared if name.endswith(".pt")]
    said = json.loads(shared["config.json"])
    assert "folder" not in said
    assert str(lake.parent).encode() not in b"".join(shared.values())


def test_a_generative_model_comes_back(hub, tmp_path):
    run, there = tmp_path / "vae", tmp_path / "theirs"
    assert train_generative(["vae", "ring", "--steps", "20", "--run", str(run)]) == 0
    assert push([str(run), "me/vae", "--license", "cc-by-4.0", "--private"]) == 0
    assert hub.private["me/vae"]
    card = hub.files["me/vae"]["README.md"].decode()
    assert yaml_of(card)["license"] == "cc-by-4.0"
    assert "held-out loss" in card
    assert pull(["me/vae", str(there)]) == 0
    ours, theirs = generative.load(run).state_dict(), generative.load(there).state_dict()
    assert all(ours[name].equal(theirs[name]) for name in ours)
    assert verify([str(there)]) == 0


def test_a_second_push_adds_to_the_repository(hub, shared, lake):
    assert push([str(lake), REPO, "--license", "apache-2.0"]) == 0
    assert yaml_of(shared["README.md"].decode())["license"] == "apache-2.0"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            [REPO, "--license", "nonsense"],
            "licence is 'nonsense': expected a hub's word for one, such as mit",
        ),
        ([REPO, "--license", "MIT"], "licence is 'MIT': did you mean 'mit'?"),
        ([REPO, "--license", "apache2"], "licence is 'apache2': did you mean 'apache-2.0'?"),
        (
            [REPO, "--license", "mit\nb: c"],
            "licence is 'mit\\nb: c': expected a hub's word for one",
        ),
        (["me/my lake"], "the hub does not give me/my lake: Repo id must use alphanumeric chars"),
        (["me/lake/two"], "the hub does not give me/lake/two: Repo id must be in the form"),
    ],
)
def test_names_that_no_hub_takes_are_refused_before_the_run_is_measured(
    words, told, hub, lake, capsys, monkeypatch
):
    monkeypatch.setattr(sharing, "facts_of", None)
    assert push([str(lake), *words]) == USAGE_ERROR
    assert capsys.readouterr().err.startswith(f"error: {told}")
    assert not hub.files


def test_names_that_a_repository_chooses_are_never_used(hub, shared, tmp_path):
    for name in ("../evil.py", "/tmp/evil.py", "best/../../evil.py", "sitecustomize.py", "x.pt"):
        shared[name] = b"import os"
    hub.asked.clear()
    assert pull([REPO, str(tmp_path / "in" / "there")]) == 0
    assert set(hub.asked) <= contents.MOST.keys()
    found = {str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*.py")}
    assert not found
    assert not Path("/tmp/evil.py").exists()


def test_files_that_are_far_too_large_are_not_fetched(hub, shared, tmp_path, capsys):
    hub.claims["metrics.csv"] = 2**40
    error = refused([REPO, str(tmp_path / "there")], capsys)
    assert "metrics.csv of me/lake has 1,099,511,627,776 bytes" in error
    assert "metrics.csv" not in hub.asked
    assert not (tmp_path / "there").exists()


def test_a_hub_that_lies_about_a_size_is_found_out(hub, shared, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(contents.MOST, "curve.png", 100)
    hub.claims["curve.png"] = 10
    assert "curve.png of me/lake" in refused([REPO, str(tmp_path / "there")], capsys)
    assert not (tmp_path / "there").exists()


def test_what_was_changed_on_the_way_is_refused(hub, shared, tmp_path, capsys):
    config = shared["config.json"]
    shared["config.json"] = config.replace(b'"seed": 3', b'"seed": 4')
    assert "not as it was written" in refused([REPO, str(tmp_path / "a")], capsys)
    shared["config.json"] = config
    shared["best/checkpoint.safetensors"] = b"\x80\x04cos\nsystem\n"
    assert "no safetensors" in refused([REPO, str(tmp_path / "b")], capsys)
    assert not list(tmp_path.glob("[ab]"))


def test_weights_of_another_run_are_refused(hub, shared, tmp_path, capsys):
    (tmp_path / "config.json").write_bytes(shared["config.json"])
    record = load_record(tmp_path / "config.json")
    record["env"]["id"] = "os:Evil-v0"
    save_record(tmp_path / "config.json", {k: v for k, v in record.items() if k != "checksum"})
    shared["config.json"] = (tmp_path / "config.json").read_bytes()
    assert "disagree" in refused([REPO, str(tmp_path / "there")], capsys)


def test_what_holds_no_run_or_is_not_there_is_told_in_a_line(
    hub, lake, tmp_path, capsys, monkeypatch
):
    hub.files["me/bert"] = {"model.bin": b"x"}
    assert "holds no run of dreamgym" in refused(["me/bert", str(tmp_path / "a")], capsys)
    error = refused(["me/nothing", str(tmp_path / "a")], capsys)
    assert error.startswith("error: the hub does not give me/nothing: 404")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    assert "is there already" in refused(["me/bert", str(tmp_path / "full")], capsys)
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert push([str(lake), REPO]) == USAGE_ERROR
    assert "401" in capsys.readouterr().err
    monkeypatch.setattr("nets.extras.find_spec", lambda name: None)
    assert "pip install 'dreamgym[hub]'" in refused(["me/bert", str(tmp_path / "a")], capsys)


def test_links_of_a_strangers_run_do_not_travel(hub, lake, tmp_path, capsys):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    run = tmp_path / "run"
    (run / "best").mkdir(parents=True)
    for file in ("config.json", "best/checkpoint.pt"):
        (run / file).write_bytes((lake / file).read_bytes())
    (run / "curve.png").symlink_to(secret)
    assert push([str(run), REPO]) == USAGE_ERROR
    assert "curve.png is a link" in capsys.readouterr().err
    assert not hub.files


def test_every_option_is_described():
    assert not undocumented(PushOptions, {"run", "repo"})
    assert not undocumented(PullOptions, {"repo", "folder"})
