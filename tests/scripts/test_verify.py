"""`verify`: what is wrong with a folder, and that nothing is where nothing is."""

import json
import shutil

import pytest

import agents
from agents.commands.evaluate import main as evaluate
from agents.commands.export import main as export
from agents.commands.render import main as render
from agents.commands.train import main as train
from agents.dqn.agent import DQN
from agents.dqn.config import DQNConfig
from agents.loop.run import RunConfig, RunFolder
from agents.loop.trainer import Trainer
from generative.commands.sample import main as sample
from nets.runs.checkpoint import CheckpointError, Damaged, load_checkpoint, save_checkpoint
from nets.runs.ownership import LOCK, owned
from nets.runs.records import save_record
from nets.shell.command_line import OCCUPIED
from nets.shell.verify import main as verify


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of three checkpoints, their replay, and a best evaluation."""
    config = DQNConfig(hidden=(8,), buffer_size=50, learning_starts=20, batch_size=8)
    run, cut = RunFolder(tmp_path_factory.mktemp("whole") / "run"), RunConfig(120, 40, 25, 60, 1)
    agent = DQN("CartPole-v1", config, device="cpu")
    run.create(agent, cut, [])
    Trainer(agent, run, cut, progress=False).run(120)
    return run.path


@pytest.fixture
def run(whole, tmp_path):
    return RunFolder(shutil.copytree(whole, tmp_path / "run"))


def said(capsys, run, code=1):
    assert verify([str(run.path)]) == code
    return capsys.readouterr().out


def test_a_whole_run_is_ok_and_stays_as_it_is(run, whole, capsys):
    assert said(capsys, run, code=0) == f"{run.path}: ok\n"
    for file in whole.rglob("*.*"):
        if file.is_file() and file.name != ".dreamgym.lock":
            assert (run.path / file.relative_to(whole)).read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("checkpoints/0000000040.pt", "0000000040.pt is torn"),
        ("checkpoints/0000000120.pt", "0000000120.pt is torn"),
        ("checkpoints/replay/000000000080.pt", "000000000080.pt is torn"),
        ("best/checkpoint.pt", "best/checkpoint.pt is torn"),
        ("best/evaluation.json", "evaluation.json is not valid JSON"),
        ("config.json", "config.json is not valid JSON"),
        ("metrics.csv", "rows up to step 120"),
    ],
)
def test_a_file_that_is_cut_off_is_named(run, file, words, capsys):
    path = run.path / file
    path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 3])
    assert words in said(capsys, run)


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("config.json", '"seed": 0', '"seed": 4', "config.json is not as it was written"),
        ("best/evaluation.json", '"step"', '"stop"', "evaluation.json is not as it was written"),
        ("metrics.csv", "\n25,", "\n24,", "rows up to step 120 differ"),
    ],
)
def test_a_changed_character_is_found(run, file, old, new, words, capsys):
    path = run.path / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert words in said(capsys, run)


@pytest.mark.parametrize("lost", ["000000000000", "000000000040", "000000000080"])
def test_lost_replay_rows_are_noticed(run, lost, capsys):
    (run.replay / f"{lost}.pt").unlink()
    assert "needs replay rows" in said(capsys, run)


def test_replay_rows_of_another_run_are_noticed(run, capsys):
    shard = run.files.shards()[-1]
    rows = load_checkpoint(shard)
    save_checkpoint(shard, rows | {"record": rows["record"] | {"seed": 9}})
    words = f"seed is 0, in {shard.name} 9"
    assert words in said(capsys, run)
    agent = agents.load(run.path, checkpoint="last", device="cpu")
    with pytest.raises(CheckpointError, match=words):
        run.restore(agent)


def test_a_checkpoint_of_another_run_is_noticed(run, capsys):
    record = json.loads(run.config_file.read_text())
    save_record(run.config_file, record | {"seed": 4})
    assert "0000000120.pt disagree: seed is 4, in 0000000120.pt 0" in said(capsys, run)


def test_all_runs_below_are_checked(run, whole, capsys):
    assert verify([str(run.path.parent)]) == 0
    assert verify([str(run.path / "best")]) == 2
    assert "is not a run folder, and there is none below" in capsys.readouterr().err


def test_a_run_under_way_is_left_alone(run, capsys):
    with owned(run.path):
        assert verify([str(run.path)]) == OCCUPIED


@pytest.mark.parametrize("name", ["config", "run", "seed"])
def test_a_description_that_lacks_something_is_noticed(run, name, capsys):
    record = json.loads(run.config_file.read_text())
    save_record(run.config_file, {key: value for key, value in record.items() if key != name})
    assert f"config.json has no {name}" in said(capsys, run)


def test_files_that_are_called_by_another_step_are_noticed(run, capsys):
    last, shard = run.files.list()[-1], run.files.shards()[0]
    shutil.copy(last, run.files.of_step(9999))
    shutil.copy(shard, shard.with_name("000000009999.pt"))
    shutil.copy(last, last.with_name("before-tuning.pt"))  # which nobody goes on from
    told = said(capsys, run)
    assert f"0000009999.pt is of step {int(last.stem)}" in told
    assert f"000000009999.pt begins at row {int(shard.stem)}" in told
    assert "before-tuning" not in told


def test_a_checkpoint_that_says_nonsense_is_noticed(run, capsys):
    last = run.files.list()[-1]
    save_checkpoint(last, load_checkpoint(last) | {"replay_first": "x"})
    assert f"{last.name} does not fit: replay_first is 'x', expected a whole number" in said(
        capsys, run
    )


def test_nothing_is_written_where_nobody_has_trained(run, capsys):
    (run.path / LOCK).unlink()
    before = sorted(run.path.rglob("*"))
    assert said(capsys, run, code=0) == f"{run.path}: ok\n"
    assert sorted(run.path.rglob("*")) == before


TAKERS = {
    "evaluate": (evaluate, "{run}"),
    "render": (render, "{run} --out {run}/film.gif"),
    "export": (export, "{run} --out {run}/policy.pt2"),
    "resume": (train, "--resume {run}"),
    "init-from": (train, "dqn CartPole-v1 --steps 10 --init-from {run} --run {run}/new"),
    "sample": (sample, "{run} --out {run}/samples.png"),
}


@pytest.mark.parametrize("name", TAKERS)
def test_whoever_takes_a_run_refuses_a_description_that_was_changed(run, name, capsys):
    written = json.loads(run.config_file.read_text())
    run.config_file.write_text(json.dumps(written | {"seed": 7}))
    words = (
        "config.json is not as it was written: its checksum differs (seed is 7, in 0000000120.pt 0)"
    )
    assert words in said(capsys, run)
    command, line = TAKERS[name]
    assert command([word.format(run=run.path) for word in line.split()]) == 2
    assert words in capsys.readouterr().err
    with pytest.raises(Damaged, match="its checksum differs"):
        agents.load(run.path)
    file = run.files.find()
    assert agents.load(file).steps == load_checkpoint(file)["steps"]  # which stands for itself
