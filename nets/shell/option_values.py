"""How words behind options are read: code by its name, whole numbers also as 1e5."""

from collections.abc import Callable
from typing import Any, get_args, get_origin

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from ..code import is_path, written

VALUES = ConstructorRegistry()


@VALUES.primitive_rule
def _code(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Read `module:name`, or else a number where that is what the option usually is."""
    members = get_args(info.type)
    if not any(get_origin(member) is get_origin(Callable[..., Any]) for member in members):
        return None
    numeric = members[0] is not str

    def read(words: list[str]) -> Any:
        if is_path(words[0]) or not numeric:
            return words[0]
        try:
            return float(words[0])
        except ValueError:
            raise ValueError("expected a number, or MODULE:NAME of a function") from None

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="FLOAT|MODULE:NAME" if numeric else "STR|MODULE:NAME",
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, str | float) or callable(value),
        str_from_instance=lambda value: [written(value) if callable(value) else str(value)],
    )


@VALUES.primitive_rule
def _whole(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[int] | None:
    """Read 100000, 100_000 and 1e5."""
    if info.type is not int:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="INT",
        instance_from_str=lambda words: whole_number(words[0]),
        is_instance=lambda value: isinstance(value, int) and not isinstance(value, bool),
        str_from_instance=lambda value: [str(value)],
    )


def whole_number(word: str) -> int:
    """Return the whole number that a word stands for.

    Raises:
        ValueError: it is none.
    """
    try:
        return int(word)
    except ValueError:
        number = float(word)
    if not number.is_integer():  # nor is what is not finite
        raise ValueError("expected a whole number")
    return int(number)
