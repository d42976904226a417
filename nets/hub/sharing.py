"""Runs to a model hub and back: what is pulled goes through the doors of a stranger's run."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

from ..extras import require_extra
from ..runs.checkpoint import CheckpointError, load_checkpoint, save_checkpoint
from ..runs.checkpoints import Checkpoints
from ..runs.finding import require_run
from ..runs.fingerprints import source
from ..runs.folder import PULLED
from ..runs.integrity import problems
from ..runs.ownership import require_free
from ..runs.places import FOLDER
from ..runs.records import SEAL, load_record, record_of, save_record
from .card import facts_of, without_places, write_card
from .contents import BEST, CARD, CONFIG, MOST, PLAIN, SHARED, WEIGHTS, travelling
from .licences import require_licence
from .weights import load_weights, save_weights

PACKAGES = ("huggingface_hub", "safetensors")
"""What talks to hubs, and the form in which weights travel."""
TIES = ("record", "metrics_rows")
"""By which a checkpoint is tied to the folder that it was written in."""


class HubError(RuntimeError):
    """The hub could not be asked, or does not give what was asked for."""


def push(
    run: str | Path,
    repo: str,
    *,
    licence: str = "mit",
    private: bool = False,
    checkpoint: str | None = None,
    trust: bool = False,
) -> str:
    """Share a run: its best weights as safetensors, its record, numbers, pictures, and a card.

    It is measured once more, for the card.

    Args:
        run: the folder.
        repo: as `name/repository`; it is made where there is none.
        licence: under which others may use it, as the hub calls it.
        private: whether a new repository is hidden from others.
        checkpoint: `"best"` (default), `"last"` or the name of one.
        trust: whether what the run is made of may be of any module.

    Returns:
        Where it is found.

    Raises:
        ModuleNotFoundError: what talks to hubs is not installed; the extra is named.
        ValueError: the licence is none that a hub knows by such a name.
        FileNotFoundError: there is no run, or no such checkpoint.
        CheckpointError: it is damaged, or one of its files is a link.
        HubError: the hub refuses, or is not there.
    """
    require_extra("hub", *PACKAGES)
    require_licence(licence)
    _require_name(repo)
    run = Path(run).absolute()
    files = Checkpoints(run)
    require_run(run)
    require_free(run)
    record = {k: v for k, v in record_of(files).items() if k not in (FOLDER, SEAL, PULLED)}
    record["command"] = without_places(record.get("command", []))
    found = list(travelling(run, checkpoint))
    facts = facts_of(run, found[0].file, record, trust=trust)
    with TemporaryDirectory() as made:
        folder = Path(made)
        for name, file in found:
            (folder / name).parent.mkdir(exist_ok=True)
            if file.suffix == ".pt":
                state = load_checkpoint(file)
                save_weights(folder / name, {k: v for k, v in state.items() if k not in TIES})
            else:
                copyfile(file, folder / name)
        save_record(folder / CONFIG, record)
        pictures = [each.name for each in found if each.file.suffix in (".png", ".gif")]
        card = write_card(facts, record, repo, licence, pictures)
        (folder / CARD).write_text(card, encoding="utf-8")
        with _asking(repo):
            api = _api()
            if not api.repo_exists(repo):
                api.create_repo(repo, private=private)
            title = f"Share {facts.learner} on {facts.problem}"
            where = api.upload_folder(repo_id=repo, folder_path=folder, commit_message=title)
    return str(where.repo_url)


def pull(repo: str, folder: str | Path | None = None, *, revision: str | None = None) -> Path:
    """Bring a shared run here, as a run folder that can be loaded, evaluated and rendered.

    No name that the repository chooses is ever used: of the files that runs have those are taken
    that are there, none larger than such files are. They are looked through as `verify` does before
    the folder appears. Nothing of them is run.

    Args:
        repo: as `name/repository`.
        folder: where to; `runs/repository` when None.
        revision: a branch, tag or commit; the newest when None.

    Raises:
        ModuleNotFoundError: what talks to hubs is not installed; the extra is named.
        ValueError: the repository has no name.
        FileExistsError: the folder is there already.
        HubError: there is no such repository, or it holds no run.
        CheckpointError: what it holds is damaged, far too large, or no run of ours.
    """
    require_extra("hub", *PACKAGES)
    if folder is None and not repo.rpartition("/")[2]:
        raise ValueError(f"repo is {repo!r}: expected NAME/REPOSITORY")
    target = Path("runs") / repo.rpartition("/")[2] if folder is None else Path(folder)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target} is there already: name another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".pulled-") as made:
        got, run = Path(made) / "got", Path(made) / "run"
        commit = _download(repo, revision, got)
        run.mkdir()
        for name in (CARD, "best/evaluation.json", *PLAIN):
            if (got / name).is_file():
                (run / name).parent.mkdir(exist_ok=True)
                copyfile(got / name, run / name)
        record = {k: v for k, v in load_record(got / CONFIG, sealed=True).items() if k != FOLDER}
        save_checkpoint(run / BEST, load_weights(got / WEIGHTS))
        for name, shared in SHARED.items():
            if (got / shared).is_file():
                save_checkpoint(run / name, load_weights(got / shared))
                now = source(run / name, [run / name]) | {"path": str(target.absolute() / name)}
                record |= {"sources": {"data": now}}
        save_record(run / CONFIG, record | {PULLED: f"{repo}@{commit}"})
        for wrong in problems(run):
            raise CheckpointError(f"{repo} holds no whole run: {wrong.replace(made, '')}")
        if target.exists():
            target.rmdir()  # it is empty
        run.rename(target)
    return target


def _require_name(repo: str) -> None:
    """Refuse what is no name of a repository before anything is measured for it."""
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    with _asking(repo):
        validate_repo_id(repo)


def _download(repo: str, revision: str | None, folder: Path) -> str:
    """Fetch what a run may have of a repository; return the commit."""
    with _asking(repo):
        api = _api()
        about = api.model_info(repo, revision=revision, files_metadata=True)
    there = {each.rfilename: each.size for each in about.siblings or ()}
    for name in (CONFIG, WEIGHTS):
        if name not in there:
            raise HubError(f"{repo} holds no run of dreamgym: it has no {name}")
    for name, most in MOST.items():
        if name in there:
            _require_size(repo, name, there[name], most)
            with _asking(repo):
                api.hf_hub_download(repo, name, revision=about.sha, local_dir=folder)
            _require_size(repo, name, (folder / name).stat().st_size, most)
    return str(about.sha)


def _require_size(repo: str, name: str, size: int | None, most: int) -> None:
    if size is None or size > most:
        said = "an unknown number of" if size is None else f"{size:,}"
        raise CheckpointError(f"{name} of {repo} has {said} bytes, expected at most {most:,}")


def _api() -> Any:
    from huggingface_hub import HfApi

    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="dreamgym")


@contextmanager
def _asking(repo: str) -> Iterator[None]:
    """Tell in a sentence what the hub, or the way to it, refuses."""
    try:
        yield
    except Exception as error:  # of several libraries, and of the network
        said = " ".join(str(error).split()) or type(error).__name__
        raise HubError(f"the hub does not give {repo}: {said[:300]}") from error
