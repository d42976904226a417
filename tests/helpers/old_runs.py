"""What runs of earlier times do, measured alike by their test and by whoever writes it down.

`python ../../helpers/old_runs.py`, in the folder of the runs, writes EXPECTED.json: once, at the
commit that made them.
"""

import io
import json
import runpy
import shutil
import signal
import sys
from contextlib import chdir, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

import agents
import generative

ROOT = Path(__file__).resolve().parents[2]

AGENTS = {  # steps in all after going on; None: what is begun is only ended
    "policy-iteration-maze": None,
    "q-learning-cliff": 8000,
    "double-q-learning-walk": 5000,
    "sarsa-lake": 5000,
    "dqn-interrupted": None,
    "dqn-pretrained": 900,
    "dqn-recall": 2520,
    "dqn-latent": 600,
    "dqn-latent-wrapper": 600,
    "rainbow-cartpole": 700,
    "ppo-recall": 1008,
    "ppo-pointmass": 1500,
    "a2c-pendulum": 960,
    "a2c-snake": 480,
    "reinforce-cartpole": 1200,
    "bc-snake": 200,
    "sb3-ppo-cartpole": 320,
    "sb3-sac-pendulum": 360,
}
MODELS = {
    "vae-digits": 60,
    "aae-digits": 45,
    "dcgan-digits": 30,
    "gan-interrupted": None,
    "vae-frames": 30,
    "ae-cliff": 30,
}
FINISHED = ("value-iteration-frozen-lake", "dqn-cartpole", "dqn-stacked", "sb3-dqn-cartpole")
FILES = ("dqn.pt", "ppo.pt")
MEASURED = "ae-cliff"


def script(name, *arguments):
    """Run `python scripts/NAME.py ARGUMENTS` in this process; what it printed."""
    file, argv, path = ROOT / "scripts" / f"{name}.py", sys.argv, list(sys.path)
    answer = signal.getsignal(signal.SIGINT)
    sys.argv = [str(file), *map(str, arguments)]
    try:
        with redirect_stdout(io.StringIO()) as printed:
            runpy.run_path(str(file), run_name="__main__")
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv, sys.path[:] = argv, path
        signal.signal(signal.SIGINT, answer)  # as programs begin, Ctrl-C ends them
    assert code == 0, f"{name} {arguments} ended with {code}"
    return printed.getvalue()


def returns(run):
    """What five greedy episodes of an agent return."""
    return json.loads(script("evaluate", run, "--episodes", 5, "--json"))["returns"]


def measures(run):
    """What is measured of a model."""
    found = json.loads(script("evaluate", run, "--json"))
    return {name: value for name, value in found.items() if not isinstance(value, str)}


def go_on(run):
    """Take a run to its end, or further; its model or agent after that."""
    package, command = (agents, "train") if run in AGENTS else (generative, "train_generative")
    steps = (AGENTS | MODELS)[run]
    script(command, "--resume", run, *(() if steps is None else ("--steps", steps)))
    return package.load(run, checkpoint="last", device="cpu")


def newest(run):
    """The file of the last checkpoint to go on from."""
    return max((Path(run) / "checkpoints").glob("[0-9]*.pt"))


def figures(state, path=""):
    """A number for each tensor of a state, which every entry changes, as does their order."""
    if isinstance(state, torch.Tensor):
        entries = state.double().flatten()
        return {path: float(entries @ torch.arange(len(entries)).double().cos())}
    items = state.items() if isinstance(state, dict) else ()
    return {k: v for name, each in items for k, v in figures(each, f"{path}/{name}").items()}


def main():
    """Write down what all runs do."""
    expected = {run: {"returns": returns(run)} for run in (*AGENTS, *FINISHED, *FILES)}
    expected[MEASURED] = {"measures": measures(MEASURED)}
    with TemporaryDirectory() as folder, chdir(shutil.copytree(Path.cwd(), f"{folder}/runs")):
        for run in AGENTS | MODELS:
            state = go_on(run).state_dict()
            end = {"step": int(newest(run).stem), "figures": figures(state)}
            expected[run] = expected.get(run, {}) | end
    Path("EXPECTED.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
