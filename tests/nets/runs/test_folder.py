"""A run is what its config.json says: whatever was changed since is found, with both values."""

import json
import random

import pytest
import torch

from nets.runs import folder, provenance
from nets.runs.checkpoint import (
    CheckpointError,
    Damaged,
    load_checkpoint,
    load_json,
    save_checkpoint,
)
from nets.runs.checkpoints import Checkpoints
from nets.runs.finding import neighbour
from nets.runs.fingerprints import checkpoint_source, source
from nets.runs.folder import RunConfig
from nets.runs.metrics import MetricsFile
from nets.runs.records import load_record, save_record

DESCRIBED = {"config": {"discount": 0.99, "hidden": (8, 8)}, "seed": 3}
CUT = RunConfig(steps=30, segment_steps=10, log_every=5, eval_every=0)


class RunFolder(folder.RunFolder):
    config_type = RunConfig


@pytest.fixture
def run(tmp_path):
    """A run of three checkpoints, with two rows of metrics before each."""
    run = RunFolder(tmp_path / "run")
    run.begin(DESCRIBED | {"device": "cpu"}, CUT, ["train"])
    assert run.newest(DESCRIBED) is None
    metrics = MetricsFile(run.metrics_file)
    for step in (10, 20, 30):
        metrics.write(step - 5, {"loss": 1.0 / step})
        metrics.write(step, {"loss": 2.0 / step, "eval_return": 0.5})
        run.write(step, DESCRIBED | {"step": step}, metrics.mark())
    return run


def again(run):
    return RunFolder(run.path)


def edit(run, change):
    record = load_json(run.config_file)
    change(record)
    run.config_file.write_text(json.dumps(record))


# config.json ------------------------------------------------------------------------------------


def test_every_changed_byte_of_a_record_is_found_or_harmless(tmp_path):
    file, said = tmp_path / "record.json", {"seed": 31, "git_dirty": True, "config": {"a": 0.995}}
    save_record(file, said)
    whole, truth, rng, refused = file.read_bytes(), load_record(file), random.Random(0), 0
    assert said.items() <= truth.items()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << rng.randrange(7)
        file.write_bytes(damaged)
        try:
            found = load_record(file)
        except CheckpointError:
            refused += 1
        else:  # white space
            assert said.items() <= found.items()
    assert refused > 60


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r["config"].update(discount=0.19), r"config\.discount is 0\.19, in .* 0\.99"),
        (lambda r: r.update(seed=4), r"seed is 4, in 0000000030\.pt 3"),
        (lambda r: r["run"].update(segment_steps=11), r"run\.segment_steps is 11, in .* 10"),
        (lambda r: r["versions"].update(torch="1.9.0"), r"versions\.torch is '1\.9\.0', in .* '2"),
        (lambda r: r["run"].update(steps=31), "its checksum differs"),
    ],
)
def test_a_changed_config_is_refused_with_both_values(run, change, words):
    edit(run, change)
    for read in (again(run).load_config, again(run).run_config, lambda: again(run).extend(40)):
        with pytest.raises(Damaged, match=rf"config\.json is not as it was written: .*{words}"):
            read()


def test_the_device_may_be_changed_by_hand(run):
    edit(run, lambda record: record.update(device="cuda"))
    assert again(run).extend(40).steps == 40
    assert again(run).newest(DESCRIBED)["step"] == 30


def test_a_config_of_another_run_is_refused_with_both_values(run, tmp_path):
    other = RunFolder(tmp_path / "other")
    other.begin(DESCRIBED | {"data": "digits"}, RunConfig(30, 12, 5, 0), ["train"])
    run.config_file.write_bytes(other.config_file.read_bytes())
    words = r"0000000030\.pt is of another run than .*run\.segment_steps is 12, in .* 10"
    with pytest.raises(CheckpointError, match=words):
        again(run).newest(DESCRIBED)
    with pytest.raises(CheckpointError, match=r"seed is 5, in 0000000030\.pt 3"):
        again(run).newest(DESCRIBED | {"seed": 5})


@pytest.mark.parametrize("name", ["config", "record"])
def test_a_description_that_holds_tensors_is_refused(run, name):
    file = run.files.of_step(30)
    save_checkpoint(file, load_checkpoint(file) | {name: {"config": {}, "seed": torch.zeros(2)}})
    with pytest.raises(CheckpointError, match=r"0000000030\.pt does not fit: .*Tensor"):
        again(run).newest(DESCRIBED)


@pytest.mark.parametrize("left", ["checkpoints/0000000010.pt", "metrics.csv", "best/checkpoint.pt"])
def test_what_is_left_of_another_run_is_not_taken_over(run, tmp_path, left):
    file = tmp_path / "new" / left
    file.parent.mkdir(parents=True)
    file.write_bytes(run.files.list()[0].read_bytes())
    words = rf"{left} is of another run, whose config\.json is lost: remove it, or choose another"
    with pytest.raises(FileExistsError, match=words):
        RunFolder(tmp_path / "new").begin(DESCRIBED, CUT, [])
    assert file.exists()


def test_a_checksum_that_was_taken_away_is_missed_but_those_of_before_had_none(run, tmp_path):
    edit(run, lambda record: record.pop("checksum"))
    with pytest.raises(
        Damaged, match=r"config\.json is not as it was written: its checksum is gone"
    ):
        again(run).load_config()
    edit(run, lambda record: [record.pop(name) for name in ("processor", "git_dirty")])
    assert again(run).load_config()["seed"] == 3


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("metrics_rows", {}, r"metrics_rows is \{\}, expected its rows"),
        ("metrics_rows", {"rows": "1", "crc32": 1}, r"metrics_rows\.rows is '1', expected a whole"),
        ("processor", 5, "processor is 5, expected names with values"),
        ("versions", [1], r"versions is \[1\], expected names with values"),
        ("versions", {"torch": True}, r"versions\.torch is True, expected text"),
        ("record", "x" * 999, "record is 'xxx.*x\\.\\.\\., expected names with values"),
        ("replay_ends", [None], r"replay_ends\[0\] is None, expected a whole number"),
        ("changes", [{"step": 1}], r"changes\[0\] is .*, expected its config"),
        ("sources", None, "sources is None, expected names with values"),
        ("sources", {"data": {"path": 4}}, r"sources\.data\.path is 4, expected text"),
    ],
)
def test_values_of_another_kind_are_refused_by_name(run, name, value, words):
    last = run.files.list()[-1]
    save_checkpoint(last, load_checkpoint(last) | {name: value})
    with pytest.raises(CheckpointError, match=rf"{last.name} does not fit: {words}"):
        again(run).newest(DESCRIBED)
    save_record(run.config_file, load_record(run.config_file) | {name: value})
    for read in (again(run).load_config, lambda: again(run).newest(DESCRIBED)):
        with pytest.raises(CheckpointError, match=rf"config\.json does not fit: {words}"):
            read()


def test_sources_that_are_gone_are_told_as_that(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is nothing at .*rows"):
        source(tmp_path / "rows", [])


def test_a_best_that_is_lost_or_damaged_is_told_and_laid_aside(run):
    save_checkpoint(run.files.best, {"step": 20})
    assert run.has_best()
    run.files.best.write_bytes(run.files.best.read_bytes()[:-9])
    with pytest.warns(UserWarning, match=r"best/checkpoint\.pt is torn .*; the next evaluation"):
        assert not run.has_best()
    assert run.files.best.with_name("checkpoint.damaged").exists()
    with pytest.warns(UserWarning, match=r"best/checkpoint\.pt is lost; the next evaluation makes"):
        assert not run.has_best()


# metrics.csv ------------------------------------------------------------------------------------


def test_rows_that_are_lost_or_changed_are_noticed(run):
    whole = run.metrics_file.read_text()
    lines = whole.splitlines(keepends=True)
    for damaged, words in (
        ("".join(lines[:2] + lines[3:]), "has 5 rows up to step 30, and had 6"),
        (whole.replace("0.2,0.5", "0.7,0.5", 1), "rows up to step 30 differ"),
        (whole.replace("step", "stop", 1), "has 0 rows up to step 30, and had 6"),
        (whole.replace("0.2,", "0,2,", 1), "rows up to step 30 differ"),
        ("", "has 0 rows up to step 30, and had 6"),
    ):
        assert damaged != whole
        run.metrics_file.write_text(damaged)
        with pytest.raises(Damaged, match=words):
            again(run).newest(DESCRIBED)
    run.metrics_file.unlink()
    with pytest.raises(Damaged, match="has 0 rows up to step 30, and had 6"):
        again(run).newest(DESCRIBED)


def test_rows_lost_at_the_end_come_again_from_an_earlier_checkpoint(run):
    lines = run.metrics_file.read_text().splitlines(keepends=True)
    run.metrics_file.write_text("".join(lines[:-1]))
    with pytest.warns(UserWarning, match=r"has 5 rows .*; going on from .*/0000000020\.pt"):
        assert again(run).newest(DESCRIBED)["step"] == 20


def test_rows_written_after_the_checkpoint_do_not_count(run):
    with run.metrics_file.open("a") as file:
        file.write("35,0.5,\n")
    assert again(run).newest(DESCRIBED)["step"] == 30


# Elsewhere --------------------------------------------------------------------------------------


def test_another_processor_or_torch_is_told_once(run, monkeypatch):
    assert again(run).newest(DESCRIBED)["step"] == 30  # without a warning
    monkeypatch.setattr(
        folder, "origin", lambda: {"versions": {"torch": "1.9.0"}, "processor": {"name": "Z80"}}
    )
    moved = again(run)
    moved.newest(DESCRIBED)
    moved.write(40, DESCRIBED | {"step": 40}, None)
    words = r"not bit for bit as it would have: torch was 1\.9\.0, now .*; the processor was Z80"
    home = again(run)
    with pytest.warns(UserWarning, match=words):
        home.newest(DESCRIBED)
    monkeypatch.undo()
    home.write(50, DESCRIBED | {"step": 50}, None)
    assert again(run).newest(DESCRIBED)["step"] == 50


def test_the_origin_of_a_result_is_recorded(run):
    record = run.load_config()
    assert record["versions"]["torch"] == torch.__version__
    assert record["processor"]["capability"] == torch.backends.cpu.get_cpu_capability()
    assert record["processor"]["name"]
    assert (record["git_dirty"] is None) == (record["git_commit"] is None)


@pytest.mark.parametrize(
    ("told", "state"), [("ab12", ("ab12", False)), ("ab12-dirty", ("ab12", True))]
)
def test_a_commit_with_changes_is_told_apart(monkeypatch, told, state):
    class Answer:
        stdout = f"{told}\n"

    monkeypatch.setattr(provenance.Path, "exists", lambda _: True)
    monkeypatch.setattr(provenance.subprocess, "run", lambda *_, **__: Answer)
    assert (provenance.git_commit(), provenance.git_dirty()) == state


# Files of others --------------------------------------------------------------------------------


def test_files_of_others_are_known_by_their_content(run, tmp_path):
    file, copy = tmp_path / "data.npy", tmp_path / "copy.npy"
    file.write_bytes(b"one")
    copy.write_bytes(b"one")
    assert source(file, [file])["sha256"] == source(copy, [copy])["sha256"]
    begun = RunFolder(tmp_path / "begun")
    before = source(file, [file])
    begun.begin(DESCRIBED | {"sources": {"data": before}}, CUT, [])
    begun.check_sources({"data": before})
    file.write_bytes(b"two")
    now = source(file, [file])
    words = rf"data\.npy \(data\) is not what .*begun was begun with: .* {now['sha256']}, and was "
    with pytest.raises(CheckpointError, match=words + before["sha256"]):
        begun.check_sources({"data": now})
    begun.check_sources({})  # it is gone: who needs it will say so
    run.check_sources({"data": now})  # of before there were fingerprints


def test_a_run_is_known_by_its_best_checkpoint(run, tmp_path):
    last = checkpoint_source(run.path)
    assert last["sha256"] == checkpoint_source(run.path)["sha256"]
    run.files.best.parent.mkdir()
    run.files.best.write_bytes(run.files.list()[0].read_bytes())
    assert checkpoint_source(run.path) != last
    assert checkpoint_source(tmp_path / "nothing") is None
    assert checkpoint_source(tmp_path) is None


def test_files_that_others_laid_beside_checkpoints_are_not_counted(run):
    for name in ("0000000030 (copy).pt", "x.pt"):
        (run.files.folder / name).write_bytes(b"")
    assert [file.stem for file in Checkpoints(run.path).list()][-1] == "0000000030"


def test_a_folder_of_nearly_the_name_is_told(tmp_path):
    (tmp_path / "tr-tensorboard").mkdir()
    near = tmp_path / "tr-tensorboard"
    assert neighbour(tmp_path / "tr-tensorbord") == f"; did you mean {near}?"
    assert neighbour(near) == neighbour(tmp_path / "pole") == neighbour(near / "a" / "b") == ""
