"""What there is to train, and on what."""

from importlib import import_module

from nets.shell.widths import fitted

from ..algorithms import ALGORITHMS
from ..presets import load_presets, load_variants


def list_all() -> int:
    """Print the algorithms, our environments, and for which pairs there are presets."""
    import gymnasium as gym

    from ..environments.ids import HOME

    for module in HOME.values():
        import_module(module)
    print("algorithms:")
    for name, algorithm in ALGORITHMS.items():
        print(fitted(f"  {name:<20}{algorithm.summary}"))
    print("\nenvironments, besides Gymnasium's:")
    for env_id in sorted(gym.registry):
        if env_id.partition("/")[0] in HOME:
            print(f"  {env_id}")
    print("\npresets:")
    for name, env_id in load_presets():
        print(f"  {name:<20}{env_id}")
    for name, variants in load_variants().items():
        for variant in variants:
            print(f"  {name:<20}--preset {variant}")
    return 0
