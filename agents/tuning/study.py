"""A study: trials of settings, by however many processes, each trial a run that can be resumed.

Optuna chooses the settings and keeps what came of them; our run folders keep the trainings. Who
works on a study takes up what others left unfinished when they died: a trial belongs to whoever
holds the lock of its folder, which the kernel frees.
"""

import socket
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from nets.foreign import is_foreign
from nets.glance import rows_in_a_table
from nets.kinds import Space
from nets.process.seeding import hash31
from nets.runs.checkpoint import fitting
from nets.runs.divergence import Diverged
from nets.runs.ownership import Occupied, in_turn, owned
from nets.settings import to_plain

from ..loop.run import RunConfig
from ..loop.trainer import Trainer
from ..outcomes.comparison import Comparison, Contender
from .identity import HOST, NAME, name_in, require_same, require_trials, trials_in
from .space import distribution, settings_of

if TYPE_CHECKING:
    import optuna
    from optuna.trial import FrozenTrial, Trial

Sampler = Literal["tpe", "random"]
Pruner = Literal["median", "hyperband", "none"]
JOURNAL = "journal.log"
MISSING = "Optuna is not installed: pip install 'dreamgym[tune]'"
STARTUP = 5  # trials that nothing is pruned by
WARMUP = 0.2  # of a run, in which nothing is pruned


class WatchedTrainer(Trainer):
    """Tells a trial of each evaluation, and stops where the trial is to be pruned."""

    def __init__(self, *arguments: Any, trial: "Trial", **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.trial = trial

    def evaluate(self, config: RunConfig) -> dict[str, float]:
        """Evaluate, as others do, and report what came out."""
        row = super().evaluate(config)
        if "eval_return" in row:
            with warnings.catch_warnings():  # a trial that goes on repeats its last reports
                warnings.simplefilter("ignore")
                self.trial.report(row["eval_return"], self.agent.steps)
            self.stopped |= self.agent.steps < config.steps and self.trial.should_prune()
        return row


@dataclass(frozen=True)
class Study:
    """The search for settings of one algorithm on one environment.

    Attributes:
        comparison: the folder, and how runs are measured.
        contender: what is tuned, with the settings that every trial keeps.
        space: where the others are sought.
        trials: how many there are to be in all.
        seeds: runs of a trial, whose median counts.
        sampler: tpe, by a model of what did well (Bergstra et al., 2011), or random.
        pruner: what ends trials that fall behind: median, hyperband (Li et al., 2018), none.
        storage: URL of Optuna's storage; empty: `journal.log` in the folder.
        seed: of the draws.
    """

    comparison: Comparison
    contender: Contender
    space: Space
    trials: int
    seeds: int = 1
    sampler: Sampler = "tpe"
    pruner: Pruner = "median"
    storage: str = ""
    seed: int = 0

    def open(self) -> "optuna.Study":
        """Open the study, which is begun where there is none.

        Raises:
            ModuleNotFoundError: Optuna is not installed.
            ValueError: another study is there, or the storage cannot be opened.
            CheckpointError: the journal is damaged.
        """
        try:
            import optuna
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(MISSING) from error

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        folder = self.comparison.path
        folder.mkdir(parents=True, exist_ok=True)
        there = trials_in(folder)  # before other processes begin more
        study = self._stored(
            partial(
                optuna.create_study,
                direction="maximize",
                load_if_exists=True,
                pruner=self._pruner(),
            )
        )
        wanted = to_plain(
            self.comparison.config(self.contender)
            | {name: str(where) for name, where in self.space.items()}
            | {"seeds": self.seeds, "sampler": self.sampler, "seed": self.seed}
        )
        require_trials(study, there, folder)
        require_same(study, wanted, self.storage or folder)
        return study

    def work(self) -> None:
        """Try settings until there are enough trials."""
        study = self.open()
        while True:
            with self._next(study) as trial:
                if trial is None:
                    return
                self._try(study, trial)

    def folder(self, number: int) -> Path:
        """Return the folder of a trial's records."""
        return self.comparison.path / _name(number)

    def finished(self) -> "list[FrozenTrial]":
        """Return the trials that are over, in their order."""
        return finished(self.open())

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the trials that are over, the best first."""
        begun = self.storage or (self.comparison.path / JOURNAL).exists()
        trials = sorted(self.finished() if begun else [], key=_rank)
        rows = [
            [t.number, t.state.name.lower(), "" if t.value is None else t.value]
            + [settings_of(t.params, self.space).get(name, "") for name in self.space]
            for t in trials
        ]
        return rows_in_a_table(self, [["trial", "state", "return", *self.space], *rows])

    @contextmanager
    def _next(self, study: "optuna.Study") -> "Iterator[Trial | None]":
        """Hold a trial that nobody works on: one that was left unfinished, or a new one."""
        with ExitStack() as held:
            with in_turn(partial(owned, self.comparison.path)):  # one process at a time chooses
                trial = self._left(study, held) or self._fresh(study, held)
            yield trial

    def _left(self, study: "optuna.Study", held: ExitStack) -> "Trial | None":
        from optuna.trial import Trial, TrialState

        for each in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if each.user_attrs.get(HOST) == socket.gethostname():
                try:
                    held.enter_context(owned(self.folder(each.number)))
                except Occupied:
                    continue
                return Trial(study, each._trial_id)
        return None

    def _fresh(self, study: "optuna.Study", held: ExitStack) -> "Trial | None":
        number = len(study.get_trials(deepcopy=False))
        if number >= self.trials:
            return None
        study.sampler = self._sampler(hash31(self.seed, "trial", number))
        trial = study.ask({name: distribution(where) for name, where in self.space.items()})
        held.enter_context(owned(self.folder(trial.number)))
        trial.set_user_attr(HOST, socket.gethostname())
        return trial

    def _try(self, study: "optuna.Study", trial: "Trial") -> None:
        from optuna.trial import TrialState

        try:
            scores = [self._score(trial, seed) for seed in range(self.seeds)]
        except (Diverged, ValueError) as error:  # settings may exclude each other
            if is_foreign(error):
                raise
            trial.set_user_attr("failed", str(error))
            study.tell(trial.number, state=TrialState.FAIL)
            return
        if None in scores:
            study.tell(trial.number, state=TrialState.PRUNED)
        else:
            study.tell(trial.number, median(score for score in scores if score is not None))

    def _score(self, trial: "Trial", seed: int) -> float | None:
        """Return the best checkpoint's mean return; None where the run was pruned."""
        settings = settings_of(trial.params, self.space)
        config = replace(self.contender.config, **settings)
        contender = replace(self.contender, label=_name(trial.number), config=config)
        if record := self.comparison.record(contender, seed):
            return float(record["result"]["figure"])
        watched = partial(WatchedTrainer, trial=trial) if seed == 0 else Trainer
        record = self.comparison.run(contender, seed, watched)
        return None if record is None else float(record["result"]["figure"])

    def _stored(self, create: "Callable[..., optuna.Study]") -> "optuna.Study":
        """Return what `create` makes of the storage."""
        folder = self.comparison.path
        if not self.storage:
            from .journal import open_journal

            with fitting(journal := folder / JOURNAL):
                return create(storage=open_journal(journal), study_name=NAME)
        try:
            return create(storage=self.storage, study_name=name_in(self.storage, folder))
        except Exception as error:  # of whatever database
            with suppress(OSError):  # where something lies in it
                folder.rmdir()
            message = f"no study at {self.storage}: {str(error).splitlines()[0]}"
            raise ValueError(f"{message}: expected a URL such as sqlite:///study.db") from error

    def _sampler(self, seed: int) -> Any:
        from optuna.samplers import RandomSampler, TPESampler

        if self.sampler == "random":
            return RandomSampler(seed)
        return TPESampler(seed=seed, n_startup_trials=2 * STARTUP)

    def _pruner(self) -> Any:
        from optuna.pruners import HyperbandPruner, MedianPruner, NopPruner

        steps = self.contender.steps
        if self.pruner == "median":
            return MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=int(WARMUP * steps))
        if self.pruner == "hyperband":
            return HyperbandPruner(max(steps // 20, 1), max_resource=steps)
        return NopPruner()


def finished(study: "optuna.Study") -> "list[FrozenTrial]":
    """Return the trials of an open study that are over, in their order."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()]


def _rank(trial: "FrozenTrial") -> tuple[bool, float]:
    """Order trials by their return, those that came to no end last."""
    value = -inf if trial.value is None else trial.value
    return trial.state.name != "COMPLETE", -value


def _name(number: int) -> str:
    return f"trial-{number:03d}"
