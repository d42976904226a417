"""Which files of a folder are pictures, which are left out and why, and their classes."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nets.counted import counted

from .images import ENDINGS
from .unread import PHOTOS, advice

TABLES = (
    *("labels.csv", "labels.tsv", "labels.txt", "labels.npy", "y.npy", "metadata.csv"),
    *("labels.json", "metadata.jsonl", "dataset.json"),
)
DATA = (".npz", ".npy", ".csv", ".tsv")
OF_SYSTEMS = ("__MACOSX", "@eaDir", "Thumbs.db", "desktop.ini")  # and what begins with a dot
PARTS = ("train", "training", "val", "valid", "validation", "test", "testing")


@dataclass(frozen=True)
class Found:
    """What is in a folder.

    Attributes:
        pictures: files whose names end as pictures' do, sorted.
        classes: of each the folder below the given one that it lies in; None where they have none.
        labels: a file that says of which class each picture is; None if there is none.
        others: of every other ending, how many files there are.
        notes: what is to be said of it.
    """

    pictures: tuple[Path, ...]
    classes: tuple[str, ...] | None
    labels: Path | None
    others: Counter[str]
    notes: tuple[str, ...]


def find_pictures(folder: Path) -> Found:
    """Look through a folder and all below it.

    What lies in folders directly below it, or deeper, is of their classes; unless some lie in the
    folder itself, for which there would be none.

    Raises:
        ValueError: there are no pictures, or the folders are the parts of a data set.
    """
    pictures, others, labels, data = [], Counter[str](), None, None
    for file in sorted(_files(folder)):
        if file.suffix.lower() in ENDINGS:
            pictures.append(file)
        elif file.parent == folder and file.name in TABLES:
            labels = labels or file
        else:
            others[file.suffix.lower() or "no ending"] += 1
            data = data or (file if file.suffix.lower() in DATA else None)
    if not pictures:
        raise ValueError(
            f"{folder} holds no images ({', '.join(ENDINGS)}){_of_others(others, data)}"
        )
    places = [file.relative_to(folder).parts for file in pictures]
    loose = sum(len(place) == 1 for place in places)
    notes: list[str] = []
    classes = None if loose else tuple(place[0] for place in places)
    if classes is not None and _are_parts(set(classes), all(len(p) > 2 for p in places)):
        listed = ", ".join(sorted(set(classes)))
        message = f"{folder} holds the parts of a data set, {listed}"
        raise ValueError(f"{message}: give one part, such as {folder / classes[0]}")
    if 0 < loose < len(places):
        notes.append(f"{loose:,} lie in the folder itself, so those below it are not its classes")
    return Found(tuple(pictures), classes, labels, others, tuple(notes))


def _are_parts(classes: set[str], deeper: bool) -> bool:
    """Whether folders are the parts of a data set: several, or one with all pictures deeper."""
    return {name.lower() for name in classes} <= set(PARTS) and (deeper or len(classes) > 1)


def _files(folder: Path) -> Iterator[Path]:
    """Yield all files below a folder, through links too, but to what it lies in itself.

    What systems hide is passed over.
    """
    seen = {*map(os.path.realpath, folder.absolute().resolve().parents)}
    for place, below, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(_visible(below))
        yield from (Path(place, name) for name in _visible(names))


def _visible(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith(".") and name not in OF_SYSTEMS]


def told(taken: int, others: Counter[str], damaged: dict[Path, str], folder: Path) -> str:
    """Say how many pictures were taken, and how many files were not, and why."""
    skipped = sum(others.values()) + len(damaged)
    said = f"{counted(taken, 'picture')} taken"
    if not skipped:
        return said
    foreign = Counter({ending: n for ending, n in others.items() if ending in PHOTOS})
    plain = others - foreign
    reasons = []
    if plain:
        reasons.append(f"{plain.total():,} no pictures ({_endings(plain)})")
    if foreign:
        reasons.append(f"{foreign.total():,} of kinds that cannot be read ({_endings(foreign)})")
    if damaged:
        first, why = next(iter(damaged.items()))
        why = why.removeprefix(f"{first} cannot be read: ")
        more = ", ..." if len(damaged) > 1 else ""
        name = os.path.relpath(first, folder)
        reasons.append(f"{len(damaged):,} damaged ({name}: {why}{more})")
    return f"{said}, {skipped:,} skipped: {', '.join(reasons)}"


def _endings(files: Counter[str]) -> str:
    return ", ".join(sorted(files))


def _of_others(others: Counter[str], data: Path | None) -> str:
    """Say what a folder without pictures holds, and what to do."""
    if not others:
        return ""
    told = next(filter(None, map(advice, sorted(others))), "")
    told = told if data is None else f"; give one of them, such as {data}"
    return f", but {others.total():,} other files ({_endings(others)}){told}"
