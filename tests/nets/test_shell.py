"""What commands that train share: the names of new folders."""

from pathlib import Path

import pytest

from nets.shell.training import new_folder


def test_a_name_is_taken_as_soon_as_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [new_folder("dqn", "ALE/Pong:v5", 3) for _ in range(3)]
    assert names == [Path(f"runs/dqn-ALE-Pong-v5-s3{end}") for end in ("", "-2", "-3")]
    assert all(name.is_dir() for name in names)


def test_a_name_that_another_process_takes_meanwhile_is_not_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mkdir = Path.mkdir

    def late(path, *arguments, **settings):
        if path.name == "dqn-Lake-s0":
            mkdir(path)
        mkdir(path, *arguments, **settings)

    monkeypatch.setattr(Path, "mkdir", late)
    assert new_folder("dqn", "Lake", 0) == Path("runs/dqn-Lake-s0-2")


def test_a_file_where_runs_should_be_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").write_text("")
    with pytest.raises(OSError, match="runs"):
        new_folder("dqn", "Lake", 0)
