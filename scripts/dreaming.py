"""Learn inside of dreams: collect, learn the world, learn in it, measure outside, collect again.

One file of results for each seed, with what model-free learning reaches in as many real steps, and
a picture of both; if asked, with what becomes of agents whose dreams are wrong on purpose.
"""

import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Annotated, Any, Literal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback before the command listens
# this checkout's packages come first, whatever else is installed under their names
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import tyro

import agents
import generative
from agents.policy_gradient.config import PPOConfig
from agents.presets import find_preset
from generative import dreams, worlds
from generative.commands.world_options import settle
from generative.worlds.config import WorldConfig
from nets.drawing.style import drawing
from nets.kinds import Count, Part, Whole
from nets.runs.durable import require_place
from nets.settings import check
from nets.shell.command_line import CommandError, command, parse
from nets.shell.env_arguments import take_arguments
from nets.shell.figure_options import FigureOptions
from nets.shell.here import shown

if TYPE_CHECKING:  # help needs no torch
    import gymnasium as gym

EPISODES = 100  # of an evaluation
HOW_OFTEN = ("first_seed", "seeds", "out", "theme", "format")  # which figures do not depend on
POLE = {"rounds": 2, "fit_steps": 2000, "dream_steps": 60_000, "starts": "any", "horizon": 200}
KNOWN: dict[str, dict[str, Any]] = {  # what works where; the command line overrides it
    "CartPole-v1": POLE,
    "dreamgym/CartPole-v0": POLE,
    "dreamgym/Catch-v0": {
        "dream_steps": 40_000,
        "num_envs": 64,
        "starts": "any",
        "horizon": 12,
    },
    "dreamgym/Lake-v0": {"collect": 2000, "rounds": 4, "exploration": 0.3},
    "Pendulum-v1": {"collect": 4000, "dream_steps": 100_000, "horizon": 200},
    "dreamgym/PointMass-v0": {"dream_steps": 300_000, "horizon": 200},
    "dreamgym/Recall-v0": {"dream_steps": 100_000},
    "dreamgym/Bricks-v0": {"dream_steps": 400_000, "starts": "any", "horizon": 64},
}
PPO_OF: dict[str, dict[str, Any]] = {  # over the preset
    "dreamgym/Catch-v0": {"encoder": "mlp"},
    "dreamgym/Bricks-v0": {"encoder": "small-cnn", "n_steps": 32, "batch_size": 256, "epochs": 3},
}
TEXT = """Learn inside of dreams, beside learning in the real world for as many of its steps.

examples:
  {command} dreamgym/Catch-v0
  {command} CartPole-v1 --seeds 5
  {command} dreamgym/Lake-v0 --collect 2000
  {command} dreamgym/Catch-v0 --env.obs board --config.model rssm
  {command} dreamgym/Catch-v0 --controls"""


@dataclass(frozen=True)
class DreamingOptions(FigureOptions):
    """Which world, how many runs, and how long."""

    env: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ENV_ID")]
    """The real world."""
    config: WorldConfig
    """Settings of its model."""
    collect: Count = 2000
    """Real steps of each round."""
    rounds: Count = 1
    """Rounds; after the first, the agent collects."""
    exploration: Part = 0.1
    """Share of the agent's actions that are uniformly random instead."""
    fit_steps: Count = 1500
    """Gradient steps of the world in each round."""
    dream_steps: Count = 20_000
    """Steps in dreams in each round."""
    num_envs: Whole = 0
    """Dreams side by side, which are computed 64 at a time; 0: as many as the preset has worlds."""
    starts: Literal["first", "any", "real"] = "first"
    """Where dreams begin."""
    horizon: Whole = 0
    """Steps of a dream; 0: of the longest real episode."""
    controls: bool = False
    """Dream wrongly on purpose, too: untrained, by shuffled or shifted actions, without rewards."""
    first_seed: Whole = 0
    """Seed of the first run, from which everything random in it follows."""
    seeds: Count = 1
    """Runs."""
    out: Path = Path("results")
    """Folder of the results."""

    def __post_init__(self) -> None:
        check(self, "env", "config")


@dataclass(frozen=True)
class Dreaming:
    """One way to dream of a world, and to learn from it."""

    options: DreamingOptions
    spec: "worlds.WorldSpec"
    ppo: PPOConfig = field(default_factory=PPOConfig)
    num_envs: int = 16

    def config(self) -> dict[str, Any]:
        """Return the lengths and all settings."""
        told = {k: v for k, v in asdict(self.options).items() if k not in HOW_OFTEN}
        return told | {"arguments": dict(self.spec.options), "ppo": asdict(self.ppo)}

    def run(self, seed: int) -> dict[str, Any]:
        """Go through all rounds, and learn in the real world for as many steps."""
        from generative.dreams.tables import beside_real_table
        from nets.process.seeding import hash31

        options = self.options
        found: list[dict[str, Any]] = []
        lived: list[worlds.Episodes] = []
        agent: Any = None
        free = self.learner(agents.QLearning, self.spec.make(), seed, self.num_envs)
        for number in range(options.rounds):
            started, own = process_time(), hash31(seed, "round", number)
            shares = {"actor": agent, "exploration": options.exploration}
            lived.append(worlds.collect(self.spec, options.collect, seed=own, **shares))
            episodes = worlds.Episodes.joined(lived)
            world = self.learn_world(episodes, own)
            agent, inside = self.learn_inside(world, own)
            found.append({"real_steps": len(episodes), "seconds": process_time() - started})
            found[-1] |= {"dream_return": inside.mean_return, **self.outside(agent)}
            unseen = worlds.collect(self.spec, 1000, seed=hash31(seed, "unseen"))
            figures = [*dreams.truth(world, unseen, seed=seed), *beside_real_table(world)]
            found[-1]["truth"] = {figure.name: figure.value for figure in figures}
            free.learn(options.collect, progress=False)
            found[-1]["model_free"] = self.outside(free)["real_return"]
        blind = worlds.collect(self.spec, 5000, seed=1).returns
        random = float(blind.mean()) if len(blind) else None  # no episode may end
        result: dict[str, Any] = {"rounds": found, "random": random}
        if options.controls:
            result["controls"] = self.controls(worlds.Episodes.joined(lived), seed)
        return result

    def learn_world(
        self, episodes: "worlds.Episodes", seed: int, steps: int | None = None
    ) -> "worlds.World":
        """Train a world on experience."""
        from nets.process.seeding import hash31, seeded

        with seeded(hash31(seed, "weights")):
            world = worlds.World.of(self.spec, episodes, self.options.config)
        steps = self.options.fit_steps if steps is None else steps
        if world.players() and steps:
            rows = worlds.Windows(self.spec.env_id, episodes, world.config.window)
            trainer = generative.Trainer(world, rows, seed=seed, device="cpu", progress=False)
            trainer.run(steps)
        return world.eval()

    def learner(self, tabular: Any, env: "gym.Env", seed: int, num_envs: int) -> Any:
        """Return who learns: of states that can be counted a `tabular` agent, else PPO."""
        if self.spec.kind == "discrete":
            return tabular(env, seed=seed)
        return agents.PPO(env, self.ppo, seed=seed, device="cpu", num_envs=num_envs)

    def learn_inside(self, world: "worlds.World", seed: int) -> tuple[Any, "agents.Evaluation"]:
        """Train an agent in dreams, or let it plan there; return it and what it gets."""
        import gymnasium as gym

        begin: dict[str, Any] = {"starts": self.options.starts}
        begin["horizon"] = self.options.horizon or None
        with tempfile.TemporaryDirectory() as folder:
            file = str(Path(folder) / "world.pt")
            generative.save(world, file)
            dream = gym.make(f"generative.dreams:{dreams.DREAM_ID}", run=file, **begin)
            side_by_side = self.options.num_envs or self.num_envs
            agent = self.learner(agents.ValueIteration, dream, seed, side_by_side)
            agent.learn(self.options.dream_steps, progress=False)
            return agent, agents.evaluate(agent, episodes=EPISODES, seed=seed)

    def outside(self, agent: Any) -> dict[str, float]:
        """Return the mean returns in the real world, greedily."""
        found = agents.evaluate(agent, self.spec.make(), episodes=EPISODES, seed=1)
        return {"real_return": found.mean_return, "real_discounted": found.discounted_return}

    def controls(self, episodes: "worlds.Episodes", seed: int) -> dict[str, Any]:
        """Return what agents get outside whose dreams were wrong."""
        import torch

        from nets.process.seeding import seeded

        with seeded(seed):
            shuffled = episodes.action[torch.randperm(len(episodes))]
        wrong = {
            "shuffled": replace(episodes, action=shuffled),
            "shifted": replace(episodes, action=episodes.action.roll(1, 0)),
            "no_rewards": replace(episodes, reward=0 * episodes.reward),
        }
        dreamed = {name: self.learn_world(lies, seed) for name, lies in wrong.items()}
        if self.spec.kind != "discrete":  # a table is counted
            dreamed = {"untrained": self.learn_world(episodes, seed, 0)} | dreamed
        found = {}
        for name, world in dreamed.items():
            agent, inside = self.learn_inside(world, seed)
            found[name] = {"dream_return": inside.mean_return, **self.outside(agent)}
        return found


def experiment(argv: Sequence[str]) -> Dreaming:
    """Return what is asked for, with what is known to work as defaults."""
    words, arguments = take_arguments(argv)
    env_id = next((word for word in words if not word.startswith("-")), None)
    if env_id is None:
        blank: Any = DreamingOptions(env=tyro.MISSING, config=WorldConfig())
        parse(DreamingOptions, "dreaming", words, TEXT, blank)
        raise CommandError("write ENV_ID first, then the options")
    spec, _, config, run = settle(env_id, words, arguments)
    name = env_id.rpartition(":")[2]
    lengths = {"fit_steps": run["steps"], "collect": run.get("collect", DreamingOptions.collect)}
    known = {"env": tyro.MISSING, "config": config} | lengths | KNOWN.get(name, {})
    default: Any = DreamingOptions(**known)
    options = parse(DreamingOptions, "dreaming", words, TEXT, default)
    if config.model == "ensemble" and options.config.anneal_steps == 0:
        options = replace(options, config=replace(options.config, anneal_steps=options.fit_steps))
    preset = find_preset("ppo", name)
    ppo = replace(preset.apply(PPOConfig()) if preset else PPOConfig(), **PPO_OF.get(name, {}))
    if spec.kind != "discrete":  # the policy of the last step is kept, wherever it has got to
        ppo = replace(ppo, anneal_steps=options.dream_steps)
    return Dreaming(options, spec, ppo, (preset and preset.num_envs) or 16)


def main(argv: list[str]) -> int:
    """Run every seed that has no record, print what came out, and draw it."""
    asked = experiment(argv)
    options = asked.options
    import torch  # only now: help needs none

    from agents.outcomes.references import solved_from
    from generative.gallery import grids
    from nets.benchmarks.quality import run_once

    torch.set_num_threads(1)
    name = f"dreaming/{options.env.rpartition(':')[2].replace('/', '-')}"
    picture = options.out / name / "returns.png"
    require_place(picture)
    line = shlex.join(["python", "scripts/dreaming.py", *argv])
    results = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        result = run_once(name, asked, seed, options.out, line)["result"]
        results.append(result)
        print(describe(seed, result), flush=True)
    solved = None if asked.spec.options else solved_from({"id": asked.spec.env_id})
    with drawing(options.theme, options.format):  # last: records tell whether files were changed
        grids.save(picture, chart(asked.spec.env_id, results, solved))
    print(f"wrote {shown(picture)}")
    return 0


def describe(seed: int, result: dict[str, Any]) -> str:
    """Return what came out of a seed as lines."""

    def returns(name: str, one: dict[str, float]) -> str:
        return f"  {name}: dream {one['dream_return']:.2f}, real {one['real_return']:.2f}"

    random = "ends no episode" if result["random"] is None else f"{result['random']:.2f}"
    lines = [f"seed {seed}: random {random}"]
    for one in result["rounds"]:
        name = f"{one['real_steps']:6,} real steps, {one['seconds']:4.0f} s"
        beside = f"; model-free in as many: {one['model_free']:.2f}"
        lines.append(returns(name, one) + beside)
    lines += [returns(name, one) for name, one in result.get("controls", {}).items()]
    return "\n".join(lines)


def chart(name: str, results: Sequence[dict[str, Any]], solved: float | None = None) -> Any:
    """Draw returns against real steps, of what dreams taught and of model-free learning."""
    from generative.gallery import charts
    from nets.drawing.figures import reference

    steps = [one["real_steps"] for one in results[0]["rounds"]]
    lines = {
        label: [[one[key] for one in result["rounds"]] for result in results]
        for label, key in (("learned in dreams", "real_return"), ("model-free", "model_free"))
    }
    figure = charts.bands(steps, lines, title=name, xlabel="real steps", ylabel="real return")
    if solved is not None:
        reference(figure.axes[0], solved, "solved")
    return figure


if __name__ == "__main__":
    sys.exit(command(main)())
