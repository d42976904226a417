"""Dreams: Gymnasium environments whose dynamics were learned.

gym.make("generative.dreams:dreamgym/Dream-v0", run="runs/world-...")
gym.make_vec("generative.dreams:dreamgym/Dream-v0", num_envs=1024, run="runs/world-...")
"""

from gymnasium.envs.registration import register

from nets.exports import lazy_exports

__getattr__, __dir__, __all__ = lazy_exports(__name__, __file__)

DREAM_ID = "dreamgym/Dream-v0"

register(
    id=DREAM_ID,
    entry_point="generative.dreams:DreamEnv",
    vector_entry_point="generative.dreams:DreamVectorEnv",
)
