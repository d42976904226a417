"""Small worlds that have learned little, for tests of what dreams do whatever was learned."""

from functools import cache

from generative.worlds.config import WorldConfig
from generative.worlds.episodes import Episodes
from generative.worlds.experience import collect
from generative.worlds.spaces import WorldSpec, spec_of
from generative.worlds.world import World
from nets.process.seeding import seeded

KINDS = {
    "table": ("dreamgym/Lake-v0", "table", {}),
    "ensemble": ("dreamgym/CartPole-v0", "ensemble", {}),
    "continuous": ("dreamgym/Pendulum-v0", "ensemble", {}),
    "board": ("dreamgym/Bricks-v0", "board", {"obs": "board"}),
    "levels": ("dreamgym/Snake-v0", "board", {"obs": "board", "size": 5}),
    "pixels": ("dreamgym/Catch-v0", "rssm", {}),
    "classic": ("dreamgym/Catch-v0", "vae-lstm", {}),
    "states": ("dreamgym/Lake-v0", "rssm", {}),
    "memory": ("dreamgym/Recall-v0", "rssm", {}),
}
SMALL = {"hidden": 32, "memory": 32, "filters": 8, "members": 3, "latent": 8}


@cache
def lived(kind: str, steps: int = 400) -> tuple[WorldSpec, Episodes]:
    """Return what was lived through in the world of a kind."""
    env_id, _, options = KINDS[kind]
    spec = spec_of(env_id, **options)
    return spec, collect(spec, steps, seed=1)


def small_world(kind: str, **settings) -> World:
    """Return a world of a kind, its weights as they were drawn."""
    spec, episodes = lived(kind)
    config = WorldConfig.suited(spec.kind, KINDS[kind][1], **(SMALL | settings))
    with seeded(5):
        return World.of(spec, episodes, config).eval()
