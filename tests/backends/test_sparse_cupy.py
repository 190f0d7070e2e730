"""Sparse tensors on CuPy's arrays, on a fake CuPy (fake_cupy.py says what is fake); its
sparse matrices are SciPy's."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

import plugrad
from plugrad.selection import _loaded
from plugrad.testing import TOLERANCES
from tests.backends import fake_cupy, fake_kernels
from tests.backends.test_sparse import CASES, COUNTS, MAKERS, OF_COORDINATES, SAME

scipy_sparse = pytest.importorskip(
    "scipy.sparse", reason="products of sparse tensors need SciPy"
)
pytestmark = pytest.mark.skipif(
    fake_kernels.COMPILER is None, reason="g++ compiles the kernels for the fake"
)
NAMES = ("cupy", "sparse_cupy")


class Matrix:
    """A matrix of SciPy's that takes and gives the fake's arrays."""

    def __init__(self, given, shape=None):
        if isinstance(given, tuple):
            given = tuple(fake_cupy.inside(each) for each in given)
        self.inner = scipy_sparse.csr_matrix(given, shape=shape)

    def __matmul__(self, other):
        if isinstance(other, Matrix):
            return Matrix(self.inner @ other.inner)
        return fake_cupy.fresh(self.inner @ fake_cupy.inside(other))

    def sort_indices(self):
        self.inner.sort_indices()

    shape = property(lambda self: self.inner.shape)
    indptr = property(lambda self: fake_cupy.fresh(self.inner.indptr))
    indices = property(lambda self: fake_cupy.fresh(self.inner.indices))
    data = property(lambda self: fake_cupy.fresh(self.inner.data))


@pytest.fixture(scope="module", autouse=True)
def cp():
    before = {name: _loaded.pop(name) for name in NAMES if name in _loaded}
    sparse = types.ModuleType("cupyx.scipy.sparse")
    sparse.csr_matrix = Matrix
    scipy = types.ModuleType("cupyx.scipy")
    scipy.sparse = sparse
    with fake_cupy.installed() as cupy:
        sys.modules |= {"cupyx.scipy": scipy, "cupyx.scipy.sparse": sparse}
        yield cupy
        del sys.modules["cupyx.scipy"], sys.modules["cupyx.scipy.sparse"]
        for name in NAMES:
            _loaded.pop(name, None)
    _loaded.update(before)


def to_dense(y):
    return y.to_dense() if y.layout is not plugrad.strided else y


def computed(function, layout, device):
    """The result, and the gradients of the sparse tensor and of the dense one."""
    rng = np.random.default_rng(0)
    v = plugrad.tensor(rng.uniform(0.1, 0.45, COUNTS.get(layout, 4)))
    w = plugrad.tensor(rng.uniform(-1, 1, (3, 4))).to(device).requires_grad_()
    s = MAKERS[layout](v).to(device).detach().requires_grad_()
    assert s.device.type == device and s._values().device.type == device
    y = to_dense(function(s, w))
    weights = plugrad.arange(1.0, y.numel() + 1, dtype=y.dtype).reshape(y.shape)
    (y * weights.to(device)).sum().backward()
    assert s.grad is None or s.grad.layout is s.layout
    found = [y.detach(), s.grad, w.grad]
    return [None if x is None else to_dense(x).cpu().numpy() for x in found]


# what the functions make of a number with other arguments lies on the CPU
HERE = [case for case in CASES if case[0] != "index_select"]


@pytest.mark.parametrize(("name", "layout"), HERE)
def test_as_on_the_cpu(name, layout):
    function = {**SAME, **OF_COORDINATES}[name]
    rtol, atol = TOLERANCES["float64"]
    pairs = zip(computed(function, layout, "cuda"), computed(function, layout, "cpu"))
    for a, b in pairs:
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_allclose(a, b, rtol, atol)


@pytest.mark.parametrize("layout", MAKERS)
def test_a_move_keeps_the_layout_and_carries_the_gradient(layout):
    v = plugrad.ones(COUNTS.get(layout, 4), requires_grad=True)
    s = MAKERS[layout](v)
    there = s.to("cuda")
    assert there.layout is s.layout and there.backend == "sparse_cupy"
    assert there.cpu().backend == "sparse" and s.cpu() is s
    (there * 3).sum().backward()
    assert (v.grad == 3).all()


def test_devices_do_not_mix_unseen():
    s = MAKERS["coo"](plugrad.ones(4))
    with pytest.raises(plugrad.BackendError):
        s.to("cuda") @ plugrad.ones(4, 2)
    with pytest.raises(plugrad.BackendError, match="to_sparse"):
        plugrad.ones(4).to(backend="sparse")


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("layout", MAKERS)
def test_softmax_as_on_the_cpu(name, layout):
    function = getattr(plugrad.sparse, name)
    found = [
        computed(lambda s, w: function(s, 1), layout, device)
        for device in ("cuda", "cpu")
    ]
    rtol, atol = TOLERANCES["float64"]
    for a, b in zip(found[0][:2], found[1][:2]):
        np.testing.assert_allclose(a, b, rtol, atol)


@pytest.mark.parametrize("padding", [-1, 2])
def test_rows_taken_give_a_sparse_gradient(padding):
    grads = []
    for device in ("cuda", "cpu"):
        w = plugrad.ones(4, 2).to(device).requires_grad_()
        at = plugrad.tensor([[1, 2], [1, 0]]).to(device)
        for _ in range(2):
            plugrad.embedding(w, at, padding, False, True).sum().backward()
        grads.append(w.grad)
    assert grads[0].is_sparse and grads[0].device.type == "cuda"
    assert (grads[0].cpu().to_dense() == grads[1].to_dense()).all()
