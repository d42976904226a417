"""Worlds that learn, dream and are measured on a GPU."""

from copy import deepcopy

import numpy as np
import pytest
from waiting import counted_waits

from generative import Trainer
from generative.dreams.fidelity import truth
from generative.dreams.vector import DreamVectorEnv
from generative.training.learner import Learner
from generative.worlds.episodes import Windows
from tests.helpers.worlds import KINDS, lived, small_world

pytestmark = pytest.mark.filterwarnings("ignore:.*which changes nothing")
LEARNERS = [kind for kind in KINDS if kind != "table"]


def windows(kind):
    return Windows(kind, lived(kind)[1], 5)


@pytest.mark.cuda
@pytest.mark.parametrize("kind", LEARNERS)
def test_learning_a_world_waits_for_nothing(kind):
    learner = Learner(deepcopy(small_world(kind, batch_size=8)), windows(kind), device="cuda")
    learner.turn()  # fetches the first epoch's order
    with counted_waits() as waits:
        for _ in range(3):
            learner.turn()
    assert waits == []


@pytest.mark.cuda
@pytest.mark.parametrize("kind", KINDS)
def test_dreams_on_cuda_are_those_on_the_cpu(kind):
    world = deepcopy(small_world(kind, batch_size=8))
    if kind in LEARNERS:
        Trainer(world, windows(kind), seed=0, device="cuda", progress=False).run(4)
    here, there = deepcopy(world).to("cpu").eval(), world.to("cuda").eval()
    held_out = lived(kind)[1]
    for found, expected in zip(truth(there, held_out), truth(here, held_out), strict=True):
        assert found.name == expected.name
        assert found.value == pytest.approx(expected.value, rel=0.02, abs=0.02)
    dreams = [DreamVectorEnv(each, 6, horizon=4) for each in (there, here)]
    dreams[0].action_space.seed(0)
    seen, expected = (env.reset(seed=3)[0] for env in dreams)
    for _ in range(6):
        assert seen.dtype == expected.dtype
        unlike = np.isclose(seen, expected, rtol=1e-3, atol=1e-3).mean()
        assert unlike > 0.99  # a cell of a board may lie on the edge
        action = dreams[0].action_space.sample()
        seen, expected = (env.step(action)[0] for env in dreams)
