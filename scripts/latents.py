"""Compare DQN on a VAE's latents with DQN on pixels, both on Catch: steps and seconds to learn it.

The example of docs/generative/latents.md, with one file of results for each seed. A VAE sees what
random play shows; then an agent learns on its latents, and one on the pixels, until it catches.
"""

import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

CATCH = "envs:dreamgym/Catch-v0"
LENGTHS = ("moments", "vae_steps", "latent", "goal", "most_steps")
TEXT = """Compare DQN on a VAE's latents with DQN on pixels, on Catch.

examples:
  {command}
  {command} --seeds 3 --out results"""


@dataclass(frozen=True)
class LatentsOptions:
    """How many runs, and how long."""

    seeds: int = 1
    """Runs of each; seed K is that of a VAE and of both agents."""
    moments: int = 5000
    """Pictures of random play that the VAE sees."""
    vae_steps: int = 3000
    """Training steps of the VAE."""
    latent: int = 8
    """Size of the code."""
    goal: float = 0.95
    """Mean return of 50 greedy episodes at which an agent has learnt."""
    most_steps: int = 20_000
    """Environment steps after which an agent has not learnt."""
    out: Path = Path("results")
    """Folder of the results."""


def train_vae(options: LatentsOptions, seed: int) -> tuple[Any, dict[str, float]]:
    """Train a VAE on moments of random play; return it, its held-out terms and its seconds."""
    import generative
    from generative.autoencoders import VAEConfig
    from generative.metrics.likelihood import held_out_terms

    data = generative.load_dataset(f"observations:{CATCH}", limit=options.moments, seed=seed)
    train, held_out = data.split(0.1, seed)
    config = VAEConfig(latent=options.latent, encoder="mlp")
    started = process_time()
    model = generative.build_model("vae", train, config, seed=seed)
    trainer = generative.Trainer(model, train, seed=seed, device="cpu", progress=False)
    trainer.run(options.vae_steps)
    seconds = process_time() - started
    trained = trainer.trained.eval()
    return trained, {"seconds": seconds, **held_out_terms(trained, held_out)}


def until_it_catches(
    env: Any, options: LatentsOptions, seed: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train DQN; return steps and seconds of training, evaluations not counted, and settings."""
    from agents import DQN
    from agents.dqn import DQNConfig
    from agents.evaluation import evaluate
    from agents.presets import find_preset

    preset = find_preset("dqn", "dreamgym/Catch-v0")
    assert preset is not None
    config = replace(preset.apply(DQNConfig()), hidden=(256, 256))  # of the MLP on latents
    agent = DQN(env, config, seed=seed, device="cpu", num_envs=8)
    spent, mean_return, started = 0.0, -1.0, process_time()

    def watch(progress: Any) -> bool:
        nonlocal spent, mean_return, started
        if progress.steps % 200:
            return True
        spent += process_time() - started
        mean_return = evaluate(agent, episodes=50, seed=1).mean_return
        started = process_time()
        return mean_return < options.goal

    agent.learn(options.most_steps, callback=watch, progress=False)
    figures = {"steps": agent.steps, "seconds": spent, "mean_return": mean_return}
    return figures, asdict(config)


def compare(options: LatentsOptions, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what came out for a seed, and the settings."""
    import gymnasium as gym

    from generative.latents import LatentObservation

    model, vae = train_vae(options, seed)
    places: dict[str, Callable[[], Any]] = {
        "pixels": lambda: gym.make(CATCH),
        "latents": lambda: LatentObservation(gym.make(CATCH), model),
    }
    found: dict[str, Any] = {"vae": vae}
    settings: dict[str, Any] = {"vae": asdict(model.config)}
    for name, make in places.items():
        found[name], settings["dqn"] = until_it_catches(make(), options, seed)
    lengths = {name: value for name, value in asdict(options).items() if name in LENGTHS}
    return found, lengths | settings


def run(argv: list[str]) -> int:
    """Compare for every seed, and write and print the figures."""
    from nets.training.command_line import CommandError, parse

    options = parse(LatentsOptions, "latents", argv, TEXT)
    if options.seeds < 1:
        raise CommandError(f"seeds is {options.seeds}: expected at least 1")
    import torch

    from nets.training.checkpoint import save_json
    from nets.training.quality import make_record

    torch.set_num_threads(1)
    command = shlex.join(["python", "scripts/latents.py", *argv])
    for seed in range(options.seeds):
        started = process_time()
        found, config = compare(options, seed)
        seconds = process_time() - started
        record = make_record("latents", seed, config, found, seconds, command)
        save_json(options.out / "latents" / f"seed-{seed}.json", record)
        print(f"seed {seed}  vae      {found['vae']['seconds']:19.1f} s")
        for name in ("pixels", "latents"):
            steps, seconds = found[name]["steps"], found[name]["seconds"]
            print(f"seed {seed}  {name:8}{steps:6,} steps  {seconds:5.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    # this checkout's packages come first, whatever else is installed under their names
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from nets.training.command_line import command

    sys.exit(command(run)())
