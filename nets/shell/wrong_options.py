"""Wrong options, told in one sentence, where tyro draws boxes of many lines."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import tyro
from tyro import _errors  # the only place where tyro tells what is wrong before it draws a box

from ..habits import OPTIONS
from ..near import nearest


class WrongOption(Exception):
    """An option, or a name, that a command cannot do anything with."""


@contextmanager
def one_sentence(kind: Any, default: Any, argv: Sequence[str], call: str) -> Iterator[None]:
    """Have tyro raise `WrongOption` where it would end the process.

    Args:
        kind: the dataclass that `argv` is parsed into.
        default: an object of it, whose settings tell of which kind they are.
        argv: the arguments.
        call: of the command, whose `--help` tells more.
    """

    def refuse(event: Any) -> None:
        told = _sentence(event, dict(_known(kind, default)), list(argv), f"; see {call} --help")
        if told is not None:
            raise WrongOption(told)

    with _errors.on_parse_error(refuse):
        yield


def settled(argv: Sequence[str], now: Any, before: Any) -> str | None:
    """Return what is wrong with options that were given when something began, and come again.

    Args:
        argv: the arguments.
        now: the dataclass that they are parsed into.
        before: the dataclass of the beginning.
    """
    taken, known = ({f"--{f.name}".replace("_", "-") for f in fields(k)} for k in (now, before))
    for option in map(_option, filter(_is_option, argv)):
        if option not in taken and (option in known or option.startswith("--config.")):
            listed = ", ".join(sorted(taken))
            return f"{option} is settled when a run begins: later there are {listed}"
    return None


def _sentence(event: Any, known: dict[str, Any], argv: list[str], more: str) -> str | None:
    """Return what is wrong; None for what later versions of tyro may find wrong."""
    strange = [word for word in filter(_is_option, argv) if _option(word) not in known]
    match event:
        case _errors.InvalidChoice(argument=argument, value=value):
            return f"{_name(argument)} is {value!r}: expected {_described(argument.field.type)}"
        case _errors.InstantiationFailure(argument=argument, message=message):
            if argument is None:
                return str(message)
            given = " ".join(_behind(argument, argv))
            own = message if message.startswith("expected ") else ""
            expected = own or f"expected {_described(argument.field.type)}"
            return f"{_name(argument)} is {given!r}: {expected}"
        case _errors.UnrecognizedArgs(tokens=tokens):
            return _unknown(strange or tokens, known, argv, more)
        case _errors.BadValue() | _errors.MissingArgs() if strange:
            return _unknown(strange, known, argv, more)
        case _errors.BadValue(argument=argument) if not argument.is_positional():
            given = " ".join(_behind(argument, argv))
            told = f"is {given!r}" if given else "is given nothing"
            return f"{_name(argument)} {told}: expected {_described(argument.field.type)}"
        case _errors.BadValue(argument=argument):
            return f"{_name(argument)} is missing{more}"
        case _errors.MissingArgs(missing_arguments=missing):
            names = [_name(each.arg) for each in missing]
            return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} missing{more}"
    return None


def _unknown(tokens: list[str], known: dict[str, Any], argv: list[str], more: str) -> str:
    """Tell of the first word that belongs to nothing: an option, or what stands behind one."""
    token = tokens[0]
    if _is_option(token):
        name = token.partition("=")[0]
        near = nearest(name, known)
        if near is None and name.startswith("--no-"):
            near = nearest(f"--{name.removeprefix('--no-')}", known)
        word = _option(name).lstrip("-").removeprefix("no-").replace("-", "_")
        other = OPTIONS.get(word)
        if other and (near is None or not near.endswith(_option(name).lstrip("-"))):
            return f"there is no option {name}: {other}"
        if near is None:
            return f"there is no option {name}{more}"
        if _is_option(near):
            return f"there is no option {name}: did you mean {near}?"
        return f"there is no option {name}: {near} is written without one{more}"
    before = argv[: len(argv) - argv[::-1].index(token) - 1]
    option = _option(next(filter(_is_option, reversed(before)), ""))
    if option not in known:
        return f"{token!r} is one word too many{more}"
    if known[option] is bool:
        prefix, dot, name = option.removeprefix("--").rpartition(".")
        off = f"--{prefix}{dot}no-{name}"
        expected = f"{option} or {off}" if off in known else option
        return f"{option} takes no value, and is given {token!r}: expected {expected}"
    return f"{token!r} is too much behind {option}: expected {_described(known[option])}"


def _known(kind: Any, default: Any, prefix: str = "--") -> Iterator[tuple[str, Any]]:
    """Yield options, `--config.clip`, and what stands without one, `ENV_ID`, with their types."""
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        hint, value = hints[field.name], getattr(default, field.name, None)
        extras = hint.__metadata__ if get_origin(hint) is Annotated else ()
        own = next((each for each in extras if hasattr(each, "prefix_name")), None)
        word = getattr(own, "name", None) or field.name.replace("_", "-")
        if is_dataclass(value):
            yield from _known(type(value), value, f"{prefix}{word}.")
        elif tyro.conf.Positional in extras:
            yield getattr(own, "metavar", None) or field.name.upper(), hint
        elif not isinstance(hint, TypeVar):
            yield ("--" if getattr(own, "prefix_name", None) is False else prefix) + word, hint
            if hint is bool:
                yield f"{prefix}no-{word}", hint


def _name(argument: Any) -> str:
    """Return an option, or what stands for a name without one."""
    if not argument.is_positional():
        return str(argument.lowered.name_or_flags[0])
    shown = str(argument.lowered.metavar)
    return shown if shown[:1].isalpha() else str(argument.field.intern_name).upper()


def _is_option(word: str) -> bool:
    return word.startswith("-") and word.lstrip("-")[:1].isalpha() and word not in NUMBERS


NUMBERS = ("-inf", "-nan")


def _option(word: str) -> str:
    """Return the option of `--option_name=VALUE` as help writes it."""
    return word.partition("=")[0].replace("_", "-")


def _behind(argument: Any, argv: list[str]) -> list[str]:
    """Return the words behind the last mention of an option."""
    found: list[str] = []
    taking = False
    for word in argv:
        if _is_option(word):
            taking = _option(word) in argument.lowered.name_or_flags
            if taking:
                found = [word.partition("=")[2]] if "=" in word else []
        elif taking:
            found.append(word)
    return found


def _one_of(choices: Sequence[Any]) -> str:
    return f"one of {', '.join(map(repr, choices))}" if len(choices) > 1 else repr(choices[0])


WORDS: dict[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    NoneType: "None",
}


def _described(hint: Any) -> str:
    """Return a type in words."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _described(args[0])
    if origin is Literal:
        return _one_of(args)
    if origin is tuple:
        each = _described(args[0])
        return f"{each} for each" if args[-1] is ... else f"{len(args)} values, {each} for each"
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_described, args)))
    return WORDS.get(hint, "a value")
