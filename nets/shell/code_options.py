"""Options that may be code: on a command line it is named by where it is imported from."""

from collections.abc import Callable
from typing import Any, get_args, get_origin

from tyro.constructors import ConstructorRegistry, PrimitiveConstructorSpec, PrimitiveTypeInfo

from ..code import is_path, written

CODE = ConstructorRegistry()


@CODE.primitive_rule
def _code(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Read `module:name`, or else a number where that is what the option usually is."""
    members = get_args(info.type)
    if not any(get_origin(member) is get_origin(Callable[..., Any]) for member in members):
        return None
    numeric = members[0] is not str

    def read(words: list[str]) -> Any:
        return words[0] if is_path(words[0]) or not numeric else float(words[0])

    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="FLOAT|MODULE:NAME" if numeric else "STR|MODULE:NAME",
        instance_from_str=read,
        is_instance=lambda value: isinstance(value, str | float) or callable(value),
        str_from_instance=lambda value: [written(value) if callable(value) else str(value)],
    )
