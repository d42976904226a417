import pytest
import torch
from threadpoolctl import ThreadpoolController

from nets.process.device import cpu_settings, resolve_device


def flushes():
    return (torch.full((1,), 1e-39) * 1.0).item() == 0.0


@pytest.mark.parametrize("name", ["cpu", torch.device("cpu"), "meta"])
def test_named_devices_are_returned(name):
    assert resolve_device(name) == torch.device(name)


def test_auto_is_cuda_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == torch.device("cpu")


def test_unknown_devices_are_named():
    with pytest.raises(ValueError, match="unknown device 'gpu': expected 'auto', 'cpu', 'cuda'"):
        resolve_device("gpu")


@pytest.mark.parametrize(("name", "count"), [("cuda", 0), ("cuda:2", 2)])
def test_absent_devices_are_refused_before_use(monkeypatch, name, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(ValueError, match=rf"device '{name}' is not here: torch sees {count} CUDA"):
        resolve_device(name)


def test_present_cuda_devices_are_returned(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("cuda:1") == torch.device("cuda", 1)


def test_cpu_settings_apply_inside_and_are_restored_after():
    before = torch.get_num_threads(), flushes()
    with cpu_settings(2):
        assert (torch.get_num_threads(), flushes()) == (2, True)
        with cpu_settings(1):
            assert (torch.get_num_threads(), flushes()) == (1, True)
        assert (torch.get_num_threads(), flushes()) == (2, True)
    assert (torch.get_num_threads(), flushes()) == before
    assert before[1] is False


def test_cpu_settings_hold_for_numpys_products_too():
    libraries = ThreadpoolController().select(user_api="blas")

    def threads():
        return {library["num_threads"] for library in libraries.info()}

    with libraries.limit(limits=2):
        before = threads()
        with cpu_settings(1):
            assert threads() == {1}
        assert threads() == before


def test_cpu_settings_are_restored_after_an_error():
    before = torch.get_num_threads(), flushes()
    with pytest.raises(RuntimeError, match="inside"), cpu_settings(2):
        raise RuntimeError("inside")
    assert (torch.get_num_threads(), flushes()) == before


def test_denormals_die_under_adam_instead_of_slowing_it():
    """Dead units: the second moment of Adam decays towards zero and must reach it."""
    weight = torch.nn.Parameter(torch.ones(64))
    optimiser = torch.optim.Adam([weight], lr=0.0, fused=True)
    weight.grad = torch.full((64,), 1e-17)
    optimiser.step()
    weight.grad = torch.zeros(64)
    with cpu_settings(1):
        for _ in range(3000):
            optimiser.step()
    moment = optimiser.state[weight]["exp_avg_sq"]
    tiny = torch.finfo(torch.float32).tiny
    assert not ((moment > 0) & (moment < tiny)).any()
