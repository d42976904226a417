"""A window with a picture, a line of text below it, and the keys that are pressed in it."""

from time import monotonic
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

SMALLEST_SIDE = 480  # pixels; smaller pictures are enlarged by a whole factor
BAR = 32  # pixels of the line of text
PAPER, INK = (24, 26, 31), (222, 224, 228)


class Window:
    """A window that opens with its first picture; pygame is imported then.

    Attributes:
        closed: whether its user closed it, by its button or with Escape.
        held: codes of the keys that are down now.
    """

    def __init__(self, title: str) -> None:
        self.closed = False
        self.held: set[int] = set()
        self._title = title
        self._screen: Any = None
        self._clock: Any = None
        self._font: Any = None

    def show(self, picture: NDArray[np.uint8], caption: str, rate: int) -> None:
        """Show a picture `[H, W, 3]` and a caption, at most `rate` times a second."""
        import pygame

        height, width, _ = picture.shape
        zoom = max(1, SMALLEST_SIDE // max(height, width))
        size = width * zoom, height * zoom
        if self._screen is None:
            self._open(size)
        image = pygame.image.frombuffer(
            np.ascontiguousarray(picture).tobytes(), (width, height), "RGB"
        )
        self._screen.fill(PAPER)
        self._screen.blit(pygame.transform.scale(image, size), (0, 0))
        text = self._font.render(caption, True, INK)
        self._screen.blit(text, (10, size[1] + (BAR - text.get_height()) // 2))
        pygame.display.flip()
        self.wait(rate)

    def read(self) -> list[int]:
        """Return the codes of the keys pressed since the last call."""
        import pygame

        pressed = []
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.closed = True
            elif event.type == pygame.KEYDOWN:
                self.closed |= event.key == pygame.K_ESCAPE
                self.held.add(event.key)
                pressed.append(event.key)
            elif event.type == pygame.KEYUP:
                self.held.discard(event.key)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self.held.clear()
        return pressed

    def rest(self, seconds: float) -> None:
        """Stay open for a while, unless closed."""
        end = monotonic() + seconds
        while monotonic() < end and not self.closed:
            self.read()
            self.wait(30)

    def wait(self, rate: int) -> None:
        """Wait as long as a picture stays at `rate` pictures a second."""
        self._clock.tick(rate)

    def _open(self, size: tuple[int, int]) -> None:
        import pygame

        pygame.display.init()
        self._screen = pygame.display.set_mode((size[0], size[1] + BAR))
        pygame.display.set_caption(self._title)
        pygame.key.set_repeat(300, 100)
        pygame.font.init()
        self._clock = pygame.time.Clock()
        self._font = pygame.font.Font(None, 22)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._screen is not None:
            import pygame

            pygame.display.quit()
            self._screen = None
