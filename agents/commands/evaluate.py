"""Measure a trained agent: the mean return of whole episodes, and how sure that is."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from nets.counted import counted
from nets.kinds import Count, Seed
from nets.shell.command_line import command, parse
from nets.shell.env_arguments import take_arguments
from nets.shell.here import shown

from .common import command_of_kind, find_env, load_agent, refusals
from .worlds import WorldOptions, adapt

if TYPE_CHECKING:
    from ..loop.evaluation import Evaluation

GROUP = "dreamgym.evaluate"  # entry points that measure runs of other kinds
EPISODES = 20
SEED = 0
TEXT = """Measure a trained agent: the mean return of whole episodes, played greedily.

examples:
  {command} runs/dqn-CartPole-v1-s0
  {command} runs/dqn-CartPole-v1-s0 --episodes 100 --json
  {command} runs/q-learning-FrozenLake-v1-s0 --env.is-slippery false    in another form
  {command} runs/ppo-dreamgym-Catch-v0-s0 --on mine:Catch-v1            in another environment"""


@dataclass(frozen=True)
class EvaluateOptions(WorldOptions):
    """Which agent, and how."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")]
    """Folder of a run, or a file that an agent was saved in."""
    episodes: Count = EPISODES
    """Episodes to play."""
    seed: Seed = SEED
    """Seed of the environments; training never uses the same episodes."""
    on: Annotated[str | None, tyro.conf.arg(metavar="ENV_ID")] = None
    """Another environment to play in; by default the one that it was trained on."""
    checkpoint: str | None = None
    """Name of a checkpoint, or "last"; by default the best."""
    max_steps: Annotated[Count | None, tyro.conf.arg(metavar="N")] = None
    """Steps after which an episode is cut off; by default 1000, or a longer time limit's."""
    trust: bool = False
    """Import whatever modules the run's environment and networks are of: their code runs."""
    json: bool = False
    """Print one JSON object instead of text."""


@command
def main(argv: list[str]) -> int:
    """Evaluate and print; runs of another kind are left to whoever measures those."""
    other = command_of_kind(argv, GROUP)
    if other is not None:
        return other(argv)
    words, arguments = take_arguments(argv)
    options = parse(EvaluateOptions, "evaluate", words, TEXT)
    from ..loop.evaluation import evaluate

    agent, checkpoint = load_agent(options.run, options.checkpoint, trust=options.trust)
    where = agent.source if options.on is None else find_env(options.on)
    with refusals(ValueError):
        result = evaluate(
            agent,
            adapt(where, arguments, options),
            episodes=options.episodes,
            seed=options.seed,
            max_steps=options.max_steps,
        )
    if options.json:
        names = ("mean_return", "std_return", "discounted_return", "episodes", "returns", "cut")
        own = ("mean_raw_return", "raw_returns") if result.raw_returns else ()
        record = {name: getattr(result, name) for name in names + own}
        print(json.dumps(record | {"checkpoint": str(shown(checkpoint))}))
    else:
        print(describe(result, checkpoint))
    return 0


def describe(result: "Evaluation", checkpoint: Path) -> str:
    """Tell what was measured, with its uncertainty."""
    episodes = counted(result.episodes, "episode")
    cut = f", {result.cut} of them cut off" if result.cut else ""
    lines = [
        f"checkpoint          {shown(checkpoint)}",
        f"episodes            {episodes}, greedy, {result.mean_length:.1f} steps on average{cut}",
        f"mean return         {result.mean_return:.3f}",
        f"standard deviation  {result.std_return:.3f}",
    ]
    if result.episodes > 1:
        low, high = result.interval
        lines.append(f"95 % interval       {low:.3f} to {high:.3f}")
    if result.mean_raw_return is not None:
        lines.append(f"before wrappers     {result.mean_raw_return:.3f}, of unchanged rewards")
    return "\n".join([*lines, f"discounted return   {result.discounted_return:.3f}"])
