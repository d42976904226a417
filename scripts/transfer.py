"""Measure transfer: steps until DQN catches, from scratch and with encoders that others trained.

The task is Catch with left and right exchanged: what is seen is the same, what to do is not. An
agent of Catch itself and a VAE of its pictures give their encoders, which stay or go on learning.
"""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

CATCH = "envs:dreamgym/Catch-v0"
TEXT = """Measure how many steps of DQN a trained encoder saves, on Catch with left for right.

examples:
  {command}
  {command} --seeds 5 --out results"""


@dataclass(frozen=True)
class TransferOptions:
    """How many runs, and how long."""

    seeds: int = 1
    """Runs of each; seed K is that of both sources and of all agents."""
    moments: int = 1000
    """Pictures of random play that the VAE sees."""
    vae_steps: int = 1000
    """Training steps of the VAE."""
    goal: float = 0.9
    """Mean return of 50 greedy episodes at which an agent has learnt."""
    most_steps: int = 4000
    """Environment steps after which an agent has not learnt."""
    out: Path = Path("results")
    """Folder of the results."""


def mirrored() -> Any:
    """Make Catch with left and right exchanged."""
    import gymnasium as gym

    return gym.wrappers.TransformAction(gym.make(CATCH), lambda action: 2 - action, None)


def train_vae(options: TransferOptions, seed: int, path: Path) -> dict[str, Any]:
    """Train a VAE with DQN's encoder on pictures of random play; return its settings."""
    import generative
    from generative.autoencoders import VAEConfig
    from generative.loading import save

    data = generative.load_dataset(f"observations:{CATCH}", limit=options.moments, seed=seed)
    config = VAEConfig(latent=8, encoder="nature")
    model = generative.build_model("vae", data, config, seed=seed)
    trainer = generative.Trainer(model, data, seed=seed, device="cpu", progress=False)
    trainer.run(options.vae_steps)
    save(trainer.trained, path)
    return asdict(config)


def until_it_catches(env: Any, config: Any, options: TransferOptions, seed: int) -> tuple[Any, Any]:
    """Train DQN; return the agent, and the steps and seconds it took."""
    from agents import DQN
    from agents.evaluation import evaluate

    agent = DQN(env, config, seed=seed, device="cpu", num_envs=8)
    curve: list[float] = []
    spent, started = 0.0, process_time()

    def watch(progress: Any) -> bool:
        nonlocal spent, started
        if progress.steps % 104:
            return True
        spent += process_time() - started
        curve.append(evaluate(agent, episodes=50, seed=1).mean_return)
        started = process_time()
        return curve[-1] < options.goal

    agent.learn(options.most_steps, callback=watch, progress=False)
    learnt = bool(curve) and curve[-1] >= options.goal
    figures = {"steps": agent.steps, "learnt": learnt, "seconds": round(spent, 2)}
    return agent, figures | {"returns": curve}


def measure(options: TransferOptions, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what came out for a seed, and the settings."""
    import gymnasium as gym

    from agents.dqn import DQNConfig
    from agents.presets import find_preset

    preset = find_preset("dqn", "dreamgym/Catch-v0")
    assert preset is not None
    plain = replace(preset.apply(DQNConfig()), encoder="nature")
    found: dict[str, Any] = {}
    with TemporaryDirectory() as folder:
        sources = {name: Path(folder) / f"{name}.pt" for name in ("agent", "vae")}
        donor, found["source"] = until_it_catches(gym.make(CATCH), plain, options, seed)
        donor.save(sources["agent"])
        vae = train_vae(options, seed, sources["vae"])
        found["scratch"] = until_it_catches(mirrored(), plain, options, seed)[1]
        for name, path in sources.items():
            for suffix, freeze in (("", False), (", frozen", True)):
                config = replace(plain, pretrained=str(path), freeze_encoder=freeze)
                found[name + suffix] = until_it_catches(mirrored(), config, options, seed)[1]
    lengths = {k: v for k, v in asdict(options).items() if k not in ("seeds", "out")}
    return found, lengths | {"dqn": asdict(plain), "vae": vae}


def describe(found: Mapping[str, Any]) -> str:
    """Return a line for each way to begin."""
    return "\n".join(
        f"  {name:15}{one['steps']:6,} steps  {one['seconds']:6.1f} s"
        + ("" if one["learnt"] else "  not learnt")
        for name, one in found.items()
    )


def run(argv: list[str]) -> int:
    """Measure every seed, and write and print the figures."""
    from nets.training.command_line import CommandError, parse

    options = parse(TransferOptions, "transfer", argv, TEXT)
    if options.seeds < 1:
        raise CommandError(f"seeds is {options.seeds}: expected at least 1")
    import torch

    from nets.training.checkpoint import save_json
    from nets.training.quality import make_record, read_record

    torch.set_num_threads(1)
    command = shlex.join(["python", "scripts/transfer.py", *argv])
    for seed in range(options.seeds):
        file = options.out / "transfer" / f"seed-{seed}.json"
        record = read_record(file)
        if record is None:
            started = process_time()
            found, config = measure(options, seed)
            seconds = process_time() - started
            record = make_record("transfer", seed, config, found, seconds, command)
            save_json(file, record)
        print(f"seed {seed}\n{describe(record['result'])}", flush=True)
    return 0


if __name__ == "__main__":
    # this checkout's packages come first, whatever else is installed under their names
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from nets.training.command_line import command

    sys.exit(command(run)())
