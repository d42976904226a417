"""TensorBoard as a tracker: events in the run's folder."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..runs.logs import TensorBoard
from .tracker import Begun, Plain


class Events:
    """A training as TensorBoard shows it: scalars, images, and a line among the HPARAMS."""

    id = None

    def __init__(self, begun: Begun) -> None:
        self.where = str(begun.folder)
        self._board = TensorBoard(begun.folder, begun.step)
        self._settings: dict[str, Plain] = {}

    def settings(self, settings: Mapping[str, Plain]) -> None:
        """Keep the settings until there are results to show beside them."""
        self._settings |= settings

    def scalars(self, step: int, metrics: Mapping[str, float]) -> None:
        """Write a row."""
        self._board.scalars(step, metrics)

    def pictures(self, step: int, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        """Write pictures `[H, W, 3]`."""
        self._board.pictures(step, pictures)

    def results(self, step: int, figures: Mapping[str, float]) -> None:
        """Write the line among the HPARAMS."""
        self._board.hparams(self._settings, figures)

    def media(self, step: int, file: Path) -> None:
        """Write a picture; animations stay the files that they are."""
        from PIL import Image

        if file.suffix == ".png":
            with Image.open(file) as picture:
                self._board.pictures(step, {file.stem: np.asarray(picture.convert("RGB"))})

    def close(self) -> None:
        """Close the events."""
        self._board.close()
