"""Measure transfer: steps until DQN catches, from scratch and with encoders that others trained.

The task is Catch with left and right exchanged: what is seen is the same, what to do is not. An
agent of Catch itself and a VAE of its pictures give their encoders, which stay or go on learning.
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from catching import CATCH, CatchOptions, catch_settings, main, train_vae, until_it_catches

import generative
from generative.autoencoders.config import VAEConfig

if TYPE_CHECKING:
    import gymnasium as gym

TEXT = """Measure how many steps of DQN a trained encoder saves, on Catch with left for right.

examples:
  {command}
  {command} --seeds 5 --out results"""
DEFAULT = CatchOptions(moments=1000, vae_steps=1000, goal=0.9, most_steps=4000)


def mirrored() -> "gym.Env":
    """Make Catch with left and right exchanged."""
    import gymnasium as gym

    return gym.wrappers.TransformAction(gym.make(CATCH), lambda action: 2 - action, None)


@dataclass(frozen=True)
class Transfer:
    """Agents that begin with nothing, with another agent's encoder, and with a VAE's."""

    options: CatchOptions
    vae = VAEConfig(latent=8, encoder="nature", kl_warmup_steps=400)
    dqn = replace(catch_settings(), encoder="nature")

    def config(self) -> dict[str, Any]:
        """Return the lengths and all settings."""
        return self.options.lengths() | {"dqn": asdict(self.dqn), "vae": asdict(self.vae)}

    def run(self, seed: int) -> dict[str, Any]:
        """Train both sources and all agents."""
        import gymnasium as gym

        from generative.metrics.likelihood import held_out_terms

        options, found = self.options, {}
        with TemporaryDirectory() as folder:
            sources = {name: Path(folder) / f"{name}.pt" for name in ("agent", "vae")}
            donor, found["source"] = until_it_catches(gym.make(CATCH), self.dqn, options, seed)
            donor.save(sources["agent"])
            data = generative.load_dataset(
                f"observations:{CATCH}", limit=options.moments, seed=seed
            )
            model, seconds = train_vae(data, self.vae, options.vae_steps, seed)
            generative.save(model, sources["vae"])
            found["pictures"] = {"seconds": seconds, **held_out_terms(model, data)}
            _, found["scratch"] = until_it_catches(mirrored(), self.dqn, options, seed)
            for name, path in sources.items():
                for suffix, freeze in (("", False), (", frozen", True)):
                    config = replace(self.dqn, pretrained=str(path), freeze_encoder=freeze)
                    _, found[name + suffix] = until_it_catches(mirrored(), config, options, seed)
        return found


if __name__ == "__main__":
    sys.exit(main("transfer", TEXT, DEFAULT, Transfer))
