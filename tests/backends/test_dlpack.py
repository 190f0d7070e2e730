"""Arrays from one backend to another: shared by `from_dlpack`, copied by `to`."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

import plugrad
from tests.backends.pairs import registered
from tools.dlpack_table import BACKENDS, PAGE, installed, read, tried, written

PAIRS = list(permutations(installed(), 2))


def ramp(backend):
    x = plugrad.arange(6, dtype=plugrad.float64).reshape(2, 3)
    return x.to(backend=backend)


def test_the_table_is_fresh():
    page = PAGE.read_text(encoding="utf-8")
    committed = read(page)
    assert written(committed) in page
    for pair, cell in tried().items():
        assert committed[pair] == cell, pair


def test_every_pair_is_in_the_table():
    assert read(PAGE.read_text(encoding="utf-8")).keys() == set(
        permutations(BACKENDS, 2)
    )
    assert "numpy" in installed() and "array_api_strict" in installed()


@pytest.mark.parametrize("source, target", PAIRS)
def test_to_copies(source, target):
    x = ramp(source)
    y = x.to(backend=target)
    x += 1
    assert y.backend == target and y.tolist() == ramp("numpy").tolist()
    y *= 2
    assert x.tolist() == (ramp("numpy") + 1).tolist()


@pytest.mark.parametrize("source, target", PAIRS)
def test_gradients_travel_back(source, target):
    x = ramp(source).requires_grad_()
    y = x.to(backend=target)
    (g,) = plugrad.autograd.grad((y * y * y).sum(), x, create_graph=True)
    assert g.backend == source
    (h,) = plugrad.autograd.grad(g.sum(), x)
    assert h.tolist() == (ramp("numpy") * 6).tolist()


@pytest.mark.parametrize("source, target", PAIRS)
def test_what_is_shared_is_seen_on_both_sides(source, target):
    cell = read(PAGE.read_text(encoding="utf-8"))[source, target]
    if cell != "shared" or not plugrad.get_backend(source).writable:
        return
    x = ramp(source)
    y = plugrad.from_dlpack(x, backend=target)
    x[0, 1] = 50
    assert y.tolist() == x.tolist() and y[0, 1].item() == 50


def test_a_library_without_a_loaded_backend():
    class Foreign:
        def __init__(self):
            self.array = np.arange(3.0)

        def __dlpack__(self, **options):
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self):
            return self.array.__dlpack_device__()

    given = Foreign()
    x = plugrad.from_dlpack(given)
    given.array[0] = 7
    assert x.backend == "numpy" and x.tolist() == [7, 1, 2]
    assert plugrad.from_dlpack(given, copy=True).tolist() == [7, 1, 2]


def test_numpy_takes_tensors_of_other_backends():
    for name in set(installed()) - {"dask"}:
        assert np.from_dlpack(ramp(name)).tolist() == ramp("numpy").tolist()


def test_what_cannot_be_shared_says_so():
    x = ramp("numpy").requires_grad_()
    with pytest.raises(BufferError, match=r"detach\(\)"):
        plugrad.from_dlpack(x, backend="array_api_strict")
    with pytest.raises(TypeError, match="__dlpack__, not builtins.list"):
        plugrad.from_dlpack([1, 2])
    with pytest.raises(plugrad.BackendError, match="nonesuch"):
        plugrad.from_dlpack(x.detach(), backend="nonesuch")


class OnDevice(plugrad.Backend):
    """NumPy's arrays, as if they lay on a CUDA device: no host may be asked."""

    array_type = np.ndarray
    namespace = np
    device_types = ("cuda",)

    def __init__(self, name):
        self.name = name
        super().__init__()

    def device_of(self, array):
        return "cuda", 0

    def from_dlpack(self, value):
        return np.from_dlpack(value)

    def to_numpy(self, array):
        raise AssertionError("a transfer to the host")


def test_on_a_device_nothing_passes_through_the_host():
    with registered(OnDevice("device_a")), registered(OnDevice("device_b")):
        with plugrad.backend("device_a"):
            x = plugrad.ones(3, device="cuda")
        assert x.backend == "device_a"
        y = x.to(backend="device_b")
        assert y.backend == "device_b" and not np.shares_memory(x._a, y._a)
        assert np.array_equal(x._a, y._a)
