"""What each of two processes does, for test_distributed.py: it leaves a JSON file."""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from nets.process.distributed import team
from nets.process.seeding import seeded


def gradients(module, loss):
    module.zero_grad()
    loss.backward()
    return {name: p.grad.flatten().tolist() for name, p in module.named_parameters()}


def main(folder):
    """Compare the gradient of the own rows, the team's, and that of the joint batch."""
    with seeded(0):
        module, joint = nn.Linear(3, 2), torch.randn(8, 3)
    with team("cpu") as (workers, _):
        rows = joint[workers.share(torch.arange(8))]
        own = gradients(module, module(rows).square().mean())
        whole = gradients(module, module(joint).square().mean())
        parallel = workers.parallel(module)
        said = gradients(module, parallel(rows).square().mean())
        said |= {f"own {name}": value for name, value in own.items()}
        said |= {f"joint {name}": value for name, value in whole.items()}
        said["team"] = [workers.rank, workers.size]
        said["leads"] = workers.leads
        said["told"] = workers.tell(f"from {workers.rank}")
        said["mean"] = workers.mean(torch.tensor([1.0, 2.0]) * workers.rank).tolist()
        (Path(folder) / f"{workers.rank}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1])
