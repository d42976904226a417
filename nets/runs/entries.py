"""What lies in a zip archive as torch writes it: stored, undamaged, and found by every reader."""

import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

END, LOCATOR, END_64 = (struct.Struct(f"<{fields}") for fields in ("4s4H2LH", "4sLQL", "4sQ2H2L4Q"))
SATURATED = (2**16 - 1,) * 4 + (2**32 - 1,) * 2  # where only the 64-bit record says it


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Mapping[str, int]]]:
    """Open an archive; with it come the names of its entries and their sizes in bytes.

    Raises:
        zipfile.BadZipFile: it is no whole archive, or damaged.
        ValueError: something in it is compressed, or has the name of something else.
    """
    _require_one_directory(path)
    with zipfile.ZipFile(path) as archive:
        yield archive, _entries(archive, path.stat().st_size)


def _require_one_directory(path: Path) -> None:
    """Refuse an archive of which two readers could find two directories.

    The directory has to end where its own end is told, without a comment; Python looks for it
    there, and torch where it is said to begin.

    Raises:
        zipfile.BadZipFile: it ends elsewhere, or is told of twice in different ways.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - END.size - LOCATOR.size - END_64.size, 0))
        tail = file.read()
    if len(tail) < END.size:
        raise zipfile.BadZipFile("it is too short for an archive")
    signature, *told, comment = END.unpack(tail[-END.size :])
    directory_end = size - END.size
    locator = tail[-END.size - LOCATOR.size : -END.size]
    if locator.startswith(b"PK\6\7") and len(tail) == END.size + LOCATOR.size + END_64.size:
        directory_end -= LOCATOR.size + END_64.size
        first, length, _, _, *wide = END_64.unpack(tail[: END_64.size])
        if (
            first != b"PK\6\6"
            or length != END_64.size - 12
            or LOCATOR.unpack(locator)[1:] != (0, directory_end, 1)
            or any(a not in (b, most) for a, b, most in zip(told, wide, SATURATED, strict=True))
        ):
            raise zipfile.BadZipFile("it tells of two directories")
        told = wide
    if signature != b"PK\5\6" or comment or told[-1] + told[-2] != directory_end:
        raise zipfile.BadZipFile("its directory does not end where it ends")


def _entries(archive: zipfile.ZipFile, size: int) -> Mapping[str, int]:
    """Return the bytes of each entry, which all together lie in the file's `size`."""
    found = archive.infolist()
    compressed = [entry.filename for entry in found if entry.compress_type != zipfile.ZIP_STORED]
    if compressed:
        raise ValueError(f"{compressed[0]!r} is compressed, which torch never does")
    entries = {entry.filename: entry.file_size for entry in found}
    if len(entries) < len(found):
        raise ValueError("two of its entries have the same name")
    if sum(entries.values()) > size:
        raise ValueError(f"its entries have {sum(entries.values()):,} bytes, it has {size:,}")
    damaged = archive.testzip()  # torch checks no checksums
    if damaged is not None:
        raise zipfile.BadZipFile(f"{damaged!r} is damaged")
    return entries
