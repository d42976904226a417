"""DQN that learns to catch, and VAEs that see it: what latents.py and transfer.py share."""

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import agents
import generative
from agents.dqn.config import DQNConfig
from agents.presets import find_preset
from generative.autoencoders.config import VAEConfig
from nets.kinds import Count, Real
from nets.runs.durable import require_place
from nets.settings import Settings
from nets.shell.command_line import command, parse

if TYPE_CHECKING:
    from nets.benchmarks.quality import Experiment

CATCH = "envs:dreamgym/Catch-v0"
EPISODES, EVERY = 50, 104  # of an evaluation; steps from one to the next


@dataclass(frozen=True)
class CatchOptions(Settings):
    """How many runs, and how long."""

    moments: Count
    """Pictures of random play that the VAE sees."""
    vae_steps: Count
    """Training steps of the VAE."""
    goal: Real
    """Mean return of 50 greedy episodes at which an agent has learnt."""
    most_steps: Count
    """Environment steps after which an agent has not learnt."""
    seeds: Count = 1
    """Runs of each; seed K is that of the VAE and of all agents."""
    out: Path = Path("results")
    """Folder of the results."""

    def lengths(self) -> dict[str, Any]:
        """What the figures of a seed depend on."""
        return {name: value for name, value in asdict(self).items() if name not in ("seeds", "out")}


def catch_settings() -> DQNConfig:
    """Return the settings of DQN that are tuned for Catch."""
    preset = find_preset("dqn", "dreamgym/Catch-v0")
    assert preset is not None
    return preset.apply(DQNConfig())


def train_vae(
    data: "generative.Dataset", config: VAEConfig, steps: int, seed: int
) -> tuple[Any, float]:
    """Train a VAE; return it and the seconds it took."""
    started = process_time()
    model = generative.build_model("vae", data, config, seed=seed)
    trainer = generative.Trainer(model, data, seed=seed, device="cpu")
    trainer.run(steps)
    return trainer.trained.eval(), round(process_time() - started, 2)


def until_it_catches(
    env: Any, config: DQNConfig, options: CatchOptions, seed: int
) -> tuple["agents.DQN", dict[str, Any]]:
    """Train DQN; return it, and the steps and seconds it took, evaluations not counted."""
    agent = agents.DQN(env, config, seed=seed, device="cpu", num_envs=8)
    curve: list[float] = []
    spent, started = 0.0, process_time()

    def watch(progress: Any) -> bool:
        nonlocal spent, started
        if progress.steps % EVERY:
            return True
        spent += process_time() - started
        curve.append(agents.evaluate(agent, episodes=EPISODES, seed=1).mean_return)
        started = process_time()
        return curve[-1] < options.goal

    agent.learn(options.most_steps, callback=watch)
    learnt = bool(curve) and curve[-1] >= options.goal
    figures = {"steps": agent.steps, "learnt": learnt, "seconds": round(spent, 2)}
    return agent, figures | {"returns": curve}


def describe(result: Mapping[str, Any]) -> str:
    """Return a line for everything that was trained."""
    lines = []
    for name, one in result.items():
        steps = f"{one['steps']:6,} steps" if "steps" in one else " " * 12
        end = "" if one.get("learnt", True) else "  not learnt"
        lines.append(f"  {name:15}{steps}  {one['seconds']:6.1f} s{end}")
    return "\n".join(lines)


def main(
    name: str, text: str, default: CatchOptions, experiment: Callable[[CatchOptions], "Experiment"]
) -> int:
    """Run `python scripts/NAME.py`: the experiment for every seed without a record, and its lines.

    Args:
        name: of the script and of its folder of records.
        text: what it does, with examples.
        default: the lengths.
        experiment: what is measured with the lengths that were chosen.
    """

    def run(argv: list[str]) -> int:
        options = parse(CatchOptions, name, argv, text, default)
        import torch  # only now: help needs none

        from nets.benchmarks.quality import run_once

        torch.set_num_threads(1)
        require_place(options.out / name / "seed-0.json")
        line = shlex.join(["python", f"scripts/{name}.py", *argv])
        for seed in range(options.seeds):
            record = run_once(name, experiment(options), seed, options.out, line)
            print(f"seed {seed}\n{describe(record['result'])}", flush=True)
        return 0

    return command(run)()
