"""Run folders and saved models: what is written, what is found, what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import generative
from generative.autoencoders.config import VAEConfig
from generative.autoencoders.variational import VAE
from generative.data.load import load_dataset
from generative.data.parts import DataConfig, load_parts, load_run_data, sources
from generative.loading import build_model, from_manifest
from generative.training.run import RunConfig, RunFolder
from generative.training.trainer import Trainer
from nets.runs.checkpoint import CheckpointError, save_checkpoint
from nets.runs.fingerprints import checkpoint_source
from nets.runs.ownership import Occupied

SMALL = VAEConfig(hidden=(8,), latent=2, batch_size=16)


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", limit=100)


@pytest.fixture
def model(digits):
    return build_model("vae", digits, SMALL, seed=1)


@pytest.fixture
def run(tmp_path, model, digits):
    run, config = RunFolder(tmp_path / "run"), RunConfig.default(12, segment_steps=2)
    run.create(model.manifest() | {"seed": 1}, config, ["test"])
    Trainer(model, digits, run, config, device="cpu", progress=False).run(12)
    return run


@pytest.mark.parametrize("steps", [1, 7, 1000, 10**6])
def test_default_lengths_suit_every_training(steps):
    config = RunConfig.default(steps, eval_every=None, threads=2)
    assert config.steps == steps
    assert 1 <= config.log_every <= config.segment_steps <= max(steps, 1)
    assert 1 <= config.eval_every <= steps
    assert config.threads == 2
    assert RunConfig.default(steps, eval_every=0).eval_every == 0


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("segment_steps", 0, "segment_steps is 0: expected at least 1"),
        ("log_every", 0, "log_every is 0: expected at least 1"),
        ("draw_every", -1, "draw_every is -1: expected at least 0"),
        ("held_out", 1.0, r"held_out is 1.0: expected a number in \[0, 1\)"),
    ],
)
def test_lengths_that_make_no_sense_are_named(name, value, words):
    with pytest.raises(ValueError, match=words):
        replace(RunConfig.default(100), **{name: value})


def test_three_checkpoints_are_kept_and_found_by_name(run):
    assert [file.stem for file in run.files.list()] == ["0000000008", "0000000010", "0000000012"]
    assert run.files.find() == run.files.list()[-1]  # nothing was held out: there is no best
    assert run.files.find("0000000010") == run.files.list()[1]
    with pytest.raises(FileNotFoundError, match="no checkpoint 'best'; it has: 0000000008, "):
        run.files.find("best")


def test_a_folder_holds_one_run_and_grows_only(run, model):
    with pytest.raises(FileExistsError, match="already holds a run: resume it"):
        run.create(model.manifest(), RunConfig.default(5))
    assert run.extend(20).steps == 20
    assert run.run_config().steps == 20
    assert run.run_config().segment_steps == 2
    with pytest.raises(ValueError, match=r"steps is 19: .* was started with 20"):
        run.extend(19)


def test_a_folder_has_one_owner(run, model, digits):
    other, config = RunFolder(run.path), RunConfig.default(14, segment_steps=2)
    with other.owned(), pytest.raises(Occupied, match=r"has an owner: process \d+ on "):
        Trainer(model, digits, run, config, device="cpu", progress=False).run(14)
    assert run.files.list()[-1].stem == "0000000012"
    with other.owned(), run.owned(leads=False):  # helpers of the owner write nothing
        pass


def test_a_damaged_checkpoint_gives_way_to_the_one_before(run, model, digits):
    last = run.files.list()[-1]
    whole, rows = last.read_bytes(), run.metrics_file.read_bytes()
    last.write_bytes(whole[:-100])
    again = build_model("vae", digits, SMALL, seed=1)
    config = RunConfig.default(12, segment_steps=2)
    trainer = Trainer(again, digits, RunFolder(run.path), config, device="cpu", progress=False)
    with pytest.warns(UserWarning, match=r"0000000012\.pt is torn .*; going on from .*10\.pt"):
        trainer.run(12)
    assert run.metrics_file.read_bytes() == rows
    for name, value in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


def test_a_checkpoint_of_another_run_is_refused_with_both_values(run, digits):
    config = RunConfig.default(14, segment_steps=2)
    for settings, seed, words in (
        (replace(SMALL, latent=3), 0, r"config\.latent is 3, in 0000000012\.pt 2"),
        (SMALL, 5, r"seed is 5, in 0000000012\.pt 0"),
    ):
        model = build_model("vae", digits, settings)
        trainer = Trainer(model, digits, run, config, seed=seed, device="cpu", progress=False)
        with pytest.raises(CheckpointError, match=rf"is of another run than .*: {words}"):
            trainer.run(14)


def test_data_of_others_have_a_fingerprint(tmp_path, run):
    file, config = tmp_path / "data.npy", DataConfig.of("digits")
    assert sources(config) == sources(DataConfig.of("frames:dreamgym/Catch-v0")) == {}
    np.save(file, np.zeros((4, 2)))
    before = sources(DataConfig.of(str(file)))["data"]
    assert before["path"] == str(file)
    np.save(file, np.ones((4, 2)))
    assert sources(DataConfig.of(str(file)))["data"]["sha256"] != before["sha256"]
    played = sources(DataConfig.of(f"frames:dreamgym/Catch-v0@{run.path}"))["data"]
    assert played == checkpoint_source(run.path)


def test_pictures_and_labels_belong_to_the_fingerprint(tmp_path):
    idx, folder = tmp_path / "train-images-idx3-ubyte", tmp_path / "pictures"
    labels = tmp_path / "train-labels-idx1-ubyte"
    idx.write_bytes(b"pictures")
    alone = sources(DataConfig.of(str(idx)))
    labels.write_bytes(b"labels")
    assert sources(DataConfig.of(str(idx))) != alone
    for name in ("cat/1.png", "dog/2.png"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(name.encode())
    before = sources(DataConfig.of(str(folder)))
    (folder / "notes.txt").write_text("not a picture")
    assert sources(DataConfig.of(str(folder))) == before
    (folder / "dog" / "1.png").write_bytes((folder / "cat" / "1.png").read_bytes())
    assert sources(DataConfig.of(str(folder))) != before


def test_folders_of_others_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is not a run folder: it has no config\.json"):
        RunFolder(tmp_path).load_config()
    (tmp_path / "config.json").write_text(json.dumps({"algorithm": "dqn"}))
    with pytest.raises(ValueError, match="is not a run of a generative model"):
        RunFolder(tmp_path).load_config()


def test_a_run_gives_back_its_model(run, model):
    loaded = generative.load(run.path, device="cpu")
    assert isinstance(loaded, VAE)
    assert loaded.config == SMALL
    assert not loaded.training
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    older = generative.load(run.path, checkpoint="0000000008", device="cpu")
    assert not torch.equal(older.encoder[1].weight, loaded.encoder[1].weight)


def test_a_saved_model_is_the_same_in_another_process_s_eyes(tmp_path, model, digits):
    generative.save(model, tmp_path / "model.pt")
    loaded = generative.load(tmp_path / "model.pt", device="cpu")
    x = digits.batch(slice(0, 5)).x
    with torch.no_grad():
        assert torch.equal(loaded.reconstruct(x), model.eval().reconstruct(x))


def test_loading_leaves_global_generators_alone(run):
    before = torch.random.get_rng_state()
    generative.load(run.path, device="cpu")
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"algorithm": "dqn"}, "holds no generative model"),
        ({"kind": "generative", "model": "vae"}, "does not fit: it has no"),
        ({"kind": "generative", "model": "vea"}, "unknown model 'vea'; did you mean 'vae'"),
    ],
)
def test_foreign_files_are_refused_by_name(tmp_path, state, words):
    save_checkpoint(tmp_path / "x.pt", state)
    with pytest.raises(CheckpointError, match=f"x.pt .*{words}"):
        generative.load(tmp_path / "x.pt")


def test_weights_that_do_not_fit_name_the_file(tmp_path, model):
    state = model.manifest() | {"weights": model.state_dict()}
    state["config"] = state["config"] | {"latent": 3}
    save_checkpoint(tmp_path / "x.pt", state)
    with pytest.raises(CheckpointError, match=r"x\.pt does not fit"):
        generative.load(tmp_path / "x.pt")


def test_weights_follow_from_the_seed(digits, model):
    again, other = (build_model("vae", digits, SMALL, seed=seed) for seed in (1, 2))
    rebuilt = from_manifest(model.manifest(), seed=1)
    name = "encoder.1.weight"
    assert torch.equal(again.state_dict()[name], model.state_dict()[name])
    assert torch.equal(rebuilt.state_dict()[name], model.state_dict()[name])
    assert not torch.equal(other.state_dict()[name], model.state_dict()[name])


def test_parts_of_the_data_are_disjoint_and_can_be_had_again():
    data = DataConfig("digits", limit=100)
    train, held_out = load_parts(data, 0.2, seed=3)
    assert (len(train), len(held_out)) == (80, 20)
    everything = load_dataset("digits", limit=100, seed=3).x.flatten(1).float()
    both = torch.cat([train.x, held_out.x]).flatten(1).float()
    assert torch.equal(both.sum(0), everything.sum(0))
    record = {"data": {"spec": "digits", "limit": 100}, "seed": 3, "run": {"held_out": 0.2}}
    again = load_run_data(record)
    assert torch.equal(again[0].x, train.x)
    assert torch.equal(again[1].x, held_out.x)
    assert load_parts(data, 0.0, seed=3)[1] is None


def test_paths_are_made_absolute(tmp_path, monkeypatch):
    (tmp_path / "pictures").mkdir()
    monkeypatch.chdir(tmp_path)
    data = DataConfig.of("pictures", 32)
    assert data == DataConfig(str(tmp_path / "pictures"), 32, None)
    assert data.title == "pictures"
    assert DataConfig.of("sprites:shape").spec == "sprites:shape"
    played = DataConfig.of("frames:CartPole-v1@pictures")
    assert played.spec == f"frames:CartPole-v1@{tmp_path / 'pictures'}"
    assert played.title == "frames:CartPole-v1@pictures"
