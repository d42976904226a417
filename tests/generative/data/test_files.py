"""Data in files: round trips, and errors that name the file."""

import gzip
import io
import pickle
import struct

import numpy as np
import pytest
from PIL import Image

from generative.data.dataset import DataNote
from generative.data.files import load_files
from generative.data.folders import find_pictures
from generative.data.load import load_dataset
from generative.data.parts import DataConfig

RNG = np.random.default_rng(0)
GREY = RNG.integers(256, size=(6, 5, 4), dtype=np.uint8)  # [N, H, W]
COLOUR = RNG.integers(256, size=(6, 5, 4, 3), dtype=np.uint8)  # [N, H, W, C]


def save_images(folder, pictures, suffix=".png"):
    folder.mkdir(parents=True, exist_ok=True)
    for k, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{k:02d}{suffix}")
    return folder


@pytest.mark.parametrize("pictures", [GREY, COLOUR])
def test_folder_round_trip(tmp_path, pictures):
    data = load_dataset(str(save_images(tmp_path / "pictures", pictures)))
    expected = pictures[:, None] if pictures.ndim == 3 else pictures.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(data.x, expected)
    assert data.labels is None
    assert data.x.is_contiguous()


def test_folder_of_classes(tmp_path):
    save_images(tmp_path / "zebra", COLOUR[:2])
    save_images(tmp_path / "ant", COLOUR[2:])
    (tmp_path / "notes").mkdir()  # holds no images, so it is no class
    data = load_dataset(str(tmp_path))
    assert data.class_names == ("ant", "zebra")
    assert data.labels.tolist() == [0, 0, 0, 0, 1, 1]
    np.testing.assert_array_equal(data.x[4:], COLOUR[:2].transpose(0, 3, 1, 2))


def test_folder_limit_keeps_labels_with_their_images(tmp_path):
    save_images(tmp_path / "a", COLOUR[:3])
    save_images(tmp_path / "b", COLOUR[3:])
    whole, some = load_dataset(str(tmp_path)), load_dataset(str(tmp_path), limit=4, seed=1)
    rows = [next(k for k in range(6) if (whole.x[k] == x).all()) for x in some.x]
    assert rows == sorted(set(rows))
    assert rows != [0, 1, 2, 3]
    assert some.labels.tolist() == whole.labels[rows].tolist()


def test_grey_and_coloured_images_together_are_coloured(tmp_path):
    save_images(tmp_path, COLOUR[:1])
    Image.fromarray(GREY[0]).save(tmp_path / "grey.png")
    data = load_dataset(str(tmp_path))
    assert data.x.shape == (2, 3, 5, 4)
    np.testing.assert_array_equal(data.x[1], np.stack([GREY[0]] * 3))


def test_mixed_sizes_are_made_equal_and_that_is_said(tmp_path):
    save_images(tmp_path, COLOUR[:1])
    Image.fromarray(COLOUR[0, :3, :3].copy()).save(tmp_path / "odd.png")
    data = load_dataset(str(tmp_path))
    assert data.x.shape == (2, 3, 64, 64)
    assert any("3x3 to 5x4 pixels" in note and "64x64" in note for note in data.notes)
    assert load_dataset(str(tmp_path), size=2).x.shape == (2, 3, 2, 2)


def test_unfit_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        load_dataset(str(tmp_path))
    (tmp_path / "a.heic").write_bytes(b"")
    with pytest.raises(ValueError, match=r"holds no images .*, but 1 other files \(\.heic\)"):
        load_dataset(str(tmp_path))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "torn.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(ValueError, match=r"torn\.png cannot be read"):
        load_dataset(str(tmp_path / "broken"))


LAYOUTS = {
    "grey": (GREY, GREY[:, None]),
    "channels last": (COLOUR, COLOUR.transpose(0, 3, 1, 2)),
    "channels first": (COLOUR.transpose(0, 3, 1, 2), COLOUR.transpose(0, 3, 1, 2)),
    "masks": (GREY > 100, (GREY > 100)[:, None] * np.uint8(255)),
    "masks as bytes": ((GREY > 100).astype(np.uint8), (GREY > 100)[:, None] * np.uint8(255)),
    "floats": (GREY / 255, (GREY / 255).astype(np.float32)[:, None]),
    "floats, rounded": (GREY / 255 * 1.0001 - 5e-5, (GREY / 255).astype(np.float32)[:, None]),
    "vectors": (GREY[0] / 9, (GREY[0] / 9).astype(np.float32)),
    "vectors of bytes": (GREY[0], GREY[0].astype(np.float32)),
    "vectors of flags": (GREY[0] > 100, (GREY[0] > 100).astype(np.float32)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_npy_layouts(tmp_path, layout):
    given, expected = LAYOUTS[layout]
    np.save(tmp_path / "x.npy", given)
    data = load_dataset(str(tmp_path / "x.npy"))
    if layout == "floats, rounded":
        np.testing.assert_allclose(data.x, expected, atol=1e-4)
        assert data.notes[0].endswith("were cut to [0, 1]")
    else:
        np.testing.assert_array_equal(data.x, expected)
    assert data.x.numpy().dtype == expected.dtype


def test_npz_with_labels_and_factors(tmp_path):
    path = tmp_path / "some.npz"
    factors = np.array([[1, 7], [1, 8], [1, 9], [1, 7], [1, 8], [1, 9]])
    names = {"class_names": ["cat", "dog"], "factor_names": ["colour", "pose"]}
    np.savez(path, images=COLOUR, y=np.array([0, 1] * 3), factors=factors, **names)
    data = load_dataset(str(path), limit=3, seed=2)
    whole = load_dataset(str(path))
    assert whole.labels.tolist() == [0, 1] * 3
    assert whole.class_names == ("cat", "dog")
    assert whole.factor_names == ("pose",)  # the other is constant
    assert whole.factors.tolist() == [[0], [1], [2]] * 2  # counted from 0
    rows = [next(k for k in range(6) if (whole.x[k] == x).all()) for x in data.x]
    assert data.labels.tolist() == whole.labels[rows].tolist()
    assert data.factors.tolist() == whole.factors[rows].tolist()


def test_mnist_as_keras_and_as_lecun_stored_it(tmp_path):
    labels = np.arange(6, dtype=np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=GREY, y_train=labels, x_test=GREY[:1])
    keras = load_dataset(str(tmp_path / "mnist.npz"))

    def idx(array):
        shape = np.array(array.shape, ">u4").tobytes()
        return b"\x00\x00\x08" + bytes([array.ndim]) + shape + array.tobytes()

    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx(GREY))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(labels))
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(GREY)))
    lecun = load_dataset(str(tmp_path / "train-images-idx3-ubyte"))
    packed = load_dataset(str(tmp_path / "t10k-images-idx3-ubyte.gz"))
    for data in (keras, lecun):
        np.testing.assert_array_equal(data.x, GREY[:, None])
        assert data.labels.tolist() == list(range(6))
        assert data.num_classes == 6
    np.testing.assert_array_equal(packed.x, GREY[:, None])
    assert packed.labels is None
    (tmp_path / "torn-idx3").write_bytes(idx(GREY)[:-1])
    with pytest.raises(ValueError, match="torn-idx3 cannot be read: it holds 119 bytes"):
        load_dataset(str(tmp_path / "torn-idx3"))


def test_published_sprites_are_read_without_their_pickled_part(tmp_path):
    classes = np.stack([np.zeros(6), np.arange(6) % 3, np.arange(6) % 2], axis=1).astype(np.int64)
    metadata = np.array({"title": "pickled"}, object)
    path = tmp_path / "dsprites.npz"
    np.savez(path, imgs=(GREY > 99).astype(np.uint8), latents_classes=classes, metadata=metadata)
    data = load_dataset(str(path))
    np.testing.assert_array_equal(data.batch(slice(None)).x[:, 0], GREY > 99)
    assert data.factor_names == ("factor 1", "factor 2")
    np.testing.assert_array_equal(data.factors, classes[:, 1:])


@pytest.mark.parametrize(
    ("array", "error", "message"),
    [
        (GREY.astype(np.int64) - 9, ValueError, "pictures of int64 range from -9 to"),
        (GREY.astype(complex), TypeError, "values are complex128, expected numbers"),
        (GREY[:0], ValueError, "is empty"),
        (np.full((3, 2), np.nan), ValueError, "row 0 holds NaN"),
        (np.array(["a", "b"]), TypeError, "values are <U1"),
        (GREY[0, 0], ValueError, r"shape \[4\]"),
        (np.full((3, 4, 4), np.inf, np.float16), ValueError, "row 0 holds NaN or infinity"),
        (GREY.astype(float) * 2, ValueError, r"range from .*expected \[0, 1\]"),
        (GREY.astype(float) / 16, ValueError, r"range from .*expected \[0, 1\]"),
    ],
)
def test_unfit_arrays_are_refused_by_file_name(tmp_path, array, error, message):
    np.save(tmp_path / "bad.npy", array)
    with pytest.raises(error, match=rf"bad\.npy.*{message}"):
        load_dataset(str(tmp_path / "bad.npy"))


class Bomb:
    def __reduce__(self):
        return open, ("boom", "w")


def test_files_never_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    objects = np.array([Bomb(), Bomb()], object)
    np.save(tmp_path / "x.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "x.npz", images=objects)
    (tmp_path / "raw.npy").write_bytes(pickle.dumps(Bomb()))
    for name in ("x.npy", "x.npz", "raw.npy"):
        with pytest.raises(ValueError, match=rf"{name} cannot be read"):
            load_dataset(str(tmp_path / name))
    assert not (tmp_path / "boom").exists()


def test_names_of_files_that_look_like_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_images(tmp_path / "faces", GREY)
    save_images(tmp_path / "digits", GREY)
    np.save("at 12:30.npy", GREY)
    for spec in ("faces", "./digits", "at 12:30.npy"):
        np.testing.assert_array_equal(load_dataset(spec).x, GREY[:, None])
    with pytest.warns(DataNote, match=r"for what lies here, write \./digits"):
        named = load_dataset("digits")
    assert len(named) == 1797  # the name comes before the folder
    assert DataConfig.of("digits").spec == "digits"  # for the command too
    save_images(tmp_path / "photos@2x", GREY)
    assert DataConfig.of("photos@2x").spec == str(tmp_path / "photos@2x")


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no data at .*none\.npz"):
        load_dataset(str(tmp_path / "none.npz"))
    (tmp_path / "x.h5").write_text("1,2")
    with pytest.raises(ValueError, match=r"x\.h5 is no data file"):
        load_dataset(str(tmp_path / "x.h5"))
    np.savez(tmp_path / "two.npz", a=GREY, b=GREY)
    with pytest.raises(ValueError, match=r"two\.npz cannot be read: it holds \['a', 'b'\]"):
        load_dataset(str(tmp_path / "two.npz"))
    buffer = io.BytesIO()
    np.savez(buffer, x=GREY)
    (tmp_path / "torn.npz").write_bytes(buffer.getvalue()[:100])
    with pytest.raises(ValueError, match=r"torn\.npz cannot be read"):
        load_dataset(str(tmp_path / "torn.npz"))


@pytest.mark.parametrize(
    ("name", "content", "folder", "said"),
    [
        (
            "a.h5",
            b"\x89something",
            False,
            r"a\.h5 is no data file: expected .*; save its rows as .npz, or as .csv",
        ),
        ("a.zip", b"\x89something", False, r"a\.zip is no data file: .*; unpack it"),
        ("a.txt", b"\x89something", False, r"a\.txt is no data file: .* or a folder of images$"),
        ("a.png", b"\x89something", False, r"a\.png is one picture: expected the folder of all"),
        ("a.npz", b"", True, r"but 1 other files \(\.npz\); give one of them, such as .*a\.npz"),
        ("a.h5", b"", True, r"1 other files \(\.h5\); save its rows as .npz"),
        ("a.heic", b"", True, r"1 other files \(\.heic\); save such pictures as .png or .jpg"),
        ("a.mp4", b"", True, r"1 other files \(\.mp4\); save its frames"),
    ],
)
def test_what_others_keep_is_refused_with_what_to_do(tmp_path, name, content, folder, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=said):
        load_files(tmp_path if folder else tmp_path / name)


def test_pickled_labels_are_left_out_and_said(tmp_path):
    pictures, file = np.zeros((4, 5, 5), np.uint8), tmp_path / "d.npz"
    np.savez(file, images=pictures, labels=np.array(["a", "b", "a", "b"], dtype=object))
    data = load_files(file)
    assert data.labels is None
    assert data.notes[-1] == "labels left out: pickled objects, which may run code"
    with pytest.raises(ValueError, match="it holds pickled objects"):
        load_files(file, labels="labels")
    np.savez(file, images=pictures.astype(object))
    with pytest.raises(ValueError, match="it holds pickled objects"):
        load_files(file)


def test_rows_of_a_test_are_taken_where_there_are_no_others(tmp_path):
    x, y = np.zeros((3, 5, 5), np.uint8), np.array([[2], [1], [0]])
    np.savez(tmp_path / "t.npz", test_images=x, test_labels=y)
    assert load_files(tmp_path / "t.npz").labels.tolist() == [2, 1, 0]
    np.savez(tmp_path / "t.npz", test_images=x, test_labels=y, train_images=x[:2])
    assert len(load_files(tmp_path / "t.npz")) == 2


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((9, 8, 8, 4), "of four channels the last was taken for opacity, and shown on white"),
        ((9, 8, 8, 2), "taken for 8x8 pixels of 2 channels, which come last"),
        ((32, 32, 3, 9), "taken for 32x3 pixels of 9 channels, which come last"),
        ((9, 28, 28, 28), "taken for 28x28 pixels of 28 channels, which come first"),
        ((9, 3, 32, 3), "taken for 32x3 pixels of 3 channels, which come first"),
        ((9, 1, 64, 3), "taken for 64x3 pixels of 1 channel, which comes first"),
        ((9, 8, 3), "taken for grey pictures of 8x3 pixels, one in each row"),
    ],
)
def test_odd_channels_are_said(tmp_path, shape, said):
    np.save(tmp_path / "x.npy", np.full(shape, 200, np.uint8))
    assert said in load_files(tmp_path / "x.npy").notes
    np.save(tmp_path / "x.npy", np.full((9, 8, 8, 3), 200, np.uint8))
    assert not load_files(tmp_path / "x.npy").notes


def test_links_to_what_a_folder_lies_in_are_not_followed(tmp_path):
    """A stranger's folder cannot have the whole disk read, nor itself for ever."""
    save_images(tmp_path / "mine", GREY)
    save_images(tmp_path / "elsewhere", GREY)
    for name, target in (("root", "/"), ("up", tmp_path), ("self", "."), ("else", "../elsewhere")):
        (tmp_path / "mine" / name).symlink_to(target)
    found = find_pictures(tmp_path / "mine")
    assert {file.relative_to(tmp_path / "mine").parts[0] for file in found.pictures} == {
        *(file.name for file in (tmp_path / "mine").glob("*.png")),
        "else",
    }


def test_what_numpy_says_of_a_header_is_told_without_its_advice(tmp_path):
    file = tmp_path / "deep.npy"
    header = b"(" * 100_000 + b")" * 100_000 + b"  "
    file.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(header)) + header)
    with pytest.raises(ValueError, match=r"deep.npy cannot be read: Header info length") as told:
        load_dataset(str(file))
    assert "\n" not in str(told.value)
    assert "trust" not in str(told.value)


@pytest.mark.parametrize("name", ["X.NPY", "x.Npz", "T-IDX3.GZ", "t.CSV"])
def test_endings_in_any_case(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        if "IDX" in name:
            file.write(
                gzip.compress(b"\0\0\x08\3" + struct.pack(">3I", *GREY.shape) + GREY.tobytes())
            )
        elif name.endswith("CSV"):
            file.write(b"a,b\n1,2\n3,4\n")
        else:
            (np.save if name.endswith("NPY") else np.savez)(file, GREY)
    assert len(load_dataset(tmp_path / name)) in (2, 6)


@pytest.mark.parametrize("size", [0, (0, 4), (4, -1), 10**5, 10**9])
@pytest.mark.parametrize("folder", [False, True])
def test_sizes_that_no_picture_has_are_refused(tmp_path, size, folder):
    np.save(tmp_path / "x.npy", GREY)
    save_images(tmp_path, GREY[:1])
    with pytest.raises(ValueError, match=r"expected at (least 1x1|most 67,108,864 pixels)"):
        load_dataset(tmp_path if folder else tmp_path / "x.npy", size=size)


@pytest.mark.parametrize("nothing", ["", " "])
def test_no_name_is_not_the_folder_that_one_is_in(tmp_path, monkeypatch, nothing):
    """A variable of a shell may be empty."""
    save_images(tmp_path, GREY)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="expected a name, or a path"):
        load_dataset(nothing)
    assert len(load_dataset(".")) == len(GREY)
