"""Compare DQN on a VAE's latents with DQN on pixels, both on Catch: steps and seconds to learn it.

The example of docs/generative/latents.md, with one file of results for each seed. A VAE sees what
random play shows; then an agent learns on its latents, and one on the pixels, until it catches.
"""

import sys
from dataclasses import asdict, dataclass, replace
from typing import Any

from catching import CATCH, CatchOptions, catch_settings, main, train_vae, until_it_catches

import generative
from generative.autoencoders.config import VAEConfig

TEXT = """Compare DQN on a VAE's latents with DQN on pixels, on Catch.

examples:
  {command}
  {command} --seeds 3 --out results"""
DEFAULT = CatchOptions(moments=5000, vae_steps=3000, goal=0.95, most_steps=20_000)


@dataclass(frozen=True)
class Latents:
    """An agent on pixels and one on latents."""

    options: CatchOptions
    vae = VAEConfig(latent=8, encoder="mlp")
    dqn = replace(catch_settings(), hidden=(256, 256))  # of the MLP on latents

    def config(self) -> dict[str, Any]:
        """Return the lengths and all settings."""
        return self.options.lengths() | {"dqn": asdict(self.dqn), "vae": asdict(self.vae)}

    def run(self, seed: int) -> dict[str, Any]:
        """Train the VAE and both agents."""
        import gymnasium as gym

        from generative.latents import LatentObservation
        from generative.metrics.likelihood import held_out_terms

        options = self.options
        data = generative.load_dataset(f"observations:{CATCH}", limit=options.moments, seed=seed)
        train, held_out = data.split(0.1, seed)
        model, seconds = train_vae(train, self.vae, options.vae_steps, seed)
        shown = {"pixels": gym.make(CATCH), "latents": LatentObservation(gym.make(CATCH), model)}
        found = {
            name: until_it_catches(env, self.dqn, options, seed)[1] for name, env in shown.items()
        }
        return {"vae": {"seconds": seconds, **held_out_terms(model, held_out)}, **found}


if __name__ == "__main__":
    sys.exit(main("latents", TEXT, DEFAULT, Latents))
