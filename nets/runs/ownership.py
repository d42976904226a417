"""One folder, one owner: a lock that the kernel frees when its process ends, however that ends."""

import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from ..warned import warn
from .durable import make_folder

try:
    import fcntl
except ImportError:  # Windows has another word for it
    fcntl = None  # type: ignore[assignment]

LOCK = ".dreamgym.lock"
NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # for whoever is at the other end of a pipe
PAUSE = 0.05  # seconds between two tries to have a lock
FAR = 1 << 20  # a byte that nobody writes: what Windows has locked, others cannot read


class Occupied(RuntimeError):
    """Another process owns the folder; the message says which, where and since when."""


_held: set[int] = set()
"""Descriptors of the locks of this process."""


def _let_go() -> None:
    """Close, in a forked child, which may live longer than the owner, the locks it inherits."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Own `folder`, which is made where it is missing, until the block ends.

    What a dead process left in the lock's file means nothing: the kernel's word alone counts.

    Raises:
        Occupied: another process, or another part of this one, owns it.
    """
    make_folder(folder)
    with _locked(folder / LOCK, folder):
        yield


@contextmanager
def owned_file(path: Path) -> Iterator[None]:
    """Own a file, which may not be there yet, until the block ends; others in its folder are free.

    Raises:
        Occupied: as `owned`.
    """
    make_folder(path.parent)
    with _locked(path.with_name(f".{path.name}.lock"), path):
        yield


@contextmanager
def in_turn(own: Callable[[], AbstractContextManager[object]]) -> Iterator[None]:
    """Own something, such as `partial(owned, folder)`, as soon as nobody else does."""
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(own())
                break
            except Occupied:
                time.sleep(PAUSE)
        yield


@contextmanager
def _locked(lock: Path, what: Path) -> Iterator[None]:
    descriptor = _opened(lock, os.O_RDWR | os.O_CREAT)
    _held.add(descriptor)
    try:
        _lock(descriptor, what)
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}, {since}".encode())
        yield
    finally:
        if descriptor in _held:  # a forked child has let go already
            _held.remove(descriptor)
            os.close(descriptor)


def require_free(folder: Path) -> None:
    """Refuse a folder that somebody owns at this moment; nothing is written.

    Raises:
        Occupied: another process, or another part of this one, owns it.
    """
    try:
        descriptor = _opened(folder / LOCK, os.O_RDONLY)
    except OSError:  # nobody has ever owned it, or it is not for us to know
        return
    try:
        _lock(descriptor, folder, shared=True)
    finally:
        os.close(descriptor)


def _opened(lock: Path, flags: int) -> int:
    """Open a lock's file, and nothing else that may bear its name."""
    descriptor = os.open(lock, flags | NO_LINKS | NO_WAIT, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{lock} is no file")
    return descriptor


def _lock(descriptor: int, what: Path, *, shared: bool = False) -> None:
    try:
        _lock_now(descriptor, shared)
    except (BlockingIOError, PermissionError):
        owner = os.read(descriptor, 200).decode(errors="replace") or "another process"
        message = f"{what} has an owner: {owner}; wait until it ends, or stop it"
        raise Occupied(message) from None
    except OSError as error:  # some network file systems have no locks
        message = f"{what} cannot be locked ({error.strerror}): see to it that nobody else writes"
        warn(f"{message} there")


def _lock_now(descriptor: int, shared: bool) -> None:
    """Lock a file, or raise at once."""
    if fcntl is not None:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        return
    import msvcrt

    os.lseek(descriptor, FAR, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)
