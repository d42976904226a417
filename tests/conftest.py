"""Shared test setup: no display, one torch thread, so that figures and bits repeat."""

import os
import signal
import sys
from pathlib import Path

import pytest
from gymnasium import registry
from hypothesis import settings

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # or BLAS waits for cores that other tests have

import torch

# The same examples in every run; `pytest --hypothesis-profile=explore` looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("repeatable")

torch.set_num_threads(1)

# shells start background jobs deaf to Ctrl-C, and nohup to a lost terminal, as every process that a
# test starts would be, too
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

sys.path.insert(0, str(Path(__file__).with_name("helpers")))  # what several folders share


LONGEST = ("test_pretended_cuda", "test_resume", "test_old_runs")


@pytest.fixture(autouse=True)
def ctrl_c_stays_what_it_is():
    """Fail the test that leaves another answer to Ctrl-C, which may kill one that comes later."""
    yield
    left = signal.signal(signal.SIGINT, signal.default_int_handler)
    assert left is signal.default_int_handler


@pytest.fixture(autouse=True)
def what_a_test_registers_goes_with_it(tmp_path_factory):
    """Forget the worlds that a test registered and the modules in its own folder.

    The id of one test would else be taken when another, which xdist may put after it, wants it.
    """
    folder = str(tmp_path_factory.getbasetemp())
    worlds, modules = set(registry), set(sys.modules)
    yield
    own = {
        name
        for name in set(sys.modules) - modules
        if str(getattr(sys.modules[name], "__file__", None)).startswith(folder)
    }
    for name in set(registry) - worlds:
        spec = registry[name]
        makers = (spec.entry_point, spec.vector_entry_point, spec.kwargs.get("dynamics"))
        if any(not isinstance(maker, str) or _is_gone(maker, own) for maker in makers if maker):
            del registry[name]
    for name in own:
        del sys.modules[name]


def _is_gone(maker, own):
    """Whether "module:Class" is of a test's own module, or of one that the test took away again."""
    module = maker.partition(":")[0]
    return module in own or module.partition(".")[0] not in sys.modules


def pytest_collection_modifyitems(items):
    """Skip what needs a GPU where there is none; what takes longest in one piece begins first."""
    items.sort(key=lambda item: not item.path.name.startswith(LONGEST))
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("cuda"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
