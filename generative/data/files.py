"""Data in files: arrays (.npz, .npy, MNIST's idx) and folders of images; nothing runs code."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .arrays import labels_of, read_arrays
from .dataset import Dataset, chosen
from .pictures import resize, resized

Array = NDArray[Any]
Names = tuple[str, ...]

IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "WEBP")  # other readers of PIL start programs
MOST_PIXELS = 2**26
MOST_CLASSES = 100_000  # without names


def load_files(
    path: Path, *, size: int | None = None, limit: int | None = None, seed: int = 0
) -> Dataset:
    """Load an array file or a folder of images.

    Args:
        path: `.npy`, one array; `.npz`, rows under `x`, `images`, `imgs`, `x_train` or `data`,
            perhaps `labels` (or `y`) and `factors` with `class_names` and `factor_names`; idx, as
            MNIST comes (`.gz` or not), with its labels beside it; or a folder of images, whose
            sub-folders, if it has any, are classes.
        size: side of the pictures in pixels; their own by default.
        limit: rows at most, chosen at random and kept in order.
        seed: of the choice.

    Returns:
        The data; constant factors are left out, the values of the others counted from 0.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is empty, damaged, of mixed sizes, not finite, or no such file.
        TypeError: the values are neither pictures nor vectors.
    """
    if path.is_dir():
        return _folder(path, size, limit, seed)
    if not path.exists():
        raise FileNotFoundError(f"no data at {path}")
    if not path.is_file():  # a pipe or a device may never end
        raise ValueError(f"{path} is no file")
    data = _dataset(str(path), read_arrays(path)).limited(limit, seed)
    return resize(data, size)


def files_of(path: Path) -> list[Path]:
    """Return the files that `load_files` reads; none where there is nothing."""
    if path.is_dir():
        return _image_files(path)[0]
    return [file for file in dict.fromkeys((path, labels_of(path))) if file.exists()]


def _dataset(name: str, arrays: Mapping[str, Array]) -> Dataset:
    x = as_rows(name, arrays["x"])
    labels = _integers(name, "labels", arrays.get("labels"))
    factors = _integers(name, "factors", arrays.get("factors"))
    classes = _names(arrays.get("class_names"))
    if labels is not None:
        labels = labels.flatten()
        last = int(labels.max()) if len(labels) else -1
        if last >= MOST_CLASSES and not classes:
            raise ValueError(f"{name}: a label is {last}, expected less than {MOST_CLASSES:,}")
        classes = classes or tuple(map(str, range(last + 1)))
    factors, factor_names = _varying(factors, _names(arrays.get("factor_names")))
    return Dataset(name, x, labels, classes if labels is not None else (), factors, factor_names)


def _varying(factors: Tensor | None, names: Names) -> tuple[Tensor | None, Names]:
    """Return the factors that are not constant, their values counted from 0, and their names."""
    if factors is None or factors.ndim != 2:
        return factors, names
    names = names or tuple(f"factor {k}" for k in range(factors.shape[1]))
    values = [column.unique(return_inverse=True) for column in factors.unbind(dim=1)]
    kept = [k for k, (found, _) in enumerate(values) if len(found) > 1]
    if not kept:
        return None, ()
    return torch.stack([values[k][1] for k in kept], dim=1), tuple(names[k] for k in kept)


def as_rows(name: str, array: Array) -> Tensor:
    """Return an array as the rows of a data set.

    bool and uint8 become uint8 (where no value is above 1, 1 becomes 255), floats float32;
    `[N, H, W]` and channels-last pictures become `[N, C, H, W]`.

    Raises:
        TypeError: the array holds anything else.
    """
    if array.dtype == np.bool_ or (array.dtype == np.uint8 and array.size and array.max() <= 1):
        array = array.astype(np.uint8) * np.uint8(255)
    elif np.issubdtype(array.dtype, np.floating):
        array = array.astype(np.float32)
    elif array.dtype != np.uint8:
        message = f"{name}: values are {array.dtype}, expected uint8, bool or a floating type"
        raise TypeError(message)
    if array.ndim == 3:
        array = array[:, None]
    elif array.ndim == 4 and array.shape[1] not in (1, 3) and array.shape[3] in (1, 3, 4):
        array = array[..., :3].transpose(0, 3, 1, 2)
    return torch.from_numpy(np.array(array, order="C"))


def _integers(name: str, part: str, array: Array | None) -> Tensor | None:
    if array is None:
        return None
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name}: {part} are {array.dtype}, expected integers")
    return torch.from_numpy(array.astype(np.int64))


def _names(array: Array | None) -> Names:
    return () if array is None else tuple(map(str, array.tolist()))


def _folder(path: Path, size: int | None, limit: int | None, seed: int) -> Dataset:
    files, classes = _image_files(path)
    labels = [classes.index(file.parent.name) for file in files] if classes else None
    if limit is not None and limit < len(files):
        index = chosen(len(files), limit, seed).tolist()
        files = [files[k] for k in index]
        labels = None if labels is None else [labels[k] for k in index]
    pictures = _images(files, size)
    return Dataset(
        name=str(path),
        x=pictures,
        labels=None if labels is None else torch.tensor(labels),
        class_names=classes,
    )


def _image_files(path: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Return the images in or below a folder, and the sub-folders' names where those hold them."""
    here = _images_in(path)
    below = {each.name: _images_in(each) for each in sorted(path.iterdir()) if each.is_dir()}
    below = {name: files for name, files in below.items() if files}
    if here and below:
        message = f"{path} holds images itself and in {sorted(below)}"
        raise ValueError(f"{message}: expected them all in one folder, or all in sub-folders")
    if not here and not below:
        raise ValueError(f"{path} holds no images ({', '.join(IMAGES)})")
    return here or [file for files in below.values() for file in files], tuple(below)


def _images_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGES)


def _images(files: Sequence[Path], size: int | None) -> Tensor:
    """Read images as uint8 `[N, C, H, W]`: grey if all of them are, else red, green and blue."""
    pictures: list[Tensor] = []
    for file in files:
        picture = _image(file)
        if size is not None:
            picture = resized(picture[None], size, size)[0]
        if pictures and picture.shape[1:] != pictures[0].shape[1:]:
            height, width = picture.shape[1:]
            first = "x".join(map(str, pictures[0].shape[1:]))
            message = f"{file} is {height}x{width} pixels (height x width), {files[0]} {first}"
            raise ValueError(f"{message}: give a size to make them equal")
        pictures.append(picture)
    grey = all(len(picture) == 1 for picture in pictures)
    return torch.stack([p if grey else p.expand(3, -1, -1) for p in pictures])


def _image(file: Path) -> Tensor:
    """Read an image as uint8 `[1, H, W]` or `[3, H, W]`."""
    from PIL import Image

    try:
        if not file.is_file():
            raise ValueError("it is no file")
        with Image.open(file, formats=FORMATS) as image:
            if math.prod(image.size) > MOST_PIXELS:
                raise ValueError(f"it has {math.prod(image.size):,} pixels")
            grey = image.mode in ("1", "L")
            pixels = np.array(image.convert("L" if grey else "RGB"))
    except Exception as error:  # a hostile file can make a reader fail in any way
        raise ValueError(f"{file} cannot be read: {error}") from error
    return torch.from_numpy(pixels[None] if grey else pixels.transpose(2, 0, 1).copy())
