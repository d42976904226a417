"""Pictures as people have them: any depth, upright, before white, and none left out in silence."""

import re
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from generative.data.dataset import DataNote
from generative.data.load import load_dataset

RNG = np.random.default_rng(0)
GREY = RNG.integers(256, size=(6, 5), dtype=np.uint8)
COLOUR = RNG.integers(256, size=(6, 5, 3), dtype=np.uint8)
CORNERS = np.zeros((2, 3, 3), np.uint8)  # red and blue on the left, from above
CORNERS[0, 0, 0] = CORNERS[1, 0, 2] = 255


def read(folder, **settings):
    data = load_dataset(str(folder), **settings)
    return data.x, data


@pytest.mark.parametrize(
    ("pixels", "ending", "expected"),
    [
        (np.linspace(0, 65535, 30).reshape(6, 5).astype(np.uint16), "png", 255 / 65535),
        (np.linspace(0, 65535, 30).reshape(6, 5).astype(np.uint16), "tif", 255 / 65535),
        (np.linspace(0, 4000, 30).reshape(6, 5).astype(np.uint16), "tif", 255 / 4095),
        (np.linspace(0, 255, 30).reshape(6, 5).astype(np.uint16), "png", 1.0),
        (np.linspace(0, 1, 30).reshape(6, 5).astype(np.float32), "tif", 255.0),
        (np.linspace(0, 70_000, 30).reshape(6, 5).astype(np.int32), "tif", 255 / (2**17 - 1)),
    ],
)
def test_deep_greys_keep_their_levels(tmp_path, pixels, ending, expected):
    Image.fromarray(pixels).save(tmp_path / f"a.{ending}")
    x, _ = read(tmp_path)
    assert x.shape == (1, 1, 6, 5)
    np.testing.assert_allclose(x[0, 0], pixels * expected, atol=0.501)


def test_deep_pictures_of_a_folder_share_a_scale(tmp_path):
    for name, most in (("dark", 1000), ("bright", 65535)):
        Image.fromarray(np.full((4, 4), most, np.uint16)).save(tmp_path / f"{name}.png")
    x, data = read(tmp_path)
    assert x[:, 0, 0, 0].tolist() == [255, 4]
    assert any("16 bits" in note for note in data.notes)
    Image.fromarray(np.full((4, 4), -3.0, np.float32)).save(tmp_path / "below.tif")
    with pytest.raises(ValueError, match=r"below\.tif: floating pictures range from -3"):
        read(tmp_path)


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
@pytest.mark.parametrize("size", [None, 16])
def test_pictures_lie_as_exif_says(tmp_path, ending, size):
    """Orientation 6: the first row is the right-hand side, so that it is turned clockwise."""
    exif = Image.Exif()
    exif[0x0112] = 6
    pixels = CORNERS.repeat(64, 0).repeat(64, 1)
    Image.fromarray(pixels).save(tmp_path / f"a.{ending}", exif=exif, quality=100)
    x, data = read(tmp_path, size=None if size is None else (size, size))
    upright = torch.from_numpy(np.rot90(pixels, -1).copy()).permute(2, 0, 1)
    assert data.shape[1:] == ((192, 128) if size is None else (16, 16))
    height, width = data.shape[1:]
    for row, column in ((1, 1), (1, width - 2), (height - 2, 1)):
        there = upright[:, row * 192 // height, column * 128 // width].int()
        assert (x[0, :, row, column].int() - there).abs().max() < 40


def test_what_is_under_transparency_does_not_show(tmp_path):
    hidden = np.dstack([COLOUR, np.zeros((6, 5), np.uint8)])
    hidden[2, 2] = (255, 0, 0, 255)
    half = np.dstack([GREY, np.full((6, 5), 128, np.uint8)])
    for name, pixels in (("colour", hidden), ("grey", half)):
        (tmp_path / name).mkdir()
        Image.fromarray(pixels).save(tmp_path / name / "a.png")
    x, _ = read(tmp_path / "colour")
    expected = torch.full((3, 6, 5), 255)
    expected[1:, 2, 2] = 0
    assert torch.equal(x[0].int(), expected.int())
    x, _ = read(tmp_path / "grey")
    over = 255 + (GREY.astype(float) - 255) * 128 / 255
    assert x.shape == (1, 1, 6, 5)
    np.testing.assert_allclose(x[0, 0], over, atol=1.01)
    np.save(tmp_path / "x.npy", hidden[None])
    assert torch.equal(load_dataset(str(tmp_path / "x.npy")).x[0].int(), expected.int())


def test_kinds_of_pictures(tmp_path):
    """Of every kind the same picture, each by a way that loses nothing."""
    plain = Image.fromarray(COLOUR)
    plain.save(tmp_path / "a.png")
    plain.quantize(30).save(tmp_path / "b.png")
    plain.quantize(30).save(tmp_path / "c.gif")
    plain.save(tmp_path / "d.tiff")
    plain.save(tmp_path / "e.BMP")
    plain.save(tmp_path / "f.webp", lossless=True)
    plain.save(tmp_path / "g.ppm")
    plain.convert("CMYK").save(tmp_path / "h.tif")
    plain.save(tmp_path / "i.jpg", "PNG")  # a PNG by its content
    x, data = read(tmp_path)
    assert data.notes == ("9 pictures taken",)
    for row in x:
        np.testing.assert_array_equal(row.permute(1, 2, 0), COLOUR)


def test_grey_of_any_kind_is_one_channel(tmp_path):
    plain = Image.fromarray(GREY)
    plain.save(tmp_path / "a.png")
    plain.save(tmp_path / "b.gif")
    plain.convert("P").save(tmp_path / "c.png")
    plain.save(tmp_path / "d.pgm")
    x, _ = read(tmp_path)
    assert torch.equal(x, torch.from_numpy(GREY).expand(4, 1, 6, 5))
    Image.fromarray(GREY > 99).save(tmp_path / "e.png")
    assert torch.equal(read(tmp_path)[0][4, 0], torch.from_numpy((GREY > 99) * np.uint8(255)))


def test_colours_of_16_bits_are_told_of_and_their_greys_stay_grey(tmp_path):
    """Pillow writes no such PNG, so that it is put together here: rows of numbers, packed."""

    def save(name, kind, pixels):
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        size = struct.pack(">IIBBBBB", pixels.shape[1], len(pixels), 16, kind, 0, 0, 0)
        parts = ((b"IHDR", size), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
        content = [
            struct.pack(">I", len(part)) + kind + part + struct.pack(">I", zlib.crc32(kind + part))
            for kind, part in parts
        ]
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(content))

    grey = GREY.astype(int) * 257
    save("a.png", 4, np.stack([grey, np.full_like(grey, 65535)], -1))
    x, data = read(tmp_path)
    assert torch.equal(x[0, 0], torch.from_numpy(GREY))
    assert not any("16 bits" in note for note in data.notes)
    save("b.png", 2, COLOUR.astype(int) * 257)
    x, data = read(tmp_path)
    np.testing.assert_array_equal(x[1].permute(1, 2, 0), COLOUR)
    assert "1 of 16 bits a colour, of which the upper 8 are kept" in data.notes


def test_of_a_film_the_first_frame_is_taken(tmp_path):
    frames = [Image.fromarray(np.roll(COLOUR, k, 0)).quantize(30) for k in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    x, data = read(tmp_path)
    np.testing.assert_array_equal(x[0].permute(1, 2, 0), COLOUR)
    assert data.notes[1:] == ("1 of several frames, of which the first is taken",)


def test_large_pictures_are_reduced_as_if_at_once(tmp_path):
    """Whether decoded smaller, reduced and then fitted, or averaged in one go."""
    y, x = np.mgrid[0:900, 0:1200]
    pixels = np.stack([y * 255 // 900, x * 255 // 1200, (x + y) // 9], 2).astype(np.uint8)
    (tmp_path / "jpg").mkdir()
    Image.fromarray(pixels).save(tmp_path / "jpg" / "a.jpg", quality=98)
    (tmp_path / "png").mkdir()
    Image.fromarray(pixels).save(tmp_path / "png" / "a.png")
    exact = pixels.reshape(30, 30, 40, 30, 3).mean((1, 3)).transpose(2, 0, 1)
    for name, most in (("png", 1.0), ("jpg", 3.0)):
        found, _ = read(tmp_path / name, size=(30, 40))
        assert np.abs(found[0].numpy() - exact).max() <= most, name


def test_what_is_taken_and_left_out_is_said_once(tmp_path):
    for k in range(3):
        (tmp_path / "cats" / "small").mkdir(parents=True, exist_ok=True)
        Image.fromarray(GREY).save(tmp_path / "cats" / "small" / f"{k}.png")
    (tmp_path / "dogs").mkdir()
    Image.fromarray(GREY).save(tmp_path / "dogs" / "a.tif")
    whole = (tmp_path / "dogs" / "a.tif").read_bytes()
    (tmp_path / "dogs" / "torn.tif").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "dogs" / "none.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "raw.CR2").write_bytes(b"")
    (tmp_path / ".hidden").mkdir()
    Image.fromarray(GREY).save(tmp_path / ".hidden" / "a.png")
    Image.fromarray(GREY).save(tmp_path / "dogs" / "._a.png")
    with pytest.warns(DataNote) as told:
        data = load_dataset(str(tmp_path))
    said = (
        r"4 pictures taken, 4 skipped: 1 no pictures \(\.txt\), 1 of kinds that cannot be read "
        r"\(\.cr2\), 2 damaged \(dogs/(none\.png|torn\.tif): .*, \.\.\.\)"
    )
    assert len(told) == 1
    assert told[0].filename == __file__
    assert re.fullmatch(said, data.notes[0]), data.notes
    assert data.class_names == ("cats", "dogs")
    assert data.labels.tolist() == [0, 0, 0, 1]
