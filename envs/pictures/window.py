"""A window on the screen that shows frames at a steady rate."""

from typing import Any

import numpy as np
import numpy.typing as npt

_SMALLEST_SIDE = 480


class Window:
    """A window that opens with its first frame; pygame is imported then.

    When its user closes it, it stays closed and the program goes on without it.

    Args:
        title: The window's title.
        fps: Frames per second; `show` waits as long as that takes.
    """

    def __init__(self, title: str, fps: int) -> None:
        self.closed = False
        self._title = title
        self._fps = fps
        self._window: Any = None
        self._clock: Any = None

    def show(self, frame: npt.NDArray[np.uint8]) -> None:
        """Show a frame `[H, W, 3]`, enlarged by a whole factor if it is small."""
        if self.closed:
            return
        import pygame

        height, width, _ = frame.shape
        if self._window is None:
            pygame.display.init()
            zoom = max(1, _SMALLEST_SIDE // max(height, width))
            self._window = pygame.Window(self._title, (width * zoom, height * zoom))
            self._clock = pygame.time.Clock()
        screen = self._window.get_surface()
        picture = pygame.image.frombuffer(frame.tobytes(), (width, height), "RGB")
        screen.blit(pygame.transform.scale(picture, screen.get_size()), (0, 0))
        self._window.flip()
        self._clock.tick(self._fps)
        for event in pygame.event.get((pygame.QUIT, pygame.WINDOWCLOSE)):
            if event.type == pygame.QUIT or event.window is self._window:
                self.close()
            else:
                pygame.event.post(event)  # another window's

    def close(self) -> None:
        """Close the window for good."""
        if self._window is not None:
            self._window.destroy()
            self._window = None
        self.closed = True

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_window": None, "_clock": None}
