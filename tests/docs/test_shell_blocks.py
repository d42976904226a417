"""Every line that the pages tell to type is one that the programs take."""

import os
import re
import runpy
import shlex
import signal
import sys
from importlib.metadata import entry_points
from itertools import takewhile

import pytest
from printed_blocks import PAGES, ROOT, blocks_of, with_blocks

from generative.catalogue import MODELS
from nets.shell import command_line
from nets.shell.main import main as dreamgym

COMMANDS = {point.name: point for point in entry_points(group="dreamgym.commands")}
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
OTHERS = ("source", "tensorboard", "python3", ".venv/bin/pip")  # whose arguments are not ours
OF_A_MODEL = re.compile(rf"runs/(?:{'|'.join([*MODELS, 'world'])})-[\w-]+")
INLINE = re.compile(r"`((?:python scripts/\w+\.py|dreamgym [a-z-]+)\s[^`]+)`")


class Parsed(BaseException):
    """The arguments were taken, and nothing has been done yet."""


@pytest.fixture
def parsed(tmp_path, monkeypatch):
    """Call a program up to where its arguments are parsed."""
    cli = command_line.tyro.cli

    def parse(*arguments, **settings):
        cli(*arguments, **settings)
        raise Parsed

    def call(program, arguments):
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        for run in filter(OF_A_MODEL.fullmatch, arguments):  # evaluate asks what kind of run it is
            os.makedirs(run, exist_ok=True)
            (tmp_path / run / "config.json").write_text('{"kind": "generative"}')
        name = program.removeprefix("scripts/").removesuffix(".py").replace("_", "-")
        try:
            if name in COMMANDS:
                return COMMANDS[name].load()(arguments)
            runpy.run_path(str(ROOT / program), run_name="__main__")
        except Parsed:
            return 0

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT / "scripts")
    monkeypatch.setattr(command_line.tyro, "cli", parse)
    answer = signal.getsignal(signal.SIGINT)
    yield call
    signal.signal(signal.SIGINT, answer)  # as programs begin, Ctrl-C ends them


def commands(text):
    """Return the commands of a block, without remarks, each as its words."""
    lines = text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def taken(words, parsed):
    """Whether a command is one that there is, with arguments that it takes."""
    program, *arguments = takewhile(lambda word: word != "|", words)
    if program == "torchrun":
        return taken(["python", *arguments[arguments.index("--") + 1 :]], parsed)
    if program == "python" and arguments[0] == "-c":
        return compile(arguments[1], "python -c", "exec")
    if program == "python":
        return parsed(arguments[0], arguments[1:]) == 0
    if program == "dreamgym" and arguments[0] in COMMANDS:
        return parsed(arguments[0], arguments[1:]) == 0
    if program == "dreamgym":  # --version, completion
        return dreamgym(arguments) == 0
    if program == "make":
        return arguments[0] in TARGETS
    if program == "pytest":
        return (ROOT / arguments[0]).exists()
    return program in OTHERS


@pytest.mark.parametrize("page", with_blocks("sh"))
def test_the_commands_of_a_page_are_taken(page, parsed, capsys):
    for block in blocks_of(page, "sh"):
        for words in commands(block.code):
            assert taken(words, parsed), (str(block), words, capsys.readouterr().err)


def written_in(page):
    """Return the commands within the sentences of a page."""
    text = re.sub(r"```.*?```", "", PAGES[page].read_text(encoding="utf-8"), flags=re.DOTALL)
    found = (" ".join(words.split()) for words in INLINE.findall(text))
    return [words for words in found if not re.search(r"\.\.\.|…|\b[A-Z_]{2,}\b", words)]


@pytest.mark.parametrize("page", [page for page in PAGES if written_in(page)])
def test_the_commands_within_sentences_are_taken(page, parsed, capsys):
    for words in written_in(page):
        assert taken(shlex.split(words), parsed), (words, capsys.readouterr().err)


USAGES = [
    (command.split()[0], sorted(set(re.findall(r"--[a-z][a-z-]*", command))))
    for block in blocks_of("docs/scripts.md", "text")
    for command in re.split(r"^\S.*?scripts/", block.code, flags=re.MULTILINE)[1:]
]


FORMS = {
    "train.py": ["", "dqn CartPole-v1", "--resume DIR"],
    "train_generative.py": ["", "vae digits", "world dreamgym/Walk-v0", "--resume DIR"],
}


@pytest.mark.parametrize(("script", "options"), USAGES)
def test_every_option_of_a_usage_is_one_that_help_shows(script, options, capsys):
    main = COMMANDS[script.removesuffix(".py").replace("_", "-")].load()
    for words in FORMS.get(script, [""]):
        with pytest.raises(SystemExit):
            main([*words.split(), "--help"])
    shown = capsys.readouterr().out
    assert not [option for option in options if not re.search(rf"{option}\b(?!-)", shown)]
