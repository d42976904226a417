"""What the commands of agents share, beside what all commands do: `nets.shell.command_line`."""

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from nets.runs.finding import find_checkpoint, neighbour
from nets.shell import command_line
from nets.shell.command_line import Command, CommandError, one_line

if TYPE_CHECKING:
    from ..agent import Agent
    from ..environments.source import EnvSource


@contextmanager
def refusals(*kinds: type[Exception]) -> Iterator[None]:
    """Tell in one line what the library refuses: damaged files, unknown ids, and `kinds`."""
    import gymnasium as gym

    with command_line.refusals(gym.error.Error, *kinds):
        yield


def command_of_kind(argv: list[str], group: str) -> Command | None:
    """Return the command for the run named in `argv`, if its kind has one of its own.

    Args:
        argv: words of the command line.
        group: of entry points, each named by the kind of run that it is for.
    """
    files = [file for word in argv if (file := Path(word) / "config.json").is_file()]
    if not files:
        return None
    from nets.runs.checkpoint import CheckpointError, load_object

    for file in files:
        with suppress(OSError, CheckpointError):
            kind = load_object(file).get("kind")
            for point in entry_points(group=group):
                if point.name == kind:
                    return point.load()
    return None


def warn_idle(agent: "Agent", steps: int, label: str | None = None) -> None:
    """Say before a training that it is too short to learn anything, if so."""
    reason = agent.idle(steps)
    if reason:
        what = f"{label or agent.name} learns nothing in {steps:,} steps"
        print(f"warning: {what}: {reason}", file=sys.stderr, flush=True)


def require_ready(agent: "Agent") -> None:
    """Refuse what a training of an untrained agent lacks; it warns of the rest when it begins."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agent.begin()


def find_env(env_id: str, num_envs: int | None = None) -> "EnvSource":
    """Return the source of `env_id`.

    Raises:
        CommandError: there is no such environment; the nearest id is suggested.
    """
    import gymnasium as gym

    from ..environments.source import EnvSource

    try:
        return EnvSource.of(env_id, num_envs)
    except gym.error.Error as error:
        message = one_line(error)
        known = isinstance(error.__cause__, ModuleNotFoundError) or "Did you mean" in message
        if not known and ":" not in env_id:
            message = f"{message.rstrip('.')}: {_hint(env_id, gym.registry)}"
        raise CommandError(message) from error


def _hint(env_id: str, known: Iterable[str]) -> str:
    near = get_close_matches(env_id, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "an id that another package registers is written behind its module, as package:Name-v0"


def load_agent(
    path: Path, checkpoint: str | None, *, trust: bool, device: str = "auto"
) -> tuple["Agent", Path]:
    """Return the agent of a run folder or of a saved file, and the file it came from.

    Args:
        path: the folder or the file.
        checkpoint: of a folder: its name; None for the best.
        trust: whether its environment may be of any module.
        device: where to put it.

    Raises:
        CommandError: there is none, or its file is damaged.
    """
    from ..loading import load

    if not path.exists():
        raise CommandError(f"there is no {path}{neighbour(path)}")
    with refusals(ValueError):
        file = find_checkpoint(path, checkpoint)
        return load(file, device=device, trust=trust), file
