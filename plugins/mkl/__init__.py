"""Intel MKL's product of a sparse matrix and a dense one, as a kernel for sparse
tensors on NumPy's arrays.

    plugrad.use_kernels("sparse", "mkl")

It serves float32 and float64, and with the product its gradient to the dense matrix,
which is another product. `python -m benchmarks sparse` compares it with SciPy's and
PyTorch's. What SciPy does as fast or faster is left to it: complex numbers (MKL took
1.0 to 2.7 times as long) and one column (1.3 times, and its product with a vector as
long as SciPy's).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plugrad import Overrides, hookimpl, in_threads
from plugrad.backends.sparse import by_rows

from .library import Library, load

Array = Any
Pattern = Any

CODES = {np.dtype("float32"): "s", np.dtype("float64"): "d"}
MOST = 2**31 - 1  # MKL counts in 32 bits
SMALL = 1 << 20  # multiplications: below, one thread is as fast as several
PARTS = 16  # of the work, for threads that are not equally busy

kernels = Overrides("mkl", backend="sparse")
loaded: list[Library] = []  # once it is loaded


def accepts(values: Array, b: Array, pattern: Pattern) -> bool:
    """Whether MKL is the faster, and can count the elements."""
    rows, columns = pattern.shape
    width = b.shape[1]
    return (
        values.dtype == b.dtype
        and b.dtype in CODES
        and pattern.nnz > 0
        and width > 1
        and max(rows * width, columns * width, pattern.nnz) <= MOST
    )


@kernels.add("product", accepts=accepts)
def product(values: Array, b: Array, pattern: Pattern) -> Array:
    """The sparse matrix times a dense one."""
    starts, columns, values = by_rows(pattern, values)
    values, b = np.ascontiguousarray(values), np.ascontiguousarray(b)
    rows, width = pattern.shape[0], b.shape[1]
    y = np.empty((rows, width), b.dtype)
    code, line = CODES[b.dtype], width * b.itemsize
    begin, *others = (each.ctypes.data for each in (starts, columns, values))
    right, result = b.ctypes.data, y.ctypes.data

    def part(first: int, last: int) -> Any:
        shape = last - first, pattern.shape[1]
        matrix = begin + starts.itemsize * first, *others

        def compute() -> None:
            loaded[0].multiply(code, shape, matrix, right, width, result + line * first)

        return compute

    edges = [0, rows] if pattern.nnz * width < SMALL else split(starts)
    in_threads([part(first, last) for first, last in zip(edges, edges[1:])])
    return y


def split(starts: Array) -> list[int]:
    """Where to cut a matrix between rows, into parts of about as many values."""
    each = np.linspace(0, starts[-1], PARTS + 1)[1:-1]
    cuts = np.searchsorted(starts, each).tolist()
    return sorted({0, *cuts, starts.shape[0] - 1})


@hookimpl
def plugrad_kernels(name: str) -> Overrides | None:
    """The kernels, for plugrad's plugin manager."""
    if name != "mkl":
        return None
    if not loaded:
        loaded.append(load())
    return kernels
