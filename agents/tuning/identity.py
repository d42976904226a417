"""Which study it is: that of a folder and of a storage, with the settings that are asked for."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nets.counted import counted

from ..outcomes.comparison import differences

if TYPE_CHECKING:
    import optuna

NAME = "tune"  # in a folder's own journal; and in storages of several, once
HOST = "host"  # where a trial was begun: Optuna's users may add others, which nobody ran


def name_in(storage: str, folder: Path) -> str:
    """Return the name of a folder's study in a storage, which may hold those of others."""
    from optuna import get_all_study_names

    known = get_all_study_names(storage)
    return NAME if NAME in known and folder.name not in known and trials_in(folder) else folder.name


def require_same(study: "optuna.Study", asked: Mapping[str, Any], where: object) -> None:
    """Write down in a new study what is asked for; refuse one that was begun with something else.

    Args:
        study: in its storage.
        asked: all that its trials depend on, as plain values.
        where: what holds it.

    Raises:
        ValueError: naming each setting, what it was and what it is now.
    """
    begun = study.user_attrs.get("of")
    if begun is None:
        study.set_user_attr("of", asked)
    elif begun != asked:
        message = f"{where} holds a study with other settings ({differences(begun, asked)})"
        raise ValueError(f"{message}: choose another --out")


def require_trials(study: "optuna.Study", there: int, folder: Path) -> None:
    """Refuse a folder whose trials are those of another study.

    Args:
        study: in its storage.
        there: how many trials the folder had before the study was read.
        folder: of the trials.

    Raises:
        ValueError: the folder has trials that the study has not, or none of those that it has.
    """
    known = study.get_trials(deepcopy=False)
    run = sum(HOST in trial.user_attrs and trial.state.is_finished() for trial in known)
    if there > len(known):
        message = f"{folder} holds {counted(there, 'trial')} of another study, of this {len(known)}"
        raise ValueError(f"{message}: choose another --out, or the storage that it was begun with")
    if run and not there:
        message = f"{counted(run, 'trial')} of {study.study_name} ended, and none is in {folder}"
        raise ValueError(f"{message}: choose the --out that it was begun in, or another --storage")


def trials_in(folder: Path) -> int:
    """Return how many trials a folder has: one more than the last one's number."""
    numbers = (path.name.removeprefix("trial-") for path in folder.glob("trial-*"))
    return max((int(number) + 1 for number in numbers if number.isdigit()), default=0)
