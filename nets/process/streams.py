"""Standard streams that can always be written to, whoever reads them, in whatever encoding."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO


class LastingStream:
    """A text stream whose loss ends nothing: what can be written no more is dropped.

    Args:
        stream: what is written to; all but writing is its own.

    Attributes:
        lost: the error by which something was not written; None where its reader had gone, who has
            what they wanted.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lost: OSError | None = None

    def write(self, text: str) -> int:
        """Write `text`, with escapes for characters that the stream's encoding lacks."""
        with self._lasting():
            try:
                self.stream.write(text)
            except UnicodeEncodeError:
                code = self.stream.encoding
                self.stream.write(text.encode(code, "backslashreplace").decode(code))
        return len(text)

    def flush(self) -> None:
        """Flush."""
        with self._lasting():
            self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    @contextmanager
    def _lasting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                self.lost = error
            with suppress(OSError):  # it has no file: nothing is left in a buffer, either
                _to_nowhere(self.stream.fileno())


@contextmanager
def lasting_streams() -> Iterator[LastingStream]:
    """Let `sys.stdout` and `sys.stderr` last for as long as the block does; yield the former.

    Those that the process was started without lead nowhere: a file that is opened under the number
    of one of them would get what C code prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            _to_nowhere(number)
    before = sys.stdout, sys.stderr
    nowhere = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    out, err = (LastingStream(stream or nowhere) for stream in before)
    sys.stdout, sys.stderr = out, err
    try:
        yield out
    finally:
        out.flush()
        err.flush()
        sys.stdout, sys.stderr = before
        nowhere.close()


def _to_nowhere(number: int) -> None:
    """Let a file descriptor lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == number:
        os.set_inheritable(number, True)
    else:
        os.dup2(nowhere, number)
        os.close(nowhere)
