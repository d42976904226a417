"""The environment that a command is given: an id, arguments, wrappers and a time limit."""

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from nets.foreign import blame, blaming, is_foreign
from nets.kinds import Count
from nets.settings import Settings
from nets.shell.command_line import CommandError, one_line

from .common import refusals

if TYPE_CHECKING:
    from ..environments.source import EnvSource


@dataclass(frozen=True, kw_only=True)
class WorldOptions(Settings):
    """What is done to an environment."""

    wrap: Annotated[
        tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="WRAPPER")
    ] = ()
    """Wrapper around the environment: module:Class, or 'module:Class(name=value)', of Gymnasium's
    the class alone. Given again, around what is there."""
    max_episode_steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Time limit of an episode in steps; by default the environment's own."""


def adapt(source: "EnvSource", arguments: dict[str, Any], options: WorldOptions) -> "EnvSource":
    """Return an environment as the person at the keyboard wants it.

    Raises:
        CommandError: there is no such argument or wrapper, or nothing can be made of them.
    """
    from ..environments.trust import OURS

    wrappers = [parse_wrapper(text) for text in options.wrap]
    with refusals(ValueError):
        source = source.adapted(arguments, {}, options.max_episode_steps)
        for name, settings in wrappers:
            source = source.adapted({}, {name: settings})
    if arguments or wrappers:
        try:
            with refusals():
                env = source.make()
        except Exception as error:
            ours = source.module in OURS and isinstance(error, TypeError | ValueError)
            if not (ours or is_foreign(error)):
                raise
            reason = one_line(error) if ours else blame(error)
            asked = [f"{name}={value!r}" for name, value in arguments.items()] + list(options.wrap)
            message = f"{source.name} cannot be made with {', '.join(asked)}: {reason}"
            raise CommandError(message) from error
        with blaming(f"the environment {source.name}, in its close"):
            env.close()
    return source


def parse_wrapper(text: str) -> tuple[str, dict[str, Any]]:
    """Return the name of a wrapper and its arguments: `module:Class(name=value)`.

    Raises:
        CommandError: it is something else.
    """
    name, bracket, rest = text.partition("(")
    try:
        call = ast.parse(f"_({rest}" if bracket else "_()", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or not name.strip():
            raise ValueError
        settings = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
        if "None" in settings:  # the arg of **
            raise ValueError
    except (SyntaxError, ValueError) as error:
        expected = "expected Class, module:Class or 'module:Class(name=value)'"
        raise CommandError(f"--wrap {text!r} is no wrapper: {expected}") from error
    return name.strip(), settings
