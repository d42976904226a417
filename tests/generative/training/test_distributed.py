"""Two processes train one model as one process would."""

from functools import partial

import pytest
import torch
from forked_team import in_processes
from joint_models import all_trained, train
from leftovers import rows_of

from nets.process.distributed import ALONE


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The weights of the first and the second process, and the folder of their run."""
    folder = tmp_path_factory.mktemp("team")
    return in_processes(2, partial(all_trained, folder), folder), folder / "run"


@pytest.mark.parametrize("name", ["ae", "aae", "dcgan", "wgan-gp"])
def test_processes_keep_the_same_weights(trained, name):
    """Rows and noise differ, gradients are averaged, so the weights stay together."""
    first, second = (weights[name] for weights in trained[0])
    assert first.keys() == second.keys()
    for key in first:
        assert torch.equal(first[key], second[key]), key


def test_two_processes_take_the_steps_of_one_with_the_joint_batch(trained):
    start = dict(train("ae", ALONE, steps=0))
    for key, alone in train("ae", ALONE).items():
        joint = trained[0][0]["ae"][key]
        torch.testing.assert_close(joint, alone, rtol=1e-3, atol=1e-5)
        assert (alone - start[key]).abs().max() > 1e-3  # far from where they began


def test_rows_of_the_log_are_means_over_the_processes(trained, tmp_path):
    """The loss of a joint batch is the mean of its halves', which differ by 0.3 %, not rounding."""
    train("ae", ALONE, tmp_path)
    alone, joint = (
        [float(row["loss"]) for row in rows_of(folder)] for folder in (tmp_path, trained[1])
    )
    assert joint == pytest.approx(alone, rel=1e-4)


def test_a_run_of_two_processes_resumes_and_is_written_once(trained):
    for weights in trained[0]:
        for key, whole in weights["ae"].items():
            assert torch.equal(weights["ae resumed"][key], whole)
    rows = (trained[1] / "metrics.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "1", "2", "3", "4", "5", "6"]
