"""Numbers that change while an agent learns, as pure functions of the step."""


def linear(step: int, start: float, end: float, steps: int) -> float:
    """Go linearly from `start` at step 0 to `end` at step `steps`, and stay there.

    value(t) = start + (end − start) · min(t / steps, 1)
    """
    return end if step >= steps else start + (end - start) * step / steps
