"""The cases of dreams measure what they say: every matrix of an RSSM, and steps of both sides."""

from generative.benchmarks import dreams
from generative.benchmarks.cases import CASES


def test_cases_of_dreams_are_among_those_of_the_command():
    assert {case.name for case in dreams.CASES} <= {case.name for case in CASES}


def test_the_products_are_those_of_a_step():
    """Of the entrance, of the two gates' matrices, and of both layers of the prior."""
    spec, rssm = dreams.catch().spec, dreams.catch().dynamics.rssm
    shapes = [tuple(weight.shape) for weight in dreams._weights()]
    latents = rssm.groups * rssm.classes
    entrance, gates, recurrent, first, last = shapes
    assert entrance == (128, latents + spec.action_size)
    assert gates == recurrent == (3 * rssm.memory, 128)
    assert (first, last) == ((128, rssm.memory), (latents, 128))


def test_both_sides_count_steps():
    assert dreams.foreseeing(64, 1)(0) > 0
    assert dreams.products(64, 1)(0) > 0
    assert dreams.single(lambda: dreams.DreamEnv(dreams.catch()), 5)(0) > 0
    assert dreams.vector(lambda: dreams.DreamVectorEnv(dreams.catch(), 3), 2)(0) > 0
