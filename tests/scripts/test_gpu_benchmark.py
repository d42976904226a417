"""The benchmark of a GPU: what it says where there is none, and that its sides run where one is."""

import json
from dataclasses import replace

import pytest
import torch

from agents.benchmarks import gpu as of_agents
from generative.benchmarks import gpu as of_models
from generative.benchmarks.peers import Loop
from nets.benchmarks import measure, report
from nets.benchmarks.command import main
from nets.benchmarks.gpu import GpuCase, measure_case, waited

CASES = (*of_agents.CASES, *of_models.CASES)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so(capsys):
    assert main(["gpu"]) == 2
    assert "there is no GPU here: gpu needs a machine with one" in capsys.readouterr().err


@pytest.fixture
def counted(monkeypatch):
    """Waits, memory and a name, which a pretended device lacks."""
    if not hasattr(torch._C, "_cuda_resetPeakMemoryStats"):
        monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 2_000_000)
        monkeypatch.setattr(report, "gpu_name", lambda: "pretended")


@pytest.mark.cuda
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_computes_what_the_cpu_does(case):
    expected = case.outputs("cpu")
    assert len(expected) == 16
    assert expected.std() > 0.0
    torch.testing.assert_close(case.outputs("cuda").cpu(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.cuda
def test_every_side_runs_and_one_json_object_tells_of_it(counted, monkeypatch, capsys):
    models = (of_models.VAE_CASE, of_models.DCGAN_CASE)
    small = [of_models.case(*each, rows=16, loop=Loop(8, "cuda", waited)) for each in models]
    short = [  # what is compiled needs a compiler for the device
        replace(one, case=replace(one.case, peers=one.case.peers[:1], rounds=1, warm_up=False))
        for one in small
    ]
    monkeypatch.setattr(measure, "_registered", lambda group: short)
    assert main(["gpu"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [case["name"] for case in printed["cases"]] == ["gpu-vae-64", "gpu-dcgan-64"]
    for case in printed["cases"]:
        assert case["ours"]["median"] > 0.0
        assert case["beside_the_cpu"]["equal"]
        assert all(megabytes >= 2.0 for megabytes in case["megabytes_on_the_gpu"].values())


@pytest.mark.cuda
def test_what_differs_from_the_cpu_fails(counted):
    one = of_models.CASES[0]
    side = replace(one.case.ours, measure=lambda turn: 1.0)
    quick = replace(one.case, ours=side, peers=(side,), rounds=1, warm_up=False)
    apart = measure_case(
        GpuCase(quick, lambda device: torch.full((2,), 1.0 + (device == "cuda"))), lambda: None
    )
    assert apart.apart == 0.5
    assert not apart.equal
