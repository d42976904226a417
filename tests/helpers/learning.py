"""Learning is chaotic: the last bit of a product decides what becomes of one seed."""

from collections.abc import Callable


def best_of(train: Callable[[int], float], bar: float, seeds: int = 3) -> float:
    """Return the first score that reaches `bar`, trying `seeds` seeds, else the best.

    A healthy algorithm that fails one seed in five fails three in a row on no more than one
    processor in a hundred; a broken one passes none. How many of five seeds pass is kept in
    `results/`.
    """
    best = -float("inf")
    for seed in range(seeds):
        best = max(best, train(seed))
        if best >= bar:
            break
    return best
