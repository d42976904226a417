"""Commands that train: how they find out which settings there are, and what they say of a run."""

import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args

from ..catalog import Catalog, EntryT
from ..process.interrupts import Handler, handled
from ..runs.checkpoints import Checkpoints
from ..runs.durable import make_folder, sync
from ..runs.presets import Preset
from .command_line import CommandError, executable, one_line, parse, to_type, told
from .here import pinned, shown
from .run_options import ResumeOptions, WarningSignal
from .tracked import require_tracking
from .wrong_options import settled

Options = TypeVar("Options")
Settings = TypeVar("Settings")
RUNS = Path("runs")


@dataclass(frozen=True)
class NoConfig:
    """Stands for the settings of what has not been named."""


@dataclass(frozen=True)
class Changes(Generic[Settings]):
    """What an earlier run is to go on with."""

    config: Settings
    """Settings of what is trained."""


@dataclass(frozen=True)
class TrainCommand(Generic[EntryT]):
    """A command that takes two names, `ALGO ENV_ID`, of which the first decides the settings.

    Attributes:
        name: of the command.
        first: what stands for the first name.
        second: what stands for the second.
        catalog: what the first can be.
        text: what the command does, with examples.
    """

    name: str
    first: str
    second: str
    catalog: Catalog[EntryT]
    text: str

    def find(self, argv: Sequence[str], options: Any) -> EntryT:
        """Return the entry that is named first in `argv`; help without a name shows no settings.

        Args:
            argv: the arguments.
            options: the dataclass of a new run, generic in its settings.

        Raises:
            CommandError: nothing is named, or there is no such thing.
        """
        found = next((word for word in argv if word in self.catalog), None)
        if found is not None:
            if found in argv[1:2] and argv[0] not in self.catalog and argv[0][:1] != "-":
                raise CommandError(f"{self.first} comes before {self.second}: {found} {argv[0]}")
            return self.catalog[found]
        if argv and not argv[0].startswith("-"):
            with told(ValueError):
                self.catalog.find(argv[0])
        call = f"`{{command}} {self.first} {self.second} --help`"
        article = "an" if self.catalog.kind[0] in "aeiou" else "a"
        note = f"{call} shows the settings of {article} {self.catalog.kind}, --config.*."
        parse(options[NoConfig], self.name, argv, f"{self.text}\n\n{note}")
        raise self.misplaced(argv)

    def parse(self, argv: Sequence[str], default: Options, note: str) -> Options:
        """Parse the arguments of a new run over `default`, whose `config` has the settings."""
        settings: Any = default
        kind = type(settings)[type(settings.config)]
        options = parse(kind, self.name, argv, f"{self.text}\n\n{note}", default)
        require_tracking(options.track)
        return options

    def parse_resume(self, argv: Sequence[str], options: Any) -> ResumeOptions | None:
        """Parse the arguments of going on with a run; None where they are of a new one.

        Args:
            argv: the arguments.
            options: the dataclass of a new run.

        Raises:
            CommandError: an option is one of a new run.
        """
        if any(word.partition("=")[0] == "--resume" for word in argv):
            if (wrong := settled(argv, ResumeOptions, options)) is not None:
                raise CommandError(wrong)
            earlier = parse(ResumeOptions, self.name, argv, self.text)
            require_tracking(earlier.track)
            return earlier
        return None

    def parse_changes(self, words: Sequence[str], config: Settings) -> Settings:
        """Parse `--config.*` over the settings of an earlier run."""
        kind: Any = Changes
        kind = kind[type(config)]
        return parse(kind, self.name, words, self.text, Changes(config)).config

    def misplaced(self, argv: Sequence[str]) -> CommandError:
        """Return the error of names that were not found where they ought to be."""
        names = f"{self.first} and {self.second}"
        return CommandError(f"write {names} first, then the options: {' '.join(argv)}")

    def interruption(self, run: Path, steps: int, trust: str = "") -> str:
        """Say where Ctrl-C stopped training, and how to go on, with an option of trust."""
        stopped = f"interrupted at step {steps:,}; to go on from the last checkpoint:"
        return f"{stopped}\n  {self._resume(run)}{trust}"

    @contextmanager
    def finite(self, run: Path, trust: str = "") -> Iterator[None]:
        """Tell in one line that what is trained has diverged, and how to go on before that."""
        from ..gradients.annealing import BadSetting
        from ..runs.divergence import Diverged

        try:
            yield
        except BadSetting as error:
            raise CommandError(one_line(error)) from error
        except Diverged as error:
            print(self._divergence(Checkpoints(run), trust), flush=True)
            raise CommandError(one_line(error)) from error

    def _divergence(self, files: Checkpoints, trust: str) -> str:
        kept = files.list()
        if not kept:
            told = f"nothing had been saved in {shown(files.run)} before that"
            return f"{told}: begin with other settings"
        whole = f"all is finite up to step {int(kept[-1].stem):,}; to go on from there, which leads"
        return f"{whole} to the same end on the CPU:\n  {self._resume(files.run)}{trust}"

    @contextmanager
    def prepared(self, argv: Sequence[str]) -> Iterator[None]:
        """Survive the signal that the arguments name, while there is nothing that could be saved.

        They are not parsed yet, and what trains takes seconds to import.
        """
        name = _named_signal(argv)

        def tell(*_: object) -> None:
            print(f"{name}: nothing has been learned yet; training begins", file=sys.stderr)

        with self._answering(name, tell):
            yield

    @contextmanager
    def warned(
        self, name: WarningSignal | None, snapshot: Callable[[], None], file: Path
    ) -> Iterator[None]:
        """Call `snapshot`, which writes `file`, whenever a signal comes; training goes on.

        Nothing else depends on the signal: a run that was warned ends in the same weights.
        """
        from tqdm import tqdm

        from ..runs.divergence import Diverged

        def save(*_: object) -> None:
            try:
                snapshot()
                said = f"wrote {shown(file)}, to look at; training goes on"
            except (OSError, Diverged) as error:  # training will stop at the latter by itself
                said = f"{one_line(error)}; training goes on"
            tqdm.write(f"{name}: {said}", file=sys.stderr)

        with self._answering(name, save):
            yield

    def _answering(
        self, name: WarningSignal | None, answer: Handler
    ) -> AbstractContextManager[None]:
        if name is None:
            return nullcontext()
        if not hasattr(signal, name):
            raise CommandError(f"this system has no signal {name}")
        return handled(signal.Signals[name], answer)

    def suggestions(
        self, run: Path, others: Mapping[str, str], steps: int | None, trust: str = ""
    ) -> str:
        """List what can be typed next, each with what it is for.

        Args:
            run: the folder of the run.
            others: other commands on it, such as `"render --out episode.mp4"`; the folder comes
                first, or where they say `{run}`.
            steps: how long it would be if it were trained longer; None: it cannot be.
            trust: the option that loading the run needs, if any.
        """
        commands = {_on(run, call): why for call, why in others.items()}
        commands[f"{executable('tensorboard')} --logdir {_quoted(run)}"] = "look at the numbers"
        if steps is not None:
            commands[f"{self._resume(run)} --steps {steps}{trust}"] = "train it longer"
        width = max(map(len, commands)) + 2
        return "\n".join(["", "next:", *(f"  {c:<{width}}# {why}" for c, why in commands.items())])

    def _resume(self, run: Path) -> str:
        """Return what to type to go on, in as many processes here as there are."""
        typed, here = to_type(self.name), os.environ.get("LOCAL_WORLD_SIZE", "1")
        if here != "1" and Path(sys.argv[0]).suffix == ".py":
            script = typed.partition(" ")[2]
            typed = f"{executable('torchrun')} --nproc_per_node={here} -- {script}"
        return f"{typed} --resume {_quoted(run)}"


def preset_note(name: str, preset: Preset | None, known: Iterable[str]) -> str:
    """Say whose defaults are shown, or what to name so that a preset is.

    Args:
        name: of an algorithm or a model.
        preset: the one in force, if any.
        known: what there are presets for.
    """
    if preset is not None:
        return f"The defaults below are the {preset}."
    names = ", ".join(known)
    if not names:
        return f"There are no presets for {name}."
    return f"Presets for {name}: name one of {names} to see its defaults."


def new_folder(name: str, problem: str, seed: int) -> Path:
    """Make `runs/NAME-PROBLEM-sSEED`, with a number behind where that is taken; return its path."""
    stem = f"{name}-{re.sub('[/:@]', '-', problem)}-s{seed}"
    runs = pinned(RUNS)
    make_folder(runs)
    for k in count(1):
        path = runs / (stem if k == 1 else f"{stem}-{k}")
        with suppress(FileExistsError):  # also where another process was quicker
            path.mkdir()
            sync(runs)
            return path
    raise AssertionError("there is always another number")


def list_run(run: Path, best: str, others: Mapping[str, str]) -> str:
    """List the files of a run's folder that are there, each with what it is.

    Args:
        run: the folder.
        best: what the best checkpoint is.
        others: what else may be there.
    """
    files = {
        "config.json": "what was run",
        "best/checkpoint.pt": best,
        "checkpoints/": "to resume from",
        "metrics.csv": "numbers, for TensorBoard in events.*",
        **others,
    }
    there = {name: what for name, what in files.items() if (run / name).exists()}
    lines = [f"  {name:<20}{what}" for name, what in there.items()]
    return "\n".join(["", f"in {shown(run)}:", *lines])


def _named_signal(argv: Sequence[str]) -> WarningSignal | None:
    """Return what follows --checkpoint-on, if it is such a signal."""
    for word, following in zip(argv, [*argv[1:], ""], strict=False):  # nothing has nothing behind
        option, _, value = word.partition("=")
        if option.replace("_", "-") == "--checkpoint-on":
            named: Iterator[WarningSignal] = iter(get_args(WarningSignal))
            return next((name for name in named if name == (value or following)), None)
    return None


def _on(run: Path, call: str) -> str:
    """Return what to type for `NAME OPTIONS` on a run, which comes first, or where `{run}` is."""
    name, _, options = call.partition(" ")
    options = options if "{run}" in options else f"{{run}} {options}"
    return f"{to_type(name)} {options.replace('{run}', _quoted(run))}".rstrip()


def _quoted(run: Path) -> str:
    return shlex.quote(str(shown(run)))
