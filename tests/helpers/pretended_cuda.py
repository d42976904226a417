"""A CUDA device where there is none: what lies on it says cuda:0, and is computed on the CPU.

`python -m pytest -m cuda -p pretended_cuda`, with this folder on PYTHONPATH, runs the tests that
need a GPU without one. Tensors of two devices mix as little as on a real one, and where the
processor would wait for the device, `torch.cuda.set_sync_debug_mode` says so. Kernels, their
rounding and speed, CUDA's random numbers, graphs, streams and memory cannot be shown.

Before torch is imported, a library of a page is built and loaded, which gives it what only its CUDA
builds have: a device guard, and hooks.
"""

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

DEVICE = pytest.StashKey()
SOURCE = """
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace {
constexpr auto kind = c10::DeviceType::CUDA;
const c10::Device only(kind, 0);

class Hooks final : public at::CUDAHooksInterface {
 public:
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  int getNumGPUs() const override { return 1; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex current_device() const override { return 0; }
  c10::DeviceIndex getCurrentDevice() const override { return 0; }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex) const override { return 0; }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex) const override { return 0; }
  void setCurrentDevice(c10::DeviceIndex) const override {}
  void deviceSynchronize(c10::DeviceIndex) const override {}
};

class Guard final : public c10::impl::NoOpDeviceGuardImpl<kind> {
 public:
  c10::Device getDevice() const override { return only; }
  c10::Device exchangeDevice(c10::Device) const override { return only; }
  c10::Stream getStream(c10::Device) const noexcept override { return stream(); }
  c10::Stream getDefaultStream(c10::Device) const override { return stream(); }
  c10::Stream exchangeStream(c10::Stream other) const noexcept override { return other; }

 private:
  static c10::Stream stream() { return c10::Stream(c10::Stream::DEFAULT, only); }
};

std::unique_ptr<at::CUDAHooksInterface> hooks(at::CUDAHooksArgs) {
  return std::make_unique<Hooks>();
}
[[maybe_unused]] const bool registered =
    (at::CUDAHooksRegistry()->Register("CUDAHooks", hooks),
     c10::impl::registerDeviceGuard(kind, new Guard()), true);
}  // namespace
"""


def missing():
    """Why no device can be pretended here, or nothing."""
    if not sys.platform.startswith("linux"):
        return "the library is built for Linux"
    if shutil.which("g++") is None:
        return "g++ is not installed, which builds the library"
    if (_torch_home() / "lib" / "libtorch_cuda.so").exists():
        return "this torch is a CUDA build, which has hooks of its own"
    return ""


def install():
    """Build the library, where no earlier process has, and load it."""
    assert "torch" not in sys.modules, "torch asks for CUDA's hooks once, when it is imported"
    home = _torch_home()
    version = re.search(r"__version__ = '(.+?)'", (home / "version.py").read_text())[1]
    library = Path(tempfile.gettempdir()) / f"pretended-cuda-{os.getuid()}-{version}.so"
    if not library.exists():
        part = library.with_suffix(f".{os.getpid()}")
        options = ["-std=c++20", "-O0", "-fPIC", "-shared", f"-I{home}/include", f"-L{home}/lib"]
        command = ["g++", *options, "-x", "c++", "-", "-lc10", "-ltorch_cpu", "-o", str(part)]
        subprocess.run(command, input=SOURCE, text=True, check=True)
        part.replace(library)
    for each in (home / "lib" / "libc10.so", home / "lib" / "libtorch_cpu.so"):
        ctypes.CDLL(str(each), mode=ctypes.RTLD_GLOBAL)
    ctypes.CDLL(str(library))


def _torch_home():
    return Path(importlib.util.find_spec("torch").origin).parent


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests():
    """Load the library before a conftest imports torch."""
    install()


def pytest_configure(config):
    """Let there be a device until the tests are over."""
    from pretended_tensors import Pretending

    config.addinivalue_line("filterwarnings", "ignore:.*compiled without cuDNN")
    config.stash[DEVICE] = device = Pretending()
    device.__enter__()


def pytest_unconfigure(config):
    """Take the device away again."""
    config.stash[DEVICE].__exit__(None, None, None)
