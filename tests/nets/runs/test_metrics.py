import csv
import tracemalloc

import pytest

from nets.runs import metrics
from nets.runs.checkpoint import CheckpointError
from nets.runs.metrics import MetricsFile, check_rows, read_metrics

ROWS = [
    (10, {"episodes": 1, "return": 0.1 + 0.2}),
    (20, {"episodes": 3, "return": -1e-7, "loss": 0.5}),
    (30, {"episodes": 3, "loss": 0.25}),
    (40, {"episodes": 4, "return": 2.0, "loss": 0.125, "eval_return": 9.0}),
]


def write(path, rows, **settings):
    file = MetricsFile(path, **settings)
    for step, row in rows:
        file.write(step, row)
    return file


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rows_read_back_equal_and_late_columns_leave_earlier_rows_empty(tmp_path):
    path = tmp_path / "metrics.csv"
    write(path, ROWS)
    rows = read(path)
    assert list(rows[0]) == ["step", "episodes", "return", "loss", "eval_return"]
    for (step, written), row in zip(ROWS, rows, strict=True):
        assert int(row.pop("step")) == step
        assert {name: float(value) for name, value in row.items() if value} == written


def test_the_file_is_whole_after_every_row(tmp_path):
    path = tmp_path / "metrics.csv"
    file = MetricsFile(path)
    assert read(path) == []
    for count, (step, row) in enumerate(ROWS, start=1):
        file.write(step, row)
        assert len(read(path)) == count
        assert path.read_text().endswith("\n")


@pytest.mark.parametrize("cut", [0, 10, 19, 20, 30, 40, 99])
def test_S_IO_02_resuming_cuts_back_and_repeats_the_bytes(tmp_path, cut):
    path = tmp_path / "metrics.csv"
    write(path, ROWS)
    whole = path.read_bytes()
    again = MetricsFile(path, resume_step=cut)
    kept = [row for row in ROWS if row[0] <= cut]
    write(tmp_path / "short.csv", kept)
    assert path.read_bytes() == (tmp_path / "short.csv").read_bytes()
    assert len(read(path)) == len(kept)
    for step, row in ROWS:
        if step > cut:
            again.write(step, row)
    assert path.read_bytes() == whole


def test_a_torn_last_row_is_dropped_although_its_step_looks_old(tmp_path):
    path = tmp_path / "metrics.csv"
    write(path, ROWS[:2])
    with path.open("a") as file:
        file.write("3")  # of "30,3,,0.25"
    MetricsFile(path, resume_step=20)
    assert [row["step"] for row in read(path)] == ["10", "20"]


@pytest.mark.parametrize("tail", ["30,3,", "30,3,,0.25", "\x00\x00\x00", "thirty,,\n"])
def test_damaged_rows_are_dropped(tmp_path, tail):
    path = tmp_path / "metrics.csv"
    write(path, ROWS[:2])
    whole = path.read_bytes()
    with path.open("a") as file:
        file.write(tail)
    MetricsFile(path, resume_step=30)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("step,loss\n1,x\n", "could not convert string to float"),
        ("step," + "a," * 2000 + "\n1\n", "has 2,002 columns"),
        ("step,loss\n1," + "9" * 200_000 + "\n", "cannot be read: field larger"),
    ],
    ids=["words", "columns", "a cell"],
)
def test_what_is_no_table_of_numbers_is_refused(tmp_path, text, message):
    (tmp_path / "metrics.csv").write_text(text)
    with pytest.raises(CheckpointError, match=rf"metrics\.csv .*{message}"):
        read_metrics(tmp_path / "metrics.csv")


def test_a_table_of_absurd_size_is_refused_unread(tmp_path):
    with (tmp_path / "metrics.csv").open("wb") as file:
        file.truncate(2**26 + 1)
    for read in (read_metrics, MetricsFile):
        with pytest.raises(CheckpointError, match=r"metrics\.csv has more than 67,108,864 bytes"):
            read(tmp_path / "metrics.csv")


def test_rows_without_a_step_are_none(tmp_path):
    (tmp_path / "metrics.csv").write_text(f"loss,step\n1,2\n3\n4,{'9' * 5000}\n5,\u00b2\n6,7\n")
    steps, losses = read_metrics(tmp_path / "metrics.csv")["loss"]
    assert (steps.tolist(), losses.tolist()) == ([2, 7], [1, 6])
    (tmp_path / "metrics.csv").write_text("")
    assert read_metrics(tmp_path / "metrics.csv") == {}


def test_a_long_table_takes_little_memory(tmp_path):
    rows = 20_000
    path = tmp_path / "metrics.csv"
    path.write_text("step,loss\n" + "".join(f"{k},1\n" for k in range(rows)))
    tracemalloc.start()
    file = MetricsFile(path, resume_step=rows)
    file.write(rows, {"loss": 1.0, "late": 2.0})
    check_rows(path, rows, file.mark())
    _, losses = read_metrics(path)["loss"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(losses) == rows + 1
    assert peak < 2**21  # twelve times as much, were each row a dict


def test_a_row_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(metrics, "LONGEST_LINE", 2**10)
    (tmp_path / "metrics.csv").write_text("step" + "," * 2**12)
    with pytest.raises(CheckpointError, match=r"metrics\.csv has a row of 1,024 letters and more"):
        read_metrics(tmp_path / "metrics.csv")
