"""The one door of all commands: which exit code means what."""

import errno
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from nets.foreign import blaming
from nets.runs.ownership import Occupied
from nets.shell.command_line import INTERRUPTED, CommandError, command, one_line, parse
from nets.shell.here import look_beside, shown


def end_by(number):
    os.kill(os.getpid(), number)
    return 0


def swallow(number):
    """End as trainings do: tidily."""
    try:
        os.kill(os.getpid(), number)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


@pytest.mark.parametrize("end", [end_by, swallow])
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_exit_code_tells_which_signal_ended_a_command(end, number, code, capsys):
    assert command(lambda _: end(number))([]) == code
    assert capsys.readouterr().err == ("interrupted\n" if end is end_by else "")


def test_commands_in_commands_tell_it_too():
    inner = command(lambda _: swallow(signal.SIGTERM))
    assert command(inner)([]) == 143


def test_what_several_processes_trained_goes_on_in_as_many(monkeypatch):
    from agents.commands.options import TRAIN

    monkeypatch.setattr(sys, "argv", ["scripts/train.py", "ppo", "CartPole-v1"])
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    told = TRAIN.interruption(Path("runs/two"), 1_000).splitlines()[1]
    assert told.endswith("torchrun --nproc_per_node=2 -- scripts/train.py --resume runs/two")
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    told = TRAIN.interruption(Path("runs/one"), 1_000).splitlines()[1]
    assert told.endswith("python scripts/train.py --resume runs/one")


def test_what_could_not_be_printed_is_told(monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert command(lambda _: print("figures") or 0)([]) == 2
    assert capsys.readouterr().err == "error: standard output: No space left on device\n"


def test_help_that_could_not_be_printed_is_no_success(monkeypatch, capsys):
    def tell(argv):
        print("usage")
        raise SystemExit(0)

    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert command(tell)([]) == 2
    assert capsys.readouterr().err == "error: standard output: No space left on device\n"
    monkeypatch.undo()
    with pytest.raises(SystemExit):
        command(tell)([])


@dataclass(frozen=True)
class Options:
    out: Path = Path("here.txt")


def test_paths_stay_what_they_were_in_whatever_folder_a_world_goes_on(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    def wander(argv):
        given = parse(Options, "wander", argv, "{command}")
        os.chdir("elsewhere")
        given.out.write_text("found")
        print(shown(given.out))
        raise CommandError(one_line(OSError(errno.EIO, "gone", str(given.out))))

    assert command(wander)(["--out", "a.txt"]) == 2
    assert (tmp_path / "a.txt").read_text() == "found"
    assert capsys.readouterr() == ("a.txt\n", "error: a.txt: gone\n")


def test_a_long_error_is_told_without_its_middle():
    told = one_line(ValueError("first " + "x" * 10**5 + " last"))
    assert len(told) < 2100
    assert told.startswith("first ")
    assert told.endswith(" last")


@pytest.mark.parametrize("error", [CommandError("x"), Occupied("x"), MemoryError("x")])
def test_errors_of_others_are_theirs_whatever_their_kind(error, capsys):
    def run(argv):
        with blaming("Maze-v0"):
            raise error

    with pytest.raises(type(error)):
        command(run)([])
    assert not capsys.readouterr().err


def test_what_can_be_mended_is_told_in_one_line(capsys):
    def refuse(argv):
        raise CommandError(f"not {argv[0]}")

    assert command(refuse)(["so"]) == 2
    assert capsys.readouterr().err == "error: not so\n"


def test_errors_of_files_begin_with_the_file():
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/a/metrics.csv")
    assert one_line(full) == "runs/a/metrics.csv: No space left on device"
    assert one_line(FileNotFoundError("there is\nno run")) == "there is no run"
    assert one_line(KeyError()) == "KeyError"


def test_errors_of_files_in_other_threads_are_left_to_the_main_one(capsys):
    def run(_):
        for error in (OSError("full"), ValueError("wrong")):
            thread = threading.Thread(target=fail, args=[error])
            thread.start()
            thread.join()
        return 0

    def fail(error):
        raise error

    before, told = threading.excepthook, []
    threading.excepthook = lambda failed: told.append(str(failed.exc_value))
    try:
        command(run)([])
    finally:
        threading.excepthook = before
    assert told == ["wrong"]


def test_an_option_that_is_given_nothing_is_refused():
    """A variable of the shell that is not set would stand for the current folder."""

    @dataclass
    class Options:
        run: Path = Path("runs")

    with pytest.raises(CommandError, match="--run is given nothing: expected a value"):
        parse(Options, "train", ["--run", ""], "text")


def test_modules_beside_are_found_where_they_are_typed_or_trusted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_beside.py").write_text("")
    for argv, found in (
        (["train", "my_beside"], False),
        (["train", "observations:my_beside:Name-v0"], True),
        (["--wrap", "my_beside.part:Class(k=3)"], True),
        (["--config.encoder=my_beside:Net"], True),
        (["evaluate", "run", "--trust"], True),
        (["other:Name"], False),
    ):
        monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(tmp_path)])
        look_beside(argv)
        assert (str(tmp_path) in sys.path) is found, argv


def test_names_in_files_do_not_move_the_terminal(tmp_path, capsys):
    """Nor the letters of what follows them from right to left."""
    name = "\x1b[2J\x1b]0;title\x07a\rb\nc\u202egnp.exe"

    def refuse(_):
        raise CommandError(f"{name} cannot be read")

    assert command(refuse)([]) == 2
    said = capsys.readouterr().err
    assert said == r"error: \x1b[2J\x1b]0;title\x07a\rb" "\nc" r"\u202egnp.exe cannot be read" "\n"
    assert one_line(ValueError(name)) == r"\x1b[2J\x1b]0;title\x07a\rb c\u202egnp.exe"
