"""A case on a GPU: speed in turns, the memory it takes, and that it computes what the CPU does."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from .timing import Case, Need, Result, Side, take_turns

GPU = "cuda"
NEED = Need("a GPU", torch.cuda.is_available, "a machine with one and PyTorch for CUDA")


@dataclass(frozen=True)
class GpuCase:
    """A comparison of speed, all of whose sides may use the GPU.

    Attributes:
        case: the comparison.
        outputs: what the networks make on a device of the same weights and inputs, in float32.
        within: the largest |difference| / (1 + |CPU's output|) between the two.
    """

    case: Case
    outputs: Callable[[str], Tensor]
    within: float = 1e-3

    @property
    def name(self) -> str:
        """What `--only` takes."""
        return self.case.name

    @property
    def what(self) -> str:
        """What is measured, in words."""
        return self.case.what


@dataclass(frozen=True)
class GpuResult:
    """What a case came to.

    Attributes:
        speed: the figures of the rounds.
        megabytes: the most that each side held on the GPU.
        apart: how far what the GPU computes is from what the CPU does.
        equal: whether that is within what the case allows.
    """

    speed: Result
    megabytes: dict[str, float]
    apart: float
    equal: bool


def measure_case(of: GpuCase, tick: Callable[[], object]) -> GpuResult:
    """Measure a case; `tick` is called after every measurement."""
    megabytes: dict[str, float] = {}
    case = of.case
    ours, *peers = (_weighed(side, megabytes) for side in (case.ours, *case.peers))
    speed = take_turns(replace(case, ours=ours, peers=tuple(peers)), tick)
    expected, found = of.outputs("cpu"), of.outputs(GPU).cpu()
    apart = float(((found - expected).abs() / (1 + expected.abs())).max())
    return GpuResult(speed, megabytes, apart, apart <= of.within)


def waited(amount: int, work: Callable[[], object]) -> float:
    """Return `amount` per second of `work`, until the GPU has finished it."""
    torch.cuda.synchronize()
    started = perf_counter()
    work()
    torch.cuda.synchronize()
    return amount / (perf_counter() - started)


def _weighed(side: Side, megabytes: dict[str, float]) -> Side:
    def measure(turn: int) -> float:
        torch.cuda.reset_peak_memory_stats()
        figure = side.measure(turn)
        megabytes[side.name] = torch.cuda.max_memory_allocated() / 1e6
        return figure

    return Side(side.name, measure)


def gpu_json(result: GpuResult, speed: dict[str, Any]) -> dict[str, Any]:
    """Return a result as plain values, given those of its speed."""
    equality = {"apart": result.apart, "equal": result.equal}
    return speed | {"megabytes_on_the_gpu": result.megabytes, "beside_the_cpu": equality}
