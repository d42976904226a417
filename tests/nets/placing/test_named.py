import sys

import pytest

from nets.placing.calls import PlaceError
from nets.placing.each import run_each
from nets.placing.local import Local
from nets.placing.named import place_named
from nets.placing.ray_cluster import Ray
from nets.placing.slurm import Slurm


@pytest.mark.parametrize(
    ("text", "jobs", "place"),
    [
        ("local", None, Local(1)),
        ("local", 3, Local(3)),
        ("local:4", None, Local(4)),
        ("local:4", 4, Local(4)),
        ("ray", None, Ray()),
        ("ray:10.0.0.1:6379", 8, Ray("10.0.0.1:6379", 8)),
        ("slurm", None, Slurm()),
        (
            "slurm:partition=gpu,timeout_min=60",
            2,
            Slurm({"partition": "gpu", "timeout_min": "60"}, 2),
        ),
    ],
)
def test_places_have_names(text, jobs, place):
    assert place_named(text, jobs) == place


@pytest.mark.parametrize(
    ("text", "jobs", "said"),
    [
        ("rey", None, "unknown place 'rey'; did you mean 'ray'"),
        ("local:0", None, "local:0 names no number of processes: expected such as local:4"),
        ("local:many", None, "local:many names no number of processes"),
        ("local:4", 2, "local:4 is 4 processes, but jobs is 2: give one of them"),
        ("ray:nowhere", None, "ray:nowhere names no cluster: expected HOST:PORT"),
        ("slurm:gpu", None, "slurm:gpu has 'gpu': expected NAME=VALUE"),
    ],
)
def test_what_names_no_place_is_refused(text, jobs, said):
    with pytest.raises(ValueError, match=said):
        place_named(text, jobs)


def test_nobody_waits_for_a_cluster_that_is_not_there():
    pytest.importorskip("ray", reason="needs dreamgym[ray]")
    with pytest.raises(PlaceError, match=r"no Ray cluster at 127.0.0.1:9: "):
        list(run_each(divmod, [(7, 2)], place_named("ray:127.0.0.1:9")))


@pytest.mark.parametrize("deep", [True, False])
def test_a_cluster_that_wants_another_token_says_so(monkeypatch, deep):
    """As Ray 2.60 does: a token of ours that is wrong it tells of in a traceback, within a text."""
    ray = pytest.importorskip("ray", reason="needs dreamgym[ray]")
    said = "RPC error: InvalidAuthToken: Authentication token is missing or incorrect"

    def init(*_, **__):
        if not deep:
            raise ray.exceptions.AuthenticationError(said)
        try:
            raise RuntimeError(
                f"Traceback:\n  File ...\nray.exceptions.AuthenticationError: {said}\n"
            )
        except RuntimeError as error:
            raise ConnectionError("Failed to connect to Ray cluster at auto") from error

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(PlaceError, match=rf"^no Ray cluster at auto: (Auth.*: )?{said}"):
        list(run_each(divmod, [(7, 2)], place_named("ray:auto")))


def test_settings_that_slurm_has_not_are_refused(tmp_path):
    pytest.importorskip("submitit", reason="needs dreamgym[slurm]")
    place = Slurm({"partishun": "gpu"}, cluster="local", logs=tmp_path)
    with pytest.raises(PlaceError, match="Unknown argument 'partishun'"):
        list(run_each(divmod, [(7, 2)], place))


@pytest.mark.parametrize(("text", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_who_lacks_a_package_is_told_the_extra(monkeypatch, text, package):
    monkeypatch.setitem(sys.modules, package, None)
    said = rf"{package} is not installed: pip install 'dreamgym\[{text}\]'"
    with pytest.raises(PlaceError, match=said):
        list(run_each(divmod, [(7, 2)], place_named(text)))
