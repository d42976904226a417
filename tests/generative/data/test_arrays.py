"""Arrays and pictures that claim more than they hold, or would not fit into memory."""

import bz2
import gzip
import os
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from generative.data import arrays
from generative.data.load import load_dataset

ROWS = np.arange(12, dtype=np.float32).reshape(6, 2)


def header(shape, descr="<f4"):
    """The beginning of an .npy file."""
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode()
    text = text.ljust(118) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def idx(shape, content=b""):
    return b"\x00\x00\x08" + bytes([len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + content


def refused(path, content, match):
    """Loading `content` is refused by a ValueError that names the file, in little memory."""
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ValueError, match=rf"{path.name} cannot be read: .*{match}"):
        load_dataset(str(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**26


def packed(content, method=zipfile.ZIP_DEFLATED):
    """An .npz with `content` as its rows."""

    def write(path):
        with zipfile.ZipFile(path, "w", method) as archive, archive.open("x.npy", "w") as file:
            for part in content:
                file.write(part)
        return path.read_bytes()

    return write


@pytest.mark.parametrize(
    "head",
    [
        *(header((10**12,)), header((10**6, 10**6, 10**6)), header((7,), "<U999999999")),
        *(header((-1,)), header((10**12, 0)), header((10**12,), "|V0"), header((10**12,), "<U0")),
    ],
    ids=["long", "wide", "broad letters", "negative", "empty rows", "nothing", "empty words"],
)
def test_arrays_that_claim_more_than_their_file_are_refused(tmp_path, head):
    refused(tmp_path / "x.npy", head + ROWS.tobytes(), "")
    refused(tmp_path / "x.npz", packed([head, ROWS.tobytes()])(tmp_path / "x.npz"), "")


@pytest.fixture
def little_fits(monkeypatch):
    monkeypatch.setattr(arrays, "ALWAYS_FITS", 2**20)


@pytest.mark.usefixtures("little_fits")
def test_an_archive_that_inflates_beyond_reason_is_refused(tmp_path):
    content = packed([header((2**23,), "|u1"), bytes(2**23)])(tmp_path / "x.npz")
    assert len(content) < 2**14
    refused(tmp_path / "x.npz", content, r"it claims 8,388,7\d\d bytes, and holds \d,\d+$")


def test_what_is_packed_well_is_read(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", np.zeros((2**16, 32), np.float32))
    assert load_dataset(str(tmp_path / "x.npz")).x.shape == (2**16, 32)


def test_packings_that_numpy_does_not_use_are_refused(tmp_path):
    """LZMA reserves gigabytes for its dictionary where it is told so."""
    content = packed([header((2, 2)), bytes(16)], zipfile.ZIP_LZMA)(tmp_path / "x.npz")
    refused(tmp_path / "x.npz", content, "packed as NumPy never does")


@pytest.mark.parametrize("shape", [(10**9, 1000), (2**32 - 1,) * 3, (4, 2)])
def test_idx_files_that_claim_more_than_they_hold_are_refused(tmp_path, shape):
    refused(tmp_path / "a-idx3", idx(shape, bytes(7)), "it holds 7 bytes for the shape")
    refused(tmp_path / "a-idx3.gz", gzip.compress(idx(shape, bytes(7))), "it (claims|holds)")


@pytest.mark.usefixtures("little_fits")
def test_idx_files_that_inflate_beyond_reason_are_refused(tmp_path):
    zeros = gzip.compress(idx((2**23,), bytes(2**23)))
    refused(tmp_path / "a-idx1.gz", zeros, "it claims 8,388,608 bytes, and holds 8,")
    short = gzip.compress(idx((4, 2), bytes(9)))
    refused(tmp_path / "a-idx1.gz", short, "it holds more than 8 bytes for the shape")
    refused(tmp_path / "a-idx1.gz", bz2.compress(short), "")


@pytest.mark.parametrize("last", [10**12, np.uint64(2**63 + 1)])
def test_labels_do_not_make_a_million_classes(tmp_path, last):
    y = np.array([0, 1, 2, 3, 4, last], np.asarray(last).dtype)
    np.savez(tmp_path / "x.npz", x=ROWS, y=y)
    data = load_dataset(str(tmp_path / "x.npz"))
    assert data.class_names == tuple(map(str, y.tolist()))
    np.savez(tmp_path / "x.npz", x=np.zeros((100_001, 1), np.float32), y=np.arange(100_001))
    data = load_dataset(str(tmp_path / "x.npz"))
    assert data.labels is None
    assert "no classes from y: labels are 100,001 classes" in data.notes[0]


def test_what_nobody_asked_for_beside_rows_ends_nothing_and_takes_no_room(tmp_path):
    """An array of a million words of one letter would become ninety million bytes of words."""
    rows = {"x": ROWS, "labels": np.arange(6), "factors": np.eye(6, dtype=int)}
    for name, value, words in (
        ("class_names", np.zeros(10**6, "<U1"), "class_names left out: class_names have shape"),
        ("class_names", np.array("cat"), "class_names have shape []"),
        ("class_names", np.array(["cat"]), "left out: labels range from 0 to 5, expected 0..0"),
        ("factor_names", np.zeros(10**6, "<U1"), "factor_names have shape [1000000]"),
        ("factor_names", np.array(["colour", "size"]), "6 factors have 2 names"),
        ("labels", np.zeros(10**6, np.uint8), "no classes from labels: 1,000,000 labels for 6"),
        ("factors", np.zeros((6, 10**5), np.uint8), "they have shape [6, 100000]"),
        ("factors", np.zeros((5, 2), int), "they have shape [5, 2] for 6 rows"),
        ("factors", np.ones((6, 2)), "no factors from factors: they are float64"),
    ):
        np.savez_compressed(tmp_path / "x.npz", **rows | {name: value})
        tracemalloc.start()
        data = load_dataset(str(tmp_path / "x.npz"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2**24
        assert any(words in note for note in data.notes), data.notes
        assert (data.labels is None) == (name == "labels")
        assert (data.factors is None) == name.startswith("factor")
    np.savez(tmp_path / "x.npz", x=ROWS, own=np.arange(5))
    with pytest.raises(ValueError, match=r"x\.npz: own: 5 labels for 6 rows"):
        load_dataset(str(tmp_path / "x.npz"), labels="own")


def png(width, height):
    """The beginning of a white picture of one bit per pixel."""

    def chunk(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    data = zlib.compress(b"\x00" + b"\xff" * min((width + 7) // 8, 2**16))
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("size", [(9000, 9000), (10**5, 10**5), (2**31 - 1, 2**31 - 1)])
def test_pictures_of_absurd_sizes_are_refused(tmp_path, size):
    (tmp_path / "a.png").write_bytes(png(*size))
    with pytest.raises(ValueError, match=r"a\.png cannot be read"):
        load_dataset(str(tmp_path), size=8)


def test_a_picture_is_read_as_what_its_kind_says_and_starts_no_program(tmp_path, monkeypatch):
    """PIL would give PostScript to Ghostscript, whatever the file's name."""
    called = []
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", lambda *given: called.append(given))
    text = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n"
    (tmp_path / "a.png").write_bytes(text)
    with pytest.raises(ValueError, match=r"a\.png cannot be read: cannot identify"):
        load_dataset(str(tmp_path))
    assert not called


def test_pictures_are_made_small_one_by_one(tmp_path):
    for k in range(12):
        Image.new("RGB", (1000, 1000), (k, 0, 0)).save(tmp_path / f"{k:02d}.png")
    tracemalloc.start()
    data = load_dataset(str(tmp_path), size=4)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert data.x[:, 0, 0, 0].tolist() == list(range(12))
    assert peak < 12 * 1000 * 1000 * 3


def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.npy")
    with pytest.raises(ValueError, match=r"x\.npy is no file"):
        load_dataset(str(tmp_path / "x.npy"))
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a\.png cannot be read: it is no file"):
        load_dataset(str(tmp_path))
