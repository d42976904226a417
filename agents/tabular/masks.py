"""Which actions each state of a world with a transition table allows, read at once."""

from contextlib import closing

import numpy as np

from ..environments.source import EnvSource
from ..environments.stepping import SingleStepper
from .model import Bool

WALK = 2_000  # steps in which what the world tells is compared with the table


def mask_table(source: EnvSource, num_states: int) -> Bool | None:
    """Return the actions that each state allows, `[S, A]`; None where that is not known for sure.

    Worlds such as Gymnasium's Taxi have a method `action_mask(state)`. It is believed when `WALK`
    random steps have told nothing else.
    """
    env = source.make()
    with closing(SingleStepper(env, source.name, masks=True)) as stepper:
        ask = getattr(env.unwrapped, "action_mask", None)
        if ask is None:
            return None
        try:
            table = np.array([ask(state) for state in range(num_states)]).astype(bool)
        except (TypeError, ValueError, IndexError, KeyError):  # it is something else
            return None
        rng, state = np.random.default_rng(0), stepper.reset(0)
        for _ in range(WALK):
            mask = stepper.mask
            assert mask is not None
            if table.shape != (num_states, mask.shape[1]) or (mask[0] != table[state[0]]).any():
                return None
            state = stepper.step(rng.choice(mask[0].nonzero()[0], size=1)).observation
    return table
