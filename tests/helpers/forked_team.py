"""Processes that train together, forked from one that has imported what they need."""

import multiprocessing
import os
import socket

import torch

from nets.process.distributed import team

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(
    [
        *("envs", "agents.dqn.agent", "agents.policy_gradient.ppo", "agents.loop.trainer"),
        *("generative.training.trainer", "torch._dynamo"),  # which the first optimiser imports
    ]
)


def in_processes(count, work, folder):
    """Return what `work(team)` returns in each of several processes.

    Args:
        count: how many.
        work: what is called in each; it has to be importable.
        folder: where they leave what they found.
    """
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    files = [folder / f"found-{rank}.pt" for rank in range(count)]
    many = [
        FORK.Process(target=_join, args=(rank, count, port, work, file))
        for rank, file in enumerate(files)
    ]
    for each in many:
        each.start()
    for each in many:
        each.join(timeout=300)
        each.kill()
    assert [each.exitcode for each in many] == [0] * count
    return [torch.load(file) for file in files]


def _join(rank, count, port, work, file):
    torch.set_num_threads(1)
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in told.items()})
    os.environ.update(MASTER_ADDR="127.0.0.1", GLOO_SOCKET_IFNAME="lo")
    with team("cpu") as (workers, _):
        torch.save(work(workers), file)
