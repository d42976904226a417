"""Standard streams last, whoever reads them: a process with each of them closed, full or left."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nets.process.streams import LastingStream, lasting_streams

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import os, sys
from nets.process.streams import lasting_streams
with lasting_streams() as out:
    for number in range(3):
        os.fstat(number)
    file = open(sys.argv[1], "w")
    os.system("echo heard; echo told >&2")
    for _ in range(3000):
        print("x" * 100)
        print("y", file=sys.stderr, flush=True)
    out.flush()
    lost = out.lost and out.lost.strerror
file.write(f"lasted, {lost}")
"""


@pytest.mark.parametrize(
    ("redirection", "lost"),
    [
        ("| head -1", None),
        (">&-", None),
        ("2>&-", None),
        ("<&-", None),
        ("<&- >&- 2>&-", None),
        (">/dev/full", "No space left on device"),
        ("2>/dev/full", None),
    ],
)
def test_a_process_goes_on_to_its_end_whatever_its_streams_are(redirection, lost, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    line = f"{sys.executable} program.py end {redirection}; exit ${{PIPESTATUS[0]}}"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "end").read_text() == f"lasted, {lost}"


def test_characters_that_the_encoding_lacks_are_escaped():
    buffer = io.BytesIO()
    stream = LastingStream(io.TextIOWrapper(buffer, encoding="ascii"))
    print("discount γ, folder \udcc3", file=stream, flush=True)
    assert buffer.getvalue() == b"discount \\u03b3, folder \\udcc3\n"


def test_the_streams_of_a_caller_come_back():
    before = sys.stdout, sys.stderr
    with lasting_streams():
        assert isinstance(sys.stdout, LastingStream)
        assert sys.stdout.encoding == before[0].encoding
    assert (sys.stdout, sys.stderr) == before
