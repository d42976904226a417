"""Settings that change while an agent learns, as functions of what is left of the training."""

from typing import Any, Literal, Protocol

from nets.gradients.annealing import Shape, is_number, left_of, linear


class Scheduled(Protocol):
    """Settings with a learning rate that may change."""

    @property
    def learning_rate(self) -> Any:
        """A number, or a function of what is left."""

    @property
    def schedule(self) -> Literal["auto", "constant", "linear", "cosine"]:
        """How numbers fall."""

    @property
    def anneal_steps(self) -> int:
        """Environment steps until they are 0; 0: as many as the training has."""


def shape(config: Scheduled) -> Shape:
    """Return how numbers fall: linearly where `anneal_steps` alone is given, else as they say."""
    if config.schedule != "auto":
        return config.schedule
    return "linear" if config.anneal_steps and is_number(config.learning_rate) else "constant"


def share_left(config: Scheduled, step: int, horizon: int) -> float:
    """Return what is left of the training: 1 − step / steps, and never less than 0.

    Args:
        config: whose `anneal_steps` are the steps, where there are any.
        step: environment steps so far.
        horizon: the step at which the training in progress ends; 0: none is.
    """
    steps = config.anneal_steps or horizon
    return linear(step, 1.0, 0.0, steps) if steps else 1.0


def scheduled(config: Scheduled, name: str, left: float) -> float:
    """Return a setting when `left` of the training, from 1 to 0, is left.

    Raises:
        ValueError: its function gives no finite number from 0 up.
    """
    return left_of(getattr(config, name), left, shape(config), name)


def current(config: Scheduled, name: str, step: int, horizon: int) -> float:
    """Return a setting as it is at a step; before there is a training, 0 for a function.

    Args:
        config: the settings.
        name: of the one.
        step: see `share_left`.
        horizon: see `share_left`.
    """
    if not (horizon or is_number(getattr(config, name))):
        return 0.0
    return scheduled(config, name, share_left(config, step, horizon))
