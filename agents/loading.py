"""Give back a trained agent, whichever algorithm it was."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nets.runs.checkpoint import CheckpointError, fitting, load_checkpoint
from nets.runs.finding import find_checkpoint

from .agent import Agent
from .algorithms import find_algorithm

if TYPE_CHECKING:
    from .environments.source import EnvSource, World


def load(
    path: str | Path,
    env: "World | None" = None,
    *,
    checkpoint: str | None = None,
    device: str = "auto",
    trust: bool = False,
    **settings: Any,
) -> Agent:
    """Load the agent of a run folder, or of a file that `save` wrote.

    Args:
        path: the run folder or the file.
        env: another environment to act in; its own by default.
        checkpoint: of a run folder: `"best"` (default), `"last"` or the name of a checkpoint.
        device: where to put it.
        trust: whether its environment and networks may be of any module, with any wrapper, whose
            code then runs.
        **settings: settings in place of the recorded ones, such as the `encoder`, where that was a
            lambda or an object.

    Raises:
        FileNotFoundError: there is no run, or no such checkpoint; existing ones are listed.
        UntrustedError: its environment, or network, is not known to be harmless, and `trust` is
            False.
        CheckpointError: the file is damaged, unsafe or foreign, or the run's config.json is
            damaged.
    """
    file = find_checkpoint(path, checkpoint)
    state = load_checkpoint(file)
    if "model" in state:
        raise CheckpointError(f"{file} holds a generative model, {state['model']}, and no agent")
    with fitting(file):
        algorithm = find_algorithm(state["algorithm"])
    return algorithm.agent_type().load(file, env, device, trust=trust, **settings)


EVALUATION_SEED = 1_000_000  # far from the seeds of training
EPISODES = 100


def measure_best(
    folder: str | Path,
    env: "EnvSource | None" = None,
    device: str = "cpu",
    max_steps: int | None = None,
) -> dict[str, Any]:
    """Return the mean return of a run's best checkpoint, in episodes that no training has seen."""
    from .loop.evaluation import evaluate

    best = load(folder, env, device=device)
    result = evaluate(best, episodes=EPISODES, seed=EVALUATION_SEED, max_steps=max_steps)
    own = {"raw_figure": result.mean_raw_return, "raw_returns": result.raw_returns}
    return {
        "figure": result.mean_return,
        "discounted_return": result.discounted_return,
        "returns": result.returns,
        "step": best.steps,
    } | (own if result.raw_returns else {})
