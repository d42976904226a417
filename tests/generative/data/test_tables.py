"""Tables of text: standardised, and back in their units."""

import csv

import numpy as np
import pytest
import torch

from generative.data.load import load_dataset
from generative.data.tables import write_table

FLOWERS = "length,width,species\n5.0,300,setosa\n6.0,100,virginica\n7.0,200,setosa\n"


def test_a_table_is_standardised_and_comes_back_in_its_units(tmp_path):
    (tmp_path / "t.csv").write_text(FLOWERS)
    data = load_dataset(str(tmp_path / "t.csv"), labels="species")
    expected = np.array([[5.0, 300], [6, 100], [7, 200]])
    np.testing.assert_allclose(data.x.mean(0), 0, atol=1e-7)
    np.testing.assert_allclose(data.x.std(0, correction=0), 1, rtol=1e-6)
    np.testing.assert_allclose(data.units.restore(data.x), expected, rtol=1e-6)
    assert data.units.columns == ("length", "width")
    assert data.class_names == ("setosa", "virginica")
    assert data.labels.tolist() == [0, 1, 0]
    assert data.notes[-1] == "2 columns, standardised: length, width"
    assert len(load_dataset(str(tmp_path / "t.csv"), labels="species", limit=2)) == 2


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n3,5\n",
        "\ufeffa,b\r\n1,2\r\n\r\n3,5\r\n",
        "a;b\n1,0;2\n3,0;5\n",
        "sep=;\na;b\n1,0;2\n3,0;5\n",  # as Excel is told
        "a\tb\n1\t2\n3\t5\n",
        '"a","b"\n"1"," 2"\n3,5',
        ",a,b\n0,1,2\n1,3,5\n",  # as pandas writes its index
        "a,b,label\n1,2,x\n3,5,y\n",
    ],
)
def test_tables_as_people_write_them(tmp_path, text):
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    data = load_dataset(str(tmp_path / "t.csv"))
    assert data.units.columns == ("a", "b")
    np.testing.assert_allclose(data.units.restore(data.x), [[1, 2], [3, 5]])
    assert (data.class_names == ("x", "y")) == ("label" in text)


def test_columns_of_whole_numbers_come_back_whole_and_no_further_than_they_reached(tmp_path):
    (tmp_path / "t.csv").write_text("age,height,smokes\n20,1.0,0\n40,2.0,1\n+30,3.0,1\n")
    units = load_dataset(str(tmp_path / "t.csv")).units
    assert units.whole == ((20, 40), None, (0, 1))
    back = units.restore(torch.tensor([[0.21, 0.2, 0.4], [9.0, 9.0, -9.0]]))
    assert back[:, 0].tolist() == [32, 40]
    assert back[:, 2].tolist() == [1, 0]
    assert back[0, 1].item() == pytest.approx(2.0 + 0.2 * units.std[1].item())
    assert back[1, 1].item() > 3.0  # what is measured may be more


def test_what_is_measured_is_no_class_unless_it_is_asked_for(tmp_path):
    rows = [(k, k / 3 + 0.25) for k in range(5)]
    (tmp_path / "t.csv").write_text("label,a\n" + "".join(f"{y},{x}\n" for x, y in rows))
    data = load_dataset(tmp_path / "t.csv")
    assert data.labels is None
    assert data.units.columns == ("a", "label")
    np.testing.assert_allclose(data.units.restore(data.x), rows, rtol=1e-6)
    assert "the column 'label' gives no classes: its numbers are not whole" in data.notes
    assert load_dataset(tmp_path / "t.csv", labels="label").num_classes == 5


def test_of_many_columns_the_first_are_named(tmp_path):
    names = [f"pixel{k}" for k in range(784)]
    (tmp_path / "t.csv").write_text(",".join(names) + "\n" + ",".join("0" * 784) + "\n")
    assert load_dataset(tmp_path / "t.csv").notes[-1].endswith("pixel8, pixel9, ...")


def test_true_and_false_are_1_and_0_as_pandas_writes_them(tmp_path):
    (tmp_path / "t.csv").write_text("a,sunny\n1.5,True\n2.5,False\n0.5,true\n")
    data = load_dataset(tmp_path / "t.csv")
    assert data.units.restore(data.x)[:, 1].tolist() == [1.0, 0.0, 1.0]
    assert data.units.whole == (None, (0, 1))


def test_a_table_without_names_and_with_a_constant_column(tmp_path):
    (tmp_path / "t.tsv").write_text("1\t7\n2\t7\n")
    data = load_dataset(str(tmp_path / "t.tsv"))
    assert data.units.columns == ("column 1", "column 2")
    assert data.x.tolist() == [[-1, 0], [1, 0]]
    assert data.units.restore(data.x).tolist() == [[1, 7], [2, 7]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3,\n", "line 3 has no value in the column 'b'"),
        ("a,b\n1,NaN\n", "line 2 has no value in the column 'b'"),
        ("a,b\n1,2\n3,inf\n", "line 3 has 'inf' in the column 'b', expected a finite number"),
        ("a,b\n1,2\n3,1e300\n", "line 3 has '1e300' in the column 'b', expected at most 1e\\+150"),
        ("a,b\n1,2\n3,red\n", "line 3 has 'red' in the column 'b'.*labels=b"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cells, expected 2"),
        ("a,b\n", "is empty"),
        ("", "is empty"),
        ("label\nx\n", "no columns of numbers"),
        ("a\x00,\xff\n", "."),
    ],
)
def test_unfit_tables_are_refused_by_line_and_column(tmp_path, text, message):
    (tmp_path / "bad.csv").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=rf"bad\.csv.*{message}"):
        load_dataset(str(tmp_path / "bad.csv"))


def test_a_column_that_is_not_there(tmp_path):
    (tmp_path / "t.csv").write_text(FLOWERS)
    with pytest.raises(ValueError, match="unknown column 'specie'; did you mean 'species'"):
        load_dataset(str(tmp_path / "t.csv"), labels="specie")
    with pytest.raises(ValueError, match="is a table: its rows have no size"):
        load_dataset(str(tmp_path / "t.csv"), labels="species", size=8)


def test_what_is_written_is_read_by_everybody(tmp_path):
    rows = np.array([[1.5, 0.1], [2.0, 1e-9]])
    write_table(tmp_path / "t.csv", ["a,b", 'c"d'], [rows])
    with (tmp_path / "t.csv").open(newline="") as file:
        head, *lines = csv.reader(file)
    assert head == ["a,b", 'c"d']
    assert np.array(lines, float).tolist() == rows.tolist()
