"""Docstrings of settings: `help(Config)` tells of each field what is written below it."""

import ast
import inspect
from dataclasses import fields
from itertools import pairwise
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


class Described:
    """A class's docstring, and the fields' own below it, read where somebody asks for it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __get__(self, instance: Any, owner: "type[DataclassInstance]") -> str:
        if "__match_args__" not in vars(owner):  # `dataclass` looks whether there is one
            return self.text
        said = [f"{name}: {text}" for name, text in told_fields(owner).items()]
        if not said:
            return self.text
        lines = indent("\n".join(each.replace("\n", "\n    ") for each in said), "    ")
        return f"{inspect.cleandoc(self.text)}\n\nAttributes:\n{lines}\n"


def told_fields(kind: "type[DataclassInstance]") -> dict[str, str]:
    """Return the docstrings of a dataclass's fields, those of its bases first."""
    told: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        told |= _told_in(base)
    return {field.name: told[field.name] for field in fields(kind) if field.name in told}


def _told_in(kind: type) -> dict[str, str]:
    """Return the strings below a class's own annotations; none where its source is not at hand."""
    try:
        body = ast.parse(dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError, SyntaxError):
        return {}
    lines = body.body if isinstance(body, ast.ClassDef) else []
    return {
        line.target.id: inspect.cleandoc(below.value.value)
        for line, below in pairwise(lines)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(below.value.value, str)
    }
