"""Files as people have them, and what a command leaves of them by its defaults.

The photos are parts of the two that scikit-learn brings, the table its measurements of irises.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nets.process.seeding import hash31, seeded

from ..catalogue import find_model
from ..data.parts import DataConfig, load_parts
from ..data.tables import write_table
from ..loading import build_model
from ..metrics.likelihood import held_out_terms
from ..training.run import RunConfig
from ..training.trainer import Trainer

PHOTOS = 200
ROTATED, ORIENTATION = 6, 0x0112  # EXIF: a quarter to the right; the tag that says so
STEPS, HELD_OUT = 10_000, 0.1  # of the command


def photos(folder: Path) -> Path:
    """Write 200 photos of mixed sizes, depths, rotations and formats; return their folder."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    generator, whole = np.random.default_rng(0), load_sample_images().images
    path = folder / "photos"
    for k in range(PHOTOS):
        part = _part(whole[k % 2], generator)
        file = path / f"{2019 + k % 3}" / f"{k:03}"
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(Image.fromarray(part), file, k % 10)
    return path


def _part(photo: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """Return a part of a photo, `[120 to 400, 120 to 600, 3]`."""
    height, width = generator.integers(120, 400), generator.integers(120, 600)
    top = generator.integers(photo.shape[0] - height + 1)
    left = generator.integers(photo.shape[1] - width + 1)
    return photo[top : top + height, left : left + width]


def _write(image: Any, file: Path, kind: int) -> None:
    """Write a picture as one of ten kinds."""
    from PIL import Image

    if kind == 0:  # lies on its side, as cameras leave it
        exif = Image.Exif()
        exif[ORIENTATION] = ROTATED
        turned = image.transpose(Image.Transpose.ROTATE_90)
        turned.save(file.with_suffix(".jpg"), quality=95, exif=exif)
    elif kind == 1:  # 16 bits
        grey = np.asarray(image.convert("L"), np.uint16) * 257
        Image.fromarray(grey).save(file.with_suffix(".png"))
    elif kind == 2:  # transparent at a border
        image.putalpha(Image.new("L", image.size, 255))
        image.paste((0, 0, 0, 0), (0, 0, image.width, 9))
        image.save(file.with_suffix(".png"))
    elif kind == 3:  # a palette
        image.quantize(64).save(file.with_suffix(".gif"))
    else:
        endings = (".jpg", ".jpg", ".png", ".webp", ".bmp", ".tif")
        image.save(file.with_suffix(endings[kind - 4]))


def flowers(folder: Path) -> Path:
    """Write a table of four lengths of 150 irises, and their species; return its file."""
    from sklearn.datasets import load_iris

    found, path = load_iris(), folder / "flowers.csv"
    columns = [name.replace(" (cm)", "") for name in found.feature_names]
    species = found.target_names[found.target]
    rows = [[*map(float, x), str(name)] for x, name in zip(found.data, species, strict=True)]
    write_table(path, [*columns, "species"], [np.array(rows, dtype=object)])
    return path


@dataclass(frozen=True)
class OwnFiles:
    """A model trained as `train-generative` does: by defaults, and the best weights count.

    Attributes:
        model: its name.
        files: writes them into a folder, and returns what the command is given.
        size: of pictures.
        labels: column of a table.
        settings: fields of the model's settings that are given.
    """

    model: str
    files: Callable[[Path], Path]
    size: int | None = None
    labels: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        """Return model, files, length and settings."""
        named = {"model": self.model, "files": self.files.__name__, "size": self.size}
        length = {"labels": self.labels, "steps": STEPS, "held_out": HELD_OUT}
        return named | length | {"settings": asdict(self._settings())}

    def run(self, seed: int) -> dict[str, Any]:
        """Train, and measure the weights that are best on held-out rows there."""
        with TemporaryDirectory() as folder:
            spec = str(self.files(Path(folder)))
            data = DataConfig(spec, size=self.size, labels=self.labels)
            train, held_out = load_parts(data, HELD_OUT, seed)
            model = build_model(self.model, train, self._settings(), seed)
            cut = RunConfig.default(STEPS, held_out=HELD_OUT)
            trainer = Trainer(
                model, train, config=cut, held_out=held_out, seed=seed, device="cpu", progress=False
            )
            trainer.run(STEPS)
            with seeded(hash31(seed, "held out")), torch.no_grad():
                terms = held_out_terms(trainer.best().eval(), trainer.unseen)
        return {**terms, "latents": model.latent, "notes": list(train.notes)}

    def _settings(self) -> Any:
        return replace(find_model(self.model).config_type()(), **self.settings)
