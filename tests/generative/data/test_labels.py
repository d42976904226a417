"""Labels in the forms that people keep them in."""

import numpy as np
import pytest
from PIL import Image

from generative import VAEConfig, build_model
from generative.data.label_files import of_files, of_rows
from generative.data.labels import NoClasses, as_classes
from generative.data.load import load_dataset

X = np.random.default_rng(0).integers(256, size=(4, 5, 6, 1), dtype=np.uint8)


@pytest.mark.parametrize(
    ("given", "labels", "names"),
    [
        ([0, 2, 1, 0], [0, 2, 1, 0], "0 1 2"),
        ([0, 3, 3, 0], [0, 3, 3, 0], "0 1 2 3"),  # 1 and 2 may be in other parts
        ([1, 3, 2, 1], [0, 2, 1, 0], "1 2 3"),
        ([-1, 1, 1, -1], [0, 1, 1, 0], "-1 1"),
        ([[1.0], [0.0], [1.0], [0.0]], [1, 0, 1, 0], "0 1"),
        ([[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0]], [1, 0, 1, 0], "0 1 2"),
        ([True, False, False, True], [1, 0, 0, 1], "0 1"),
        (["dog", "cat", "cat", "emu"], [1, 0, 0, 2], "cat dog emu"),
        ([b"dog", b"cat", b"cat", b"emu"], [1, 0, 0, 2], "cat dog emu"),
        (["10", "9", "10", "9"], [1, 0, 1, 0], "9 10"),
    ],
)
def test_forms_of_labels(given, labels, names):
    found, classes = as_classes(np.array(given))
    assert found.tolist() == labels
    assert " ".join(classes) == names


@pytest.mark.parametrize("given", [[0.5, 1.0], [[0, 1], [1, 1]], [np.nan, 1.0], [[[0]], [[1]]]])
def test_what_is_no_class_is_told_apart(given):
    with pytest.raises(NoClasses):
        as_classes(np.array(given))


def test_archives_of_other_houses(tmp_path):
    y = np.array([[2], [0], [1], [2]], np.uint8)
    parts = {"train_images": X, "train_labels": y, "test_images": X[:2], "test_labels": y[:2]}
    np.savez(tmp_path / "medmnist.npz", **parts)
    np.savez(tmp_path / "positions.npz", X, y[:, 0])
    np.savez(tmp_path / "letters.npz", X=X, Y=np.eye(3)[y[:, 0]])
    np.savez(tmp_path / "two.npz", x_test=X, y_test=y, x_train=X[:3], y_train=y[:3])
    for name, rows in (("medmnist", 4), ("positions", 4), ("letters", 4), ("two", 3)):
        data = load_dataset(str(tmp_path / f"{name}.npz"))
        assert data.x.shape == (rows, 1, 5, 6), name
        assert data.labels.tolist() == [2, 0, 1, 2][:rows], name
    several = {"train_images": X, "train_labels": np.ones((4, 3))}
    np.savez(tmp_path / "chest.npz", **several)
    data = load_dataset(str(tmp_path / "chest.npz"))
    assert data.labels is None
    assert "no classes from train_labels" in data.notes[0]


@pytest.mark.parametrize("name", ["y.npy", "labels.npy", "x_labels.csv", "x-labels.txt"])
def test_labels_beside_an_array(tmp_path, name):
    np.save(tmp_path / "x.npy", X)
    if name.endswith(".npy"):
        np.save(tmp_path / name, np.array(["b", "a", "b", "a"]))
    else:
        (tmp_path / name).write_text("label\nb\na\nb\na\n")
    data = load_dataset(str(tmp_path / "x.npy"), limit=3, seed=1)
    whole = load_dataset(str(tmp_path / "x.npy"))
    assert whole.class_names == ("a", "b")
    assert whole.labels.tolist() == [1, 0, 1, 0]
    assert data.notes == (f"classes from {name}",)
    rows = [next(k for k in range(4) if (whole.x[k] == x).all()) for x in data.x]
    assert data.labels.tolist() == whole.labels[rows].tolist()


def test_labels_that_are_asked_for(tmp_path):
    np.savez(tmp_path / "x.npz", images=X, colour=np.arange(4), y=np.zeros(4, int))
    np.save(tmp_path / "mine.npy", np.arange(4) // 2)
    path = str(tmp_path / "x.npz")
    assert load_dataset(path, labels="mine.npy").labels.tolist() == [0, 0, 1, 1]  # beside it
    with pytest.raises(ValueError, match=r"x\.npz: unknown member 'color'; did you mean 'colour'"):
        load_dataset(path, labels="color")
    assert load_dataset(path, labels="colour").labels.tolist() == [0, 1, 2, 3]
    assert load_dataset(path, labels=str(tmp_path / "mine.npy")).labels.tolist() == [0, 0, 1, 1]
    np.save(tmp_path / "short.npy", np.arange(3))
    with pytest.raises(ValueError, match=r"short\.npy holds 3 labels for 4 rows"):
        load_dataset(path, labels=str(tmp_path / "short.npy"))
    Image.fromarray(X[0, :, :, 0]).save(tmp_path / "a.png")
    for source in (path, tmp_path):
        with pytest.raises(ValueError, match=r"there are no labels at none\.npy"):
            load_dataset(source, labels="none.npy")
    with pytest.raises(ValueError, match=r"labels is 'y', but digits is no file"):
        load_dataset("digits", labels="y")


LISTS = {
    "labels.csv": "file_name,split,label\nb.png,train,dog\na.png,test,cat\nin/c.png,test,dog\n",
    "metadata.csv": "id;class\na;cat\nb;dog\nc;dog\n",
    "labels.txt": "pictures/in/c.png dog\npictures/a.png cat\npictures/b.png dog\n",
    "labels.tsv": "cat\ndog\ndog\n",
    "labels.json": '{"a.png": "cat", "b.png": "dog", "in/c.png": "dog"}',
    "dataset.json": '{"labels": [["in/c.png", "dog"], ["b.png", "dog"], ["a.png", "cat"]]}',
    "metadata.jsonl": '{"file_name": "b.png", "label": "dog"}\n'
    '{"file_name": "a.png", "label": "cat"}\n{"file_name": "in/c.png", "label": "dog"}\n',
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_of_the_labels_of_files(tmp_path, name):
    folder = tmp_path / "pictures"
    (folder / "in").mkdir(parents=True)
    for k, file in enumerate(("a.png", "b.png", "in/c.png")):
        Image.fromarray(X[k, :, :, 0]).save(folder / file)
    (folder / name).write_text(LISTS[name])
    data = load_dataset(str(folder))
    assert data.labels.tolist() == [0, 1, 1]
    assert data.class_names == ("cat", "dog")
    Image.fromarray(X[3, :, :, 0]).save(folder / "new.png")
    if name != "labels.tsv":
        assert "1 of 4 pictures, such as new.png" in load_dataset(str(folder)).notes[-1]
        with pytest.raises(ValueError, match="names no label of 1 of 4"):
            load_dataset(str(folder), labels=name)


@pytest.mark.parametrize("header", ["", "file_name,label\n"])
def test_names_of_files_in_letters_of_another_case(tmp_path, header):
    """As where a list was written on a system that does not tell them apart."""
    for k, file in enumerate(("a.png", "A.PNG", "b.png", "C.png")):
        Image.fromarray(X[k % 4, :, :, 0]).save(tmp_path / file)
    lines = "a.png,cat\nA.PNG,dog\nB.PNG,cat\nin/c.png,dog\n"
    (tmp_path / "labels.csv").write_text(header + lines)
    data = load_dataset(str(tmp_path))
    files = sorted(path.name for path in tmp_path.glob("*.[pP]*"))
    named = dict(zip(files, (data.class_names[k] for k in data.labels.tolist()), strict=True))
    assert named == {"a.png": "cat", "A.PNG": "dog", "b.png": "cat", "C.png": "dog"}


@pytest.mark.parametrize("below", [("cat", "dog"), ("",)])
def test_parts_of_a_data_set_are_no_classes(tmp_path, below):
    for name in below:
        for part in ("train", "Val"):
            (tmp_path / part / name).mkdir(parents=True)
            Image.fromarray(X[0, :, :, 0]).save(tmp_path / part / name / "a.png")
    with pytest.raises(ValueError, match=r"parts of a data set, Val, train: give one part"):
        load_dataset(str(tmp_path))
    found = load_dataset(str(tmp_path / "train"))
    assert found.class_names == tuple(filter(None, below))
    assert ("classes from its folders: cat, dog" in found.notes) == bool(below[0])


OF_SOMETHING_ELSE = ["3", '{"a.png": {"x": 1}}', '[[["a"]]]', '{"images": [{}]}']


@pytest.mark.parametrize("text", [*OF_SOMETHING_ELSE, "", "[" * 10**5, "{"])
def test_json_without_labels_gives_no_classes_and_ends_nothing(tmp_path, text):
    Image.fromarray(X[0, :, :, 0]).save(tmp_path / "a.png")
    (tmp_path / "labels.json").write_text(text)
    assert load_dataset(str(tmp_path)).notes[-1].startswith("no classes: ")
    with pytest.raises(ValueError, match=r"labels\.json"):
        load_dataset(str(tmp_path), labels="labels.json")


@pytest.mark.parametrize("wrong", [np.array([{}]), np.arange(5), b"torn"], ids=type)
def test_labels_that_nobody_asked_for_end_nothing(tmp_path, wrong):
    """Pickled, too few or damaged, they are said to be so, and refused where they are asked for."""
    np.save(tmp_path / "x.npy", X)
    if isinstance(wrong, bytes):
        (tmp_path / "y.npy").write_bytes(wrong)
    else:
        np.save(tmp_path / "y.npy", wrong)
    data = load_dataset(str(tmp_path / "x.npy"))
    assert data.labels is None
    assert any(note.startswith("no classes from y.npy: ") for note in data.notes)
    with pytest.raises(ValueError, match=r"x\.npy: y\.npy: .*y\.npy"):
        load_dataset(str(tmp_path / "x.npy"), labels="y.npy")


def test_loose_pictures_beside_folders_have_no_classes(tmp_path):
    (tmp_path / "below").mkdir()
    Image.fromarray(X[0, :, :, 0]).save(tmp_path / "a.png")
    Image.fromarray(X[1, :, :, 0]).save(tmp_path / "below" / "b.png")
    data = load_dataset(str(tmp_path))
    assert len(data) == 2
    assert data.labels is None
    assert "1 lie in the folder itself" in data.notes[1]


@pytest.mark.parametrize(
    ("text", "encoding", "names", "labels"),
    [
        ("id,x,y,label\n0,9,3,b\n1,9,3,a\n", "utf-8", ("a", "b"), [1, 0]),  # y is a place
        ("x,label,file_name\n5,b,0.png\n6,a,1.png\n", "utf-8", ("a", "b"), [1, 0]),
        ("name,label\n0,10.0\n1,2.0\n", "utf-8", ("2", "10"), [1, 0]),
        ("name;label\n0;\u00fc\n1;\u00e4\n", "cp1252", ("\u00e4", "\u00fc"), [1, 0]),
        ("name\tlabel\n0\tb\n1\ta\n", "utf-16", ("a", "b"), [1, 0]),
    ],
)
def test_lists_of_labels_as_other_programs_write_them(tmp_path, text, encoding, names, labels):
    (tmp_path / "labels.csv").write_text(text, encoding=encoding)
    files = [tmp_path / "0.png", tmp_path / "1.png"]
    found, known = as_classes(of_files(tmp_path / "labels.csv", files, tmp_path))
    assert (known, found.tolist()) == (names, labels)


@pytest.mark.parametrize(
    ("folders", "names", "labels"),
    [
        ("0 1 10 2", [str(k) for k in range(11)], [0, 1, 10, 2]),  # as the number says
        ("1 10 2", ["1", "2", "10"], [0, 2, 1]),
        ("001 010 002", ["001", "002", "010"], [0, 2, 1]),
        ("10 2 cat", ["10", "2", "cat"], [0, 1, 2]),
    ],
)
def test_folders_called_by_numbers_are_classes_in_their_order(tmp_path, folders, names, labels):
    for name in folders.split():
        (tmp_path / name).mkdir()
        Image.fromarray(X[0, ..., 0]).save(tmp_path / name / "a.png")
    data = load_dataset(tmp_path)
    assert data.class_names == tuple(names)
    assert data.labels.tolist() == [
        labels[folders.split().index(n)] for n in sorted(folders.split())
    ]


TABLES = {
    "one-hot.csv": "image,MEL,NV\n0,0.0,1.0\n1,1.0,0.0\n",
    "one-hot.json": '{"0.png": [0, 1], "1.png": [1, 0]}',
    "by-class.json": '{"NV": ["0.png"], "MEL": ["1.png"]}',
    "elsewhere.csv": "file,label\n/data/old/0.png,NV\n/data/old/1.png,MEL\n",
    "here.csv": "file,label\n./0.png,NV\n./1.png,MEL\n",
    "windows.csv": "file,label\nC:\\old\\0.png,NV\nC:\\old\\1.png,MEL\n",
    "label-first.csv": "MEL,1.png\nNV,0.png\nNV,2.png\n",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_labels_as_other_people_keep_them(tmp_path, name):
    (tmp_path / name).write_text(TABLES[name])
    files = [tmp_path / "0.png", tmp_path / "1.png"]
    found, known = as_classes(of_files(tmp_path / name, files, tmp_path))
    assert [known[k] for k in found] == (["1", "0"] if name == "one-hot.json" else ["NV", "MEL"])


def test_folders_tell_files_of_one_name_apart_in_paths_from_elsewhere(tmp_path):
    (tmp_path / "l.csv").write_text("file,label\n/old/a/0.png,NV\n/old/b/0.png,MEL\n")
    files = [tmp_path / "a" / "0.png", tmp_path / "b" / "0.png"]
    assert of_files(tmp_path / "l.csv", files, tmp_path).tolist() == ["NV", "MEL"]


def test_a_picture_of_two_labels_has_none(tmp_path):
    (tmp_path / "l.csv").write_text("file,label\n0.png,cat\n0.png,dog\n1.png,dog\n")
    files = [tmp_path / "0.png", tmp_path / "1.png"]
    with pytest.raises(NoClasses, match=r"gives 0\.png the labels 'cat' and 'dog'"):
        of_files(tmp_path / "l.csv", files, tmp_path)


@pytest.mark.parametrize("text", [",0\n0,a\n1,b\n", "id,label\n7,a\n9,b\n", ",label\n0,a\n1,b\n"])
def test_an_index_before_labels_is_none(tmp_path, text):
    """As pandas writes it, or as competitions number their rows."""
    (tmp_path / "y.csv").write_text(text)
    assert of_rows(tmp_path / "y.csv", 2).tolist() == ["a", "b"]


def test_a_picture_with_an_empty_label_has_none(tmp_path):
    (tmp_path / "labels.csv").write_text("name,label\n0,a\n1,\n")
    files = [tmp_path / "0.png", tmp_path / "1.png"]
    with pytest.raises(NoClasses, match=r"names no label of 1 of 2 pictures, such as 1\.png"):
        of_files(tmp_path / "labels.csv", files, tmp_path)


def test_a_conditional_model_tells_why_there_are_no_classes(tmp_path):
    np.savez(tmp_path / "x.npz", images=X, labels=np.ones((4, 3)))
    data = load_dataset(tmp_path / "x.npz")
    said = r"conditional vae needs data with classes: .*x\.npz: no classes from labels: labels have"
    with pytest.raises(ValueError, match=said):
        build_model("vae", data, VAEConfig(conditional=True))
