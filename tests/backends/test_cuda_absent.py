"""What plugrad.cuda says on a machine without a GPU; where torch is installed, what its
own says."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

import plugrad
from plugrad.backends.cupy import library, why_not

if why_not() is None:
    pytest.skip("this machine has a GPU", allow_module_level=True)

CALLS = {
    "is_available": lambda cuda: cuda.is_available(),
    "device_count": lambda cuda: cuda.device_count(),
    "manual_seed": lambda cuda: cuda.manual_seed(0),
    "manual_seed_all": lambda cuda: cuda.manual_seed_all(0),
    "memory_allocated": lambda cuda: cuda.memory_allocated(),
    "max_memory_allocated": lambda cuda: cuda.max_memory_allocated(),
    "empty_cache": lambda cuda: cuda.empty_cache(),
    "get_rng_state_all": lambda cuda: cuda.get_rng_state_all(),
    "is_initialized": lambda cuda: cuda.is_initialized(),
    "get_arch_list": lambda cuda: cuda.get_arch_list(),
    "set_device(-1)": lambda cuda: cuda.set_device(-1),
}
NEED_A_GPU = {
    "current_device": lambda cuda: cuda.current_device(),
    "get_device_name": lambda cuda: cuda.get_device_name(0),
    "get_device_properties": lambda cuda: cuda.get_device_properties(0),
    "get_device_capability": lambda cuda: cuda.get_device_capability(),
    "synchronize": lambda cuda: cuda.synchronize(),
    "set_device": lambda cuda: cuda.set_device(0),
    "current_stream": lambda cuda: cuda.current_stream(),
    "Stream": lambda cuda: cuda.Stream(),
    "init": lambda cuda: cuda.init(),
    "mem_get_info": lambda cuda: cuda.mem_get_info(),
    "get_rng_state": lambda cuda: cuda.get_rng_state(),
    "FloatTensor": lambda cuda: cuda.FloatTensor(2),
}


def torch_without_gpu():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("torch sees a GPU")
    return torch


@pytest.mark.parametrize("name", CALLS)
def test_what_answers_without_a_gpu(name):
    ours = CALLS[name](plugrad.cuda)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert ours == CALLS[name](torch_without_gpu().cuda)


@pytest.mark.parametrize("name", NEED_A_GPU)
def test_what_raises_without_a_gpu(name):
    with pytest.raises(plugrad.BackendError, match="CUDA"):
        NEED_A_GPU[name](plugrad.cuda)


@pytest.mark.parametrize("name", NEED_A_GPU)
def test_it_raises_in_torch_too(name):
    with pytest.raises((AssertionError, AttributeError, RuntimeError, TypeError)):
        NEED_A_GPU[name](torch_without_gpu().cuda)


@pytest.mark.parametrize(
    "move",
    [
        lambda x: x.cuda(),
        lambda x: x.to("cuda"),
        lambda x: x.to("cuda:0", non_blocking=True),
        lambda x: x.pin_memory(),
        lambda x: plugrad.zeros(2, device="cuda"),
        lambda x: plugrad.get_backend("cupy"),
    ],
)
def test_moving_to_a_gpu_says_why_it_cannot_be(move):
    with pytest.raises(plugrad.BackendError) as found:
        move(plugrad.ones(2))
    assert why_not() in str(found.value)


def test_what_a_tensor_on_the_cpu_answers():
    torch = torch_without_gpu()
    for x in (plugrad.ones(2), torch.ones(2)):
        assert x.cpu() is x and x.get_device() == -1
        assert not (x.is_cuda or x.is_pinned())
        with pytest.raises(RuntimeError):
            x.pin_memory()
        with pytest.raises(RuntimeError, match="must be cuda device"):
            x.cuda("cpu")
    for device in ("cuda", "cuda:1"):
        assert str(plugrad.device(device)) == str(torch.device(device))


def test_random_numbers_are_not_reseeded():
    state = plugrad.get_rng_state()
    plugrad.cuda.manual_seed_all(5)
    plugrad.cuda.seed()
    assert plugrad.get_rng_state().equal(state)


# --- Why: each reason by itself -------------------------------------------------------


class NoCuda:
    """A CuPy whose driver is not as it should be."""

    def __init__(self, found):
        self.found = found
        self.cuda = self.runtime = self

    def getDeviceCount(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize(
    "found, words",
    [
        (RuntimeError("cudaErrorInsufficientDriver: too old"), "no NVIDIA driver"),
        (RuntimeError("cudaErrorNoDevice: none"), "CUDA_VISIBLE_DEVICES"),
        (0, "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_a_machine_that_cannot(found, words, monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", NoCuda(found))
    monkeypatch.setattr(library, "failures", {})
    assert words in why_not() and not plugrad.cuda.is_available()


def test_cupy_is_not_installed_or_broken(monkeypatch, tmp_path):
    monkeypatch.setattr(library, "failures", {})
    monkeypatch.setitem(sys.modules, "cupy", None)  # as if there were none
    assert "pip install" in why_not() and not library.failures
    monkeypatch.delitem(sys.modules, "cupy")
    (tmp_path / "cupy.py").write_text("raise OSError('libnvrtc.so is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    assert "libnvrtc.so is missing" in why_not()
    (tmp_path / "cupy.py").unlink()
    assert "libnvrtc.so is missing" in why_not(), "it is tried once"


def test_asking_imports_no_array_library():
    code = """
import sys; sys.modules["cupy"] = None
import plugrad
assert "plugrad.cuda" not in sys.modules
assert not plugrad.cuda.is_available() and plugrad.cuda.device_count() == 0
assert not {"numpy", "array_api_compat", "cupyx"} & sys.modules.keys()
"""
    run = [sys.executable, "-I", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60)
    assert not done.returncode, done.stderr
