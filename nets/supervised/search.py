"""Search for hyper-parameters: at random, on a grid or by a model, one run folder each
(curriculum S-HP).

Optuna (the extra `tune`) draws the settings and keeps the journal, from which a search goes on.
"""

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..glance import rows_in_a_table
from ..process.seeding import hash31
from ..registry import Registry
from ..runs.checkpoint import save_json
from ..runs.logs import TensorBoard
from ..runs.ownership import owned

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

Settings: TypeAlias = dict[str, Any]
Objective: TypeAlias = Callable[[Settings, Path], float]
Direction: TypeAlias = Literal["minimize", "maximize"]
Space: TypeAlias = "Mapping[str, BaseDistribution]"


def log_uniform(low: float, high: float) -> "BaseDistribution":
    """A number whose logarithm is uniform: α = 10^r, r ~ U(log₁₀ low, log₁₀ high)
    (curriculum S-HP-01).

    Half of the draws from [1e-4, 1] are below 0.01; of uniform ones a hundredth would be.
    """
    from optuna.distributions import FloatDistribution

    return FloatDistribution(low, high, log=True)


def uniform(low: float, high: float) -> "BaseDistribution":
    """A number in [low, high]."""
    from optuna.distributions import FloatDistribution

    return FloatDistribution(low, high)


def integers(low: int, high: int, *, log: bool = False) -> "BaseDistribution":
    """A whole number from `low` to `high`, both included."""
    from optuna.distributions import IntDistribution

    return IntDistribution(low, high, log=log)


def choice(*values: bool | int | float | str | None) -> "BaseDistribution":
    """One of several values, of which a grid takes each."""
    from optuna.distributions import CategoricalDistribution

    return CategoricalDistribution(values)


@dataclass(frozen=True)
class Trial:
    """One setting that was tried."""

    number: int
    settings: Settings
    value: float
    """What the objective returned; NaN where it was not finite."""
    folder: Path


@dataclass(frozen=True)
class Search:
    """The trials of a search, in their order."""

    trials: tuple[Trial, ...]
    direction: Direction

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the trials, the best first."""
        sign = 1 if self.direction == "minimize" else -1
        ranked = sorted(self.trials, key=lambda t: (math.isnan(t.value), sign * t.value))
        names = list(dict.fromkeys(name for trial in ranked for name in trial.settings))
        rows = [[t.number, t.value, *(t.settings.get(name, "") for name in names)] for t in ranked]
        return rows_in_a_table(self, [["trial", "value", *names], *rows])

    @property
    def best(self) -> Trial:
        """The trial with the best value.

        Raises:
            ValueError: none has a finite value.
        """
        finite = [trial for trial in self.trials if math.isfinite(trial.value)]
        if not finite:
            raise ValueError(f"none of {len(self.trials)} trials returned a finite value")
        better = min if self.direction == "minimize" else max
        return better(finite, key=lambda trial: trial.value)


def search(
    objective: Objective,
    space: Space,
    folder: str | Path,
    *,
    trials: int | None = None,
    sampler: str = "random",
    direction: Direction = "minimize",
    seed: int = 0,
) -> Search:
    """Try settings, each in a run folder of its own below `folder`; go on with an earlier search.

    A search that was killed and is started again tries what an undisturbed one would have tried. A
    trial that was cut off is begun again in its folder, where the objective may find its own
    checkpoint. Called with more `trials`, a search goes on. Each folder, `003,lr=0.01,width=32`,
    gets a `trial.json` and TensorBoard's hyper-parameters (curriculum S-HP-02, S-TB-04).

    Args:
        objective: of the settings and the folder; trains, and returns what is to be optimised.
        space: of each setting, by name: `log_uniform`, `uniform`, `integers`, `choice`.
        folder: of the search; `journal.log` in it is Optuna's.
        trials: how many there are to be in all; None, on a grid only: each combination once.
        sampler: `random`, `grid` (each combination once, the last setting varying fastest) or `tpe`
            (by a model of what did well, Bergstra et al., 2011).
        direction: of improvement.
        seed: of the draws.

    Raises:
        ModuleNotFoundError: Optuna is not installed.
        ValueError: a grid has a continuous setting; or the folder holds another search.
        Occupied: another process searches there.
    """
    folder = Path(folder)
    with owned(folder), _quiet():
        study = _open(folder, space, sampler, direction, seed)
        count = _enqueue_grid(study, space) if SAMPLERS.canonical(sampler) == "grid" else trials
        if count is None:
            raise ValueError(f"sampler {sampler!r} goes on for ever: trials must be given")
        count = count if trials is None else min(count, trials)
        for cut_off in _in_state(study, "RUNNING"):
            _run(study, cut_off.number, cut_off.params, objective, folder)
        for number in range(len(_in_state(study, "COMPLETE", "FAIL")), count):
            study.sampler = SAMPLERS[sampler](hash31(seed, "trial", number))
            trial = study.ask(dict(space))
            _run(study, trial.number, trial.params, objective, folder)
        done = _in_state(study, "COMPLETE", "FAIL")
    return Search(
        tuple(
            Trial(
                each.number,
                each.params,
                math.nan if each.value is None else each.value,
                folder / folder_name(each.number, each.params),
            )
            for each in sorted(done, key=lambda each: each.number)
        ),
        direction,
    )


def folder_name(number: int, settings: Mapping[str, Any]) -> str:
    """Return the name of a trial's folder: its number and settings."""
    values = {k: f"{v:.4g}" if isinstance(v, float) else str(v) for k, v in settings.items()}
    parts = [f"{number:03d}", *(f"{name}={value}" for name, value in values.items())]
    return ",".join(parts).replace("/", "_")


def _random(seed: int) -> "BaseSampler":
    from optuna.samplers import RandomSampler

    return RandomSampler(seed)


def _tpe(seed: int) -> "BaseSampler":
    from optuna.samplers import TPESampler

    return TPESampler(seed=seed)


SAMPLERS: Registry[Callable[[int], "BaseSampler"]] = Registry(
    "sampler", {"random": _random, "grid": _random, "tpe": _tpe}
)


def _open(folder: Path, space: Space, sampler: str, direction: Direction, seed: int) -> "Study":
    """Open the journal in `folder`, and compare what it is a journal of."""
    import optuna
    from optuna.distributions import distribution_to_json
    from optuna.storages.journal import JournalFileBackend

    storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    study = optuna.create_study(
        storage=storage, study_name="search", direction=direction, load_if_exists=True
    )
    wanted = {
        "space": {name: json.loads(distribution_to_json(each)) for name, each in space.items()},
        "sampler": SAMPLERS.canonical(sampler),
        "direction": direction,
        "seed": seed,
    }
    found = study.user_attrs.get("search")
    if found is None:
        study.set_user_attr("search", wanted)
    elif found != json.loads(json.dumps(wanted)):
        changed = [name for name in wanted if found.get(name) != wanted[name]]
        message = f"{folder} holds another search: {', '.join(changed)} changed"
        raise ValueError(f"{message}; choose another folder")
    return study


def _enqueue_grid(study: "Study", space: Space) -> int:
    """Queue each combination of settings, unless that was done; return how many there are."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    columns: dict[str, list[Any]] = {}
    for name, each in space.items():
        if isinstance(each, CategoricalDistribution):
            columns[name] = list(each.choices)
        elif isinstance(each, IntDistribution) and not each.log:
            columns[name] = list(range(each.low, each.high + 1, each.step))
        else:
            raise ValueError(f"{name} is {each}: a grid needs choices or integers")
    grid = [
        dict(zip(columns, values, strict=True)) for values in itertools.product(*columns.values())
    ]
    for settings in grid[len(study.get_trials(deepcopy=False)) :]:
        study.enqueue_trial(settings)
    return len(grid)


def _run(
    study: "Study", number: int, settings: Settings, objective: Objective, folder: Path
) -> None:
    """Try one setting, and write down what came of it."""
    from optuna.trial import TrialState

    own = folder / folder_name(number, settings)
    own.mkdir(exist_ok=True)
    value = float(objective(dict(settings), own))
    with TensorBoard(own) as board:
        board.hparams(settings, {"objective": value})
    finite = math.isfinite(value)
    save_json(own / "trial.json", {"settings": settings, "value": value if finite else None})
    if finite:
        study.tell(number, value)
    else:
        study.tell(number, state=TrialState.FAIL)


def _in_state(study: "Study", *names: str) -> list[Any]:
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=tuple(TrialState[name] for name in names))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from telling of every trial."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
