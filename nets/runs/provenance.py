"""Which source, which libraries and which processor made a result."""

import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def git_commit() -> str | None:
    """The commit of the source tree, where the package runs from one."""
    return _git_state()[0]


def git_dirty() -> bool | None:
    """Whether files of the commit had been changed; None where there is no commit."""
    return _git_state()[1]


def _git_state() -> tuple[str | None, bool | None]:
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None, None
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        told = subprocess.run(
            [*command, "--exclude=*"], capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None, None
    return told.removesuffix("-dirty"), told.endswith("-dirty")


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on."""
    found = {"python": platform.python_version(), "platform": sys.platform}
    names = ("dreamgym", "gymnasium", "numpy", "torch", "numba")
    return found | {package: _installed(package) for package in names}


@cache
def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


@cache
def processor() -> dict[str, str]:
    """The processor's name, as far as the system tells it, and which instructions torch uses."""
    import torch

    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = f"model name: {platform.processor() or platform.machine()}"
    found = re.search(r"model name\s*:\s*(.+)", text)
    name = found[1] if found else platform.machine()
    return {"name": name, "capability": torch.backends.cpu.get_cpu_capability()}


def origin() -> dict[str, Any]:
    """What results depend on beside their configuration: versions and processor."""
    return {"versions": versions(), "processor": processor()}


def moved(before: Mapping[str, Any], libraries: Sequence[str] = ("torch",)) -> str:
    """Tell how this process differs from the `origin` of another, where that costs exactness.

    Args:
        before: the other's.
        libraries: whose versions matter.
    """
    now, found = origin(), []
    for key, name, what in (
        *(("versions", library, library) for library in libraries),
        ("processor", "name", "the processor"),
        ("processor", "capability", "what torch uses of it"),
    ):
        then = before.get(key, {}).get(name)
        if then not in (None, now[key][name]):
            found.append(f"{what} was {then}, now {now[key][name]}")
    return "; ".join(found)
