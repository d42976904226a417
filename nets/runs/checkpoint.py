"""Files that hold a training state: written atomically, loaded without running code."""

import json
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import torch

from ..near import shortened
from ..process.memory import lacks_memory, memory_sentence
from .archive import inspect
from .durable import as_path, make_folder, require_place, sync

FORMAT = "dreamgym"
VERSION = 1
MOST_JSON = 2**22  # bytes, of which Python makes twenty times as many


class CheckpointError(RuntimeError):
    """A checkpoint is torn, foreign, unsafe, or does not fit; the message names the file."""


class Damaged(CheckpointError):
    """A file is not as it was written: an earlier one may be whole."""


class UntrustedError(CheckpointError):
    """A file asks for what may run code or write files, and nobody has allowed it.

    Args:
        asked: what it asks for.
        source: the file.
    """

    def __init__(self, asked: Sequence[str], source: str | Path = "it") -> None:
        self.asked = asked
        super().__init__(
            f"{source} asks for {', '.join(asked)}, which is not known to be harmless and may run "
            "code or write files: if you trust whoever made it, add --trust (in Python trust=True)"
        )


class MissingCode(CheckpointError):
    """A file was made with code that cannot be found again.

    Args:
        reason: what is missing, and what to do.
        source: the file.
    """

    def __init__(self, reason: str, source: str | Path = "it") -> None:
        self.reason = reason
        super().__init__(f"{source} needs more than itself: {reason}")


def atomic_write(path: str | Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file that appears under `path` only when it is complete and on disk.

    The bytes go to a temporary neighbour, are flushed to the device, and renamed over `path`; a
    crash at any moment leaves either the old file or the new one.

    Raises:
        OSError: the file cannot be written, as on a full disk, or where a device, a pipe or a
            folder lies; it is named.
    """
    path = as_path(path)
    require_place(path)
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as file:  # never through a link that lies there
            write(file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        cause = error.__context__ if isinstance(error, RuntimeError) else error  # torch's writer
        if isinstance(cause, OSError) and cause.errno is not None:
            raise OSError(cause.errno, cause.strerror, str(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def save_checkpoint(path: str | Path, state: dict[str, Any]) -> None:
    """Save a tree of dicts, lists, tensors, numbers and strings (curriculum S-IO-01).

    Raises:
        TypeError: `state` holds anything else; loading it would need code. The key is named.
    """
    payload = {"format": FORMAT, "version": VERSION, "state": _plain(state, "state")}
    atomic_write(path, lambda file: torch.save(payload, file))


@torch.inference_mode(False)
def load_checkpoint(path: str | Path, device: str | torch.device = "cpu") -> dict[str, Any]:
    """Load what `save_checkpoint` wrote; no code in the file is ever run.

    Raises:
        FileNotFoundError: there is no such file.
        Damaged: the file is torn, or bytes of it have changed.
        CheckpointError: it holds Python objects, or was written by another program.
    """
    path = as_path(path)
    _require_file(path, "checkpoint")
    try:
        inspect(path)
        payload = torch.load(path, map_location=device, weights_only=True)
    except pickle.UnpicklingError as error:
        message = (
            f"{path} holds Python objects, which a checkpoint of ours never does; "
            "it was not loaded, and none of its code was run"
        )
        raise CheckpointError(message) from error
    except zipfile.BadZipFile as error:
        message = f"{path} is torn or no checkpoint ({_first_line(error)})"
        raise Damaged(message) from error
    except Exception as error:  # a hostile file can make the reader fail in any way
        raise Damaged(f"{path} cannot be read ({_first_line(error)})") from error
    if not isinstance(payload, dict) or payload.get("format") != FORMAT:
        raise CheckpointError(f"{path} is a torch file, but not one that dreamgym wrote")
    version = payload.get("version")
    if not isinstance(version, int) or version != VERSION:  # a tensor compares in its own way
        message = f"{path} has format version {shortened(version)}, expected {VERSION}"
        raise CheckpointError(message)
    state = payload.get("state")
    if not isinstance(state, dict):
        raise CheckpointError(f"{path} holds no state")
    return state


_MISFITS = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError),
    *(RuntimeError, TypeError, ValueError),
)


@contextmanager
def fitting(source: str | Path) -> Iterator[None]:
    """Turn errors of loading a state into a `CheckpointError` that names its file."""
    try:
        yield
    except Damaged:
        raise
    except UntrustedError as error:
        raise UntrustedError(error.asked, source) from error
    except MissingCode as error:
        raise MissingCode(error.reason, source) from error
    except KeyError as error:
        raise CheckpointError(f"{source} does not fit: it has no {error}") from error
    except _MISFITS as error:
        why = memory_sentence(error) if lacks_memory(error) else " ".join(str(error).split())
        raise CheckpointError(f"{source} does not fit: {why}") from error


def save_json(path: str | Path, value: Any) -> None:
    """Save `value` as indented JSON, atomically."""
    text = json.dumps(value, indent=2, sort_keys=False, allow_nan=False) + "\n"
    atomic_write(path, lambda file: file.write(text.encode()))


def load_json(path: str | Path) -> Any:
    """Load a JSON file; `CheckpointError` names it when it is damaged, or far too large."""
    path = as_path(path)
    _require_file(path, "file")
    if path.stat().st_size > MOST_JSON:
        raise CheckpointError(f"{path} has more than {MOST_JSON:,} bytes")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path} is not valid JSON: {error}") from error


def load_object(path: str | Path) -> dict[str, Any]:
    """Load a JSON file whose outermost value is an object; else `CheckpointError`."""
    value = load_json(path)
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise CheckpointError(f"{path} does not fit: it is a {kind}, expected names and values")
    return value


def _require_file(path: Path, kind: str) -> None:
    """Raise unless `path` is a file that ends: a pipe or a device may not."""
    if not path.exists():
        seen = ""
        with suppress(OSError):  # the current folder may be gone
            seen = "" if path.is_absolute() else f", seen from {Path.cwd()}"
        raise FileNotFoundError(f"no {kind} at {path}{seen}")
    if not path.is_file():
        raise CheckpointError(f"{path} is no file")


def _plain(value: Any, where: str) -> Any:
    """Return `value` with its tensors on the CPU, where any machine can load them.

    Raises:
        TypeError: it is not made of types that load without code.
    """
    if isinstance(value, torch.Tensor):
        if value.nbytes > value.untyped_storage().nbytes():
            raise TypeError(f"{where} repeats its numbers: save its clone(), which has them all")
        return value.cpu()
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        return type(value)(_plain(item, f"{where}[{k}]") for k, item in enumerate(value))
    if type(value) in (dict, OrderedDict):
        for key in value:
            if type(key) not in (str, int):
                raise TypeError(f"{where} has the key {key!r}: expected str or int")
        return type(value)((key, _plain(item, f"{where}[{key!r}]")) for key, item in value.items())
    message = f"{where} is a {type(value).__name__}: expected tensors, numbers, strings, lists"
    raise TypeError(message)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
