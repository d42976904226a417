"""Worlds that are learned: what was lived through, models of it, and what they foresee.

spec = worlds.spec_of("CartPole-v1")
world = worlds.World.of(spec, worlds.collect(spec, 4000))
state = world.begin(observation, u)
state, observation, reward, terminated = world.step(state, action, u)
"""

from nets.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(__name__, __file__)
