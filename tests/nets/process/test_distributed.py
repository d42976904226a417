"""Several processes: each takes its rows, and all take the step of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nets.process.distributed import ALONE, Team, team

WORKER = Path(__file__).with_name("distributed_worker.py")


def test_a_process_alone_is_a_team():
    with team("cpu") as (workers, device):
        assert (workers, device) == (ALONE, torch.device("cpu"))
    module = torch.nn.Linear(2, 1)
    x = torch.arange(3.0)
    assert ALONE.leads
    assert ALONE.parallel(module) is module
    assert torch.equal(ALONE.share(x), x)
    assert torch.equal(ALONE.mean(x), x)
    assert ALONE.tell({"a": 1}) == {"a": 1}


@pytest.mark.parametrize("mine", [True, False])
def test_processes_stop_together_whichever_of_them_is_asked_to(monkeypatch, mine):
    heard = []
    asked = [lambda: heard.append("asked")] if mine else []
    there = 0.0 if mine else 1.0
    monkeypatch.setattr("torch.distributed.all_reduce", lambda total: total.add_(there))
    with pytest.raises(KeyboardInterrupt):
        Team(0, 2, asked).heed(torch.device("cpu"))
    assert heard == ["asked"] * mine
    monkeypatch.setattr("torch.distributed.all_reduce", lambda total: total)
    Team(0, 2).heed(torch.device("cpu"))
    ALONE.heed(torch.device("cpu"))


def test_rows_of_a_batch_are_dealt_without_remainder():
    rows = torch.arange(12)
    parts = [Team(rank, 3).share(rows) for rank in range(3)]
    assert torch.equal(torch.cat(parts), rows)
    assert {len(part) for part in parts} == {4}
    with pytest.raises(ValueError, match="batch of 12 rows cannot be dealt evenly to 5 processes"):
        Team(0, 5).share(rows)


def test_two_processes_average_gradients_and_numbers(tmp_path):
    """Started by torchrun, on the loopback device, talking through gloo."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"]
    command += ["--master_addr=127.0.0.1", f"--master_port={free_port()}", str(WORKER)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    result = subprocess.run(
        [*command, str(tmp_path)], env=environment, capture_output=True, text=True, timeout=180
    )
    assert result.returncode == 0, result.stderr
    said = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert [each["team"] for each in said] == [[0, 2], [1, 2]]
    assert [each["leads"] for each in said] == [True, False]
    assert [each["told"] for each in said] == ["from 0", "from 0"]
    assert [each["mean"] for each in said] == [[0.5, 1.0], [0.5, 1.0]]
    for kind in ("weight", "bias"):
        joint = said[0][f"joint {kind}"]
        for each in said:
            assert each[kind] == pytest.approx(joint, rel=1e-5, abs=1e-7)
        assert said[0][f"own {kind}"] != pytest.approx(joint, rel=1e-2)  # they did differ


def free_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]
