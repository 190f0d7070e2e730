"""The kernels `mkl` compute what SciPy does, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

pytest.importorskip("scipy", reason="products of sparse tensors need SciPy")

import plugrad
from plugrad import BackendError
from plugrad.plugins import mkl
from plugrad.plugins.mkl import library
from plugrad.testing import TOLERANCES, assert_close

try:
    library.load()
except BackendError:
    HAS_MKL = False
else:
    HAS_MKL = True
needs_mkl = pytest.mark.skipif(
    not HAS_MKL, reason="Intel MKL is absent: pip install 'plugrad[mkl]'"
)

WITH = "sparse", "mkl"
SHAPES = {  # rows, columns, those of the dense matrix, density
    "small": (5, 7, 3, 0.3),
    "one row": (1, 40, 2, 0.5),
    "wide": (30, 400, 17, 0.1),
    "long": (3000, 50, 40, 0.3),  # of several parts
    "empty rows": (900, 300, 64, 0.002),
    "one full row": (2000, 900, 700, 0.001),
}


def numbers(rng, shape, dtype):
    made = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        made = made + 1j * rng.standard_normal(shape)
    return made.astype(dtype)


def problem(shape, dtype, layout):
    """A sparse and a dense matrix, and a gradient of their product."""
    rows, columns, width, density = SHAPES[shape]
    rng = np.random.default_rng(len(shape))
    full = numbers(rng, (rows, columns), dtype)
    full *= rng.random(full.shape) < density
    if shape == "one full row":
        full[7] = 1
    full[-1] = 0 if rows > 1 else 1
    a = getattr(plugrad.tensor(full), f"to_sparse{layout}")().requires_grad_()
    b = plugrad.tensor(numbers(rng, (columns, width), dtype), requires_grad=True)
    return a, b, plugrad.tensor(numbers(rng, (rows, width), dtype))


def results(a, b, g):
    """The product of two matrices, and its gradients."""
    y = a @ b
    to_a, to_b = plugrad.autograd.grad(y, (a, b), g)
    if to_a.layout is not plugrad.strided:
        to_a = to_a.values()
    if to_b.layout is not plugrad.strided:
        to_b = to_b.values()
    return [each.detach() for each in (y, to_a, to_b)]


@pytest.fixture
def multiplied(monkeypatch):
    """The shapes of the matrices that MKL multiplied."""
    found = []
    multiply = library.Library.multiply

    def counted(self, code, shape, *rest):
        found.append(shape)
        multiply(self, code, shape, *rest)

    monkeypatch.setattr(library.Library, "multiply", counted)
    return found


def assert_same(found, expected):
    """Sums of many numbers agree, the terms being of the size of 1."""
    for ours, scipys in zip(found, expected, strict=True):
        rtol, atol = TOLERANCES[ours.dtype.name]
        scale = max(float(scipys.abs().max()), 1.0)
        assert_close(ours, scipys, rtol=10 * rtol, atol=10 * atol * scale)


@needs_mkl
@pytest.mark.parametrize("layout", ["", "_csr", "_csc"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_products_and_gradients_are_scipys(shape, dtype, layout, multiplied):
    given = problem(shape, dtype, layout)
    expected = results(*given)
    assert not multiplied
    with plugrad.use_kernels(*WITH):
        assert_same(results(*given), expected)
    rows, columns = SHAPES[shape][:2]
    assert {n for _, n in multiplied} == {columns, rows}  # forward, and to b
    assert sum(m for m, _ in multiplied) == rows + columns


@needs_mkl
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_transposed_operands(dtype, multiplied):
    """Sparse and dense matrices that are views: what is contiguous, MKL gets."""
    a, b, g = problem("wide", dtype, "_csr")
    products = {
        "a.t() @ g": lambda: a.t() @ g,
        "a @ a view": lambda: a @ b[:, ::2],
        "a @ w.t()": lambda: a @ b.t().contiguous().t(),
        "dense @ a": lambda: g.t() @ a,
    }
    for name, product in products.items():
        expected = product()
        before = len(multiplied)
        with plugrad.use_kernels(*WITH):
            assert_same([product().detach()], [expected.detach()])
        assert len(multiplied) > before, name


@needs_mkl
def test_positions_that_repeat(multiplied):
    rng = np.random.default_rng(0)
    at = rng.integers(0, 6, (2, 200))
    v = plugrad.tensor(rng.standard_normal(200), requires_grad=True)
    a = plugrad.sparse_coo_tensor(plugrad.tensor(at), v, (6, 6))
    b = plugrad.tensor(rng.standard_normal((6, 5)))
    expected = a @ b
    with plugrad.use_kernels(*WITH):
        assert_same([(a @ b).detach()], [expected.detach()])
    assert multiplied


@needs_mkl
def test_second_derivatives(multiplied):
    a, b, _ = problem("small", "float64", "_csr")
    starts, columns = a.crow_indices(), a.col_indices()

    def product(values, b):
        return plugrad.sparse_csr_tensor(starts, columns, values, a.shape) @ b

    values = a.values().detach().requires_grad_()
    with plugrad.use_kernels(*WITH):
        assert plugrad.autograd.gradgradcheck(product, (values, b))
    assert multiplied


@needs_mkl
@pytest.mark.parametrize("kind", ["complex64", "complex128", "int64", "vector", "none"])
def test_what_is_left_to_scipy(kind, multiplied):
    name = kind if kind[-1].isdigit() else "float32"
    a, b, _ = problem("wide", "float32", "_csr")
    a, b = a.detach().to(getattr(plugrad, name)), b.detach().to(getattr(plugrad, name))
    if kind == "vector":
        b = b[:, 0]
    if kind == "none":
        a = a * 0 if a.values().numel() == 0 else plugrad.zeros(30, 400).to_sparse_csr()
    expected = a @ b
    with plugrad.use_kernels(*WITH):
        assert (a @ b == expected).all()
    assert not multiplied


@needs_mkl
def test_nothing_is_left_in_the_result():
    """MKL does not read the memory that it writes, be it NaN."""
    a, b, _ = problem("empty rows", "float64", "_csr")
    dense = a.detach().to_dense().numpy()
    empty = ~dense.any(axis=1)
    assert empty.any()
    with plugrad.use_kernels(*WITH):
        for _ in range(5):
            full = plugrad.full((900, 64), float("nan"), dtype=plugrad.float64)
            del full  # memory that the result is likely to get
            y = (a @ b).detach().numpy()
            assert not y[empty].any() and np.isfinite(y).all()


@needs_mkl
def test_infinities_spread_as_in_scipys():
    a, b, _ = problem("wide", "float32", "_csr")
    a, b = a.detach(), b.detach()
    b[3] = float("inf")
    b[5, 0] = float("nan")
    expected = a @ b
    with plugrad.use_kernels(*WITH):
        assert_close(a @ b, expected, rtol=1e-4, atol=1e-4, equal_nan=True)


@needs_mkl
def test_threads_multiply_at_once():
    given = [problem("long", dtype, "_csr") for dtype in ("float32", "float64")] * 2
    expected = [results(*each) for each in given]
    found = [None] * len(given)

    def work(i):
        for _ in range(5):
            found[i] = results(*given[i])

    with plugrad.use_kernels(*WITH):
        threads = [threading.Thread(target=work, args=(i,)) for i in range(len(given))]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    for ours, scipys in zip(found, expected, strict=True):
        assert_same(ours, scipys)


def run(program, **environment):
    """What a program prints in a process of its own."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MKL_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**inherited, **environment},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SETUP = """
import os, numpy as np, plugrad
rng = np.random.default_rng(0)
a = plugrad.tensor(rng.standard_normal((2000, 300)) * (rng.random((2000, 300)) < 0.1))
a, b = a.to_sparse_csr(), plugrad.tensor(rng.standard_normal((300, 64)))
"""


@needs_mkl
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs /proc")
def test_ten_thousand_products_leak_nothing():
    program = """
small = plugrad.tensor(rng.standard_normal((40, 30))).to_sparse_csr()
right = plugrad.tensor(rng.standard_normal((30, 4)))
def pages():
    return int(open("/proc/self/statm").read().split()[1])
def work(n):
    for _ in range(n):
        small @ right
        plugrad.sparse_csr_tensor(small.crow_indices(), small.col_indices(),
            small.values(), (40, 30)) @ right
with plugrad.use_kernels("sparse", "mkl"):
    work(1000)
    before = pages()
    work(10000)
    print(pages() - before)
"""
    assert int(run(SETUP + program)) < 128  # 20,000 handles would be thousands


@needs_mkl
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_multiplies_after_a_fork():
    program = """
with plugrad.use_kernels("sparse", "mkl"):
    expected = a @ b
    child = os.fork()
    if not child:
        os._exit(0 if (a @ b == expected).all() else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert run(SETUP + program) == "0"


@needs_mkl
def test_a_program_that_knows_nothing_of_it():
    program = "print((a @ b).sum().item(), plugrad.get_backend('sparse').overrides)"
    plain = run(SETUP + program, PLUGRAD_KERNELS="")
    served = run(SETUP + program, PLUGRAD_KERNELS="sparse:mkl")
    assert "'mkl'" in served and "'mkl'" not in plain
    assert float(served.split()[0]) == pytest.approx(float(plain.split()[0]), rel=1e-9)


@needs_mkl
def test_threads_of_others_are_left_alone():
    """Neither NumPy's BLAS nor an OpenMP is loaded or told anything."""
    program = """
plugrad.use_kernels("sparse", "mkl")
a @ b
maps = open("/proc/self/maps").read() if os.path.exists("/proc/self/maps") else ""
print(any(name in maps for name in ("libiomp5", "mkl_intel_thread", "libtbb")))
"""
    assert run(SETUP + program) == "False"


@needs_mkl
def test_another_interface_is_refused():
    program = """
import ctypes
from plugrad.plugins.mkl import library
path = next(library.places())
other = ctypes.CDLL(path)
other.MKL_Set_Interface_Layer(1)
other.MKL_Get_Max_Threads()
try:
    plugrad.use_kernels("sparse", "mkl")
except plugrad.BackendError as error:
    print(error)
"""
    assert "LP64" in run(SETUP + program)


def test_without_the_library(monkeypatch):
    monkeypatch.setattr(library, "places", lambda: iter(()))
    monkeypatch.setattr(mkl, "loaded", [])
    with pytest.raises(BackendError, match=r"libmkl_rt.*pip install 'plugrad\[mkl\]'"):
        plugrad.use_kernels(*WITH)


def test_a_library_that_does_not_load(monkeypatch, tmp_path):
    broken = tmp_path / "libmkl_rt.so.9"
    broken.write_text("nothing")
    monkeypatch.setattr(library, "places", lambda: iter([str(broken)]))
    monkeypatch.setattr(mkl, "loaded", [])
    with pytest.raises(BackendError, match="libmkl_rt.so.9"):
        plugrad.use_kernels(*WITH)


def test_methods_that_may_be_replaced_have_no_pairs():
    kernels = plugrad.Overrides("paired", backend="sparse")
    kernels.pair("product", lambda *args: (None, None), lambda *args: ())
    with pytest.raises(BackendError, match="give a pair for 'product'"):
        plugrad.use_kernels("sparse", kernels)


def test_uses_may_end_in_any_order():
    k, calls = plugrad.get_backend("sparse"), []
    own, uses = k.product, []
    for name in ("one", "two"):
        kernels = plugrad.Overrides(name, backend="sparse")
        keep = lambda *args, name=name: calls.append(name)  # noqa: E731
        kernels.add("product", accepts=lambda *args: True)(keep)
        uses.append(plugrad.use_kernels("sparse", kernels))
    k.product(None, None, None)
    uses[0].stop()
    k.product(None, None, None)
    uses[1].stop()
    assert calls == ["two", "two"] and k.product is own
