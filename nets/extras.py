"""Packages that only some need: who lacks one is told which extra of ours installs it."""

from importlib.util import find_spec


def not_installed(package: str, extra: str) -> str:
    """Return what to say where a package is missing."""
    return f"{package} is not installed: pip install 'dreamgym[{extra}]'"


def require_extra(extra: str, *packages: str) -> None:
    """Refuse to go on without packages that an extra installs.

    Raises:
        ModuleNotFoundError: one is not installed; the extra is named.
    """
    for package in packages:
        if find_spec(package) is None:
            raise ModuleNotFoundError(not_installed(package, extra))
