"""Data larger than memory: rows that stay in files are those that would be in memory."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from generative import VAE, Trainer, VAEConfig
from generative.data import files, stored
from generative.data.dataset import Dataset
from generative.data.load import load_dataset
from generative.data.stored import Stored
from generative.loading import build_model
from generative.training.run import RunConfig, RunFolder

RNG = np.random.default_rng(0)
BYTES = RNG.integers(256, size=(40, 8, 8, 3), dtype=np.uint8)


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(stored, "IN_MEMORY", 0)
    monkeypatch.setattr(files, "IN_MEMORY", 0)


def folder(path):
    (path / "pictures").mkdir()
    for k, picture in enumerate(BYTES):
        Image.fromarray(picture).save(path / "pictures" / f"{k:02d}.png")
    return path / "pictures"


def array(values, name, save=np.save):
    def write(path):
        save(path / name, values)
        return path / name

    return write


KINDS = {
    "bytes": array(BYTES, "x.npy"),
    "floats": array(BYTES / 255, "x.npy"),
    "big-endian": array(RNG.standard_normal((40, 5)).astype(">f8"), "x.npy"),
    "deep": array(BYTES[..., 0].astype(np.uint16) * 257, "x.npy"),
    "columns first": array(np.asfortranarray(BYTES), "x.npy"),
    "archive": array(BYTES, "x.npz", np.savez),
    "packed archive": array(BYTES, "x.npz", np.savez_compressed),
    "folder": folder,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [None, 17])
def test_rows_in_files_are_those_in_memory(tmp_path, kind, limit, request):
    path = KINDS[kind](tmp_path)
    near = load_dataset(str(path), limit=limit, seed=1)
    request.getfixturevalue("little_memory")
    far = load_dataset(str(path), limit=limit, seed=1)
    assert isinstance(far.x, Stored)
    assert not isinstance(near.x, Stored)
    assert (far.shape, len(far), far.x.dtype) == (near.shape, len(near), near.x.dtype)
    index = torch.tensor([3, 3, 16, 0, 1, 2])
    assert torch.equal(far.batch(index).x, near.batch(index).x)
    for some, same in zip(far.split(0.4, 2), near.split(0.4, 2), strict=True):
        assert isinstance(some.x, Stored)
        assert torch.equal(some.x[:], same.x)
        assert torch.equal(
            some.limited(3, 1).batch(slice(1, 3)).x,
            same.limited(3, 1).x[1:3]
            if same.x.dtype != torch.uint8
            else same.limited(3, 1).batch(slice(1, 3)).x,
        )
    sized = {"size": (4, 6)} if near.x.ndim == 4 else {}
    again = load_dataset(str(path), limit=limit, seed=1, **sized).x[:]
    assert again.shape[2:] == ((4, 6) if sized else ())


@pytest.mark.usefixtures("little_memory")
def test_training_from_a_file_is_that_in_memory_and_resumes_the_same(tmp_path):
    path = KINDS["bytes"](tmp_path)
    config = RunConfig.default(12, segment_steps=4, draw_every=0, eval_every=4, log_every=4)
    settings = VAEConfig(batch_size=8, hidden=(16,), channels=(8,), latent=2)

    def trained(data: Dataset, name, *stops):
        train, held_out = data.split(0.2)
        run = RunFolder(tmp_path / name)
        model = build_model("vae", train, settings)
        run.create(model.manifest() | {"seed": 0}, config)
        for stop in stops:
            model = build_model("vae", train, settings)
            Trainer(model, train, run, config, held_out=held_out, progress=False).run(stop)
        assert isinstance(model, VAE)
        return model.state_dict()

    far = load_dataset(str(path))
    assert isinstance(far.x, Stored)
    near = Dataset(far.name, far.x[:])
    expected = trained(near, "near", 12)
    for name, stops in (("far", (12,)), ("again", (4, 12))):
        found = trained(far, name, *stops)
        assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_a_limit_reads_its_rows_alone(tmp_path):
    """A sparse file of 4 terabytes, of which nothing but 5 rows can be read."""
    path = tmp_path / "x.npy"
    head = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 64, 64)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
        os.truncate(path, file.tell() + 10**9 * 64 * 64)
    index = torch.arange(5) * 10**8
    member = next(iter(files.open_arrays(path).values()))
    assert sum(len(block) for block in member.blocks(index.numpy())) == 5


def test_a_file_that_shrinks_is_named(tmp_path, little_memory):
    path = KINDS["bytes"](tmp_path)
    data = load_dataset(str(path))
    os.truncate(path, 1000)
    with pytest.raises(ValueError, match=r"x\.npy cannot be read: it ends within row 39"):
        data.batch(torch.tensor([0, 39]))


@pytest.mark.usefixtures("little_memory")
def test_there_must_be_room_for_what_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(
        stored.shutil, "disk_usage", lambda _: stored.shutil._ntuple_diskusage(9, 9, 0)
    )
    with pytest.raises(ValueError, match=r"bytes of rows do not fit into .* TMPDIR"):
        load_dataset(str(KINDS["packed archive"](tmp_path)))
