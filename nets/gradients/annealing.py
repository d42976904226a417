"""Numbers that change while something learns, as pure functions of the step.

torch's schedulers (`schedule`) count their own calls; what resumes at any step and trains in any
number of pieces asks these.
"""

import math


def linear(step: int, start: float, end: float, steps: int) -> float:
    """Go linearly from `start` at step 0 to `end` at step `steps`, and stay there.

    value(t) = start + (end − start) · min(t / steps, 1)
    """
    return end if step >= steps else start + (end - start) * step / steps


def cosine(step: float, start: float, end: float, steps: int) -> float:
    """Go from `start` at step 0 to `end` at step `steps` along half a cosine, and stay there.

    value(t) = end + (start − end) · ½(1 + cos(π · min(t / steps, 1))) (Loshchilov & Hutter, 2017)
    """
    return end + (start - end) * (0.5 * (1.0 + math.cos(math.pi * min(step / steps, 1.0))))
