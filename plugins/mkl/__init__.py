"""Intel MKL's product of a sparse matrix and a dense one, as a kernel for sparse
tensors on NumPy's arrays.

    plugrad.use_kernels("sparse", "mkl")

It serves float32, float64, complex64 and complex128, and with the product its gradient
to the dense matrix, which is another product. `python -m benchmarks sparse` compares it
with SciPy's and PyTorch's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plugrad import Overrides, hookimpl
from plugrad.backends.sparse import by_rows, share

from .library import Library, load

Array = Any
Pattern = Any

CODES = {np.dtype(name): code for name, code in zip("fdFD", "sdcz")}
MOST = 2**31 - 1  # MKL counts in 32 bits
SMALL = 1 << 20  # multiplications: below, one thread is as fast as several
PARTS = 16  # of the work, for threads that are not equally busy

kernels = Overrides("mkl", backend="sparse")
library: list[Library] = []  # once it is loaded


def accepts(values: Array, b: Array, pattern: Pattern) -> bool:
    """Whether MKL multiplies matrices of these dtypes and sizes."""
    rows, columns = pattern.shape
    width = b.shape[1]
    return (
        values.dtype is b.dtype
        and b.dtype in CODES
        and pattern.nnz > 0
        and 0 < max(rows * width, columns * width, pattern.nnz) <= MOST
    )


@kernels.add("product", accepts=accepts)
def product(values: Array, b: Array, pattern: Pattern) -> Array:
    """The sparse matrix times a dense one."""
    starts, columns, values = by_rows(pattern, values)
    values, b = np.ascontiguousarray(values), np.ascontiguousarray(b)
    rows, width = pattern.shape[0], b.shape[1]
    y = np.empty((rows, width), b.dtype)
    code, size, line = CODES[b.dtype], starts.itemsize, width * b.itemsize
    at, to, y_at = starts.ctypes.data, b.ctypes.data, y.ctypes.data
    others = columns.ctypes.data, values.ctypes.data

    def part(first: int, last: int) -> Any:
        shape, matrix = (last - first, pattern.shape[1]), (at + size * first, *others)

        def compute() -> None:
            library[0].multiply(code, shape, matrix, to, width, y_at + line * first)

        return compute

    edges = [0, rows] if pattern.nnz * width < SMALL else split(starts)
    share([part(first, last) for first, last in zip(edges, edges[1:])])
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
    if not library:
        library.append(load())
    return kernels
