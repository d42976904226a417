import sys

import pytest

from nets.benchmarks.apart import Apart
from nets.shell.command_line import CommandError

PROGRAM = """
import sys
print("noise on the way", file=sys.stderr)
print("steps a second:", 10 * float(sys.argv[1]) + int(sys.argv[2]))
"""


@pytest.fixture
def peer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM)
    return Apart("other", (), tmp_path / "program.py")


def test_the_programs_last_word_is_the_figure(peer, tmp_path):
    (tmp_path / ".venv-other/bin").mkdir(parents=True)
    (tmp_path / ".venv-other/bin/python").symlink_to(sys.executable)
    assert peer.measure(2.5)(3) == 28.0
    with pytest.raises(CommandError, match="the peer other failed"):
        peer.measure("no number")(3)


def test_a_half_made_environment_is_not_there(peer, tmp_path):
    (tmp_path / ".venv-other/bin").mkdir(parents=True)
    (tmp_path / ".venv-other/bin/python").symlink_to(sys.executable)
    assert not peer.need.there()  # pip was cut off
    (tmp_path / ".venv-other/fetched").touch()
    assert peer.need.there()
    peer.need.fetch()  # and nothing is made again
