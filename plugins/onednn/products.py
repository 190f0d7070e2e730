"""Products of matrices, by the library's `sgemm`.

It takes addresses and row lengths, so there is nothing to prepare or keep. One thread
of an EPYC of 2024 computes 230 GFLOP/s by it, as many as by OpenBLAS's kernels for
AVX-512; what is gained is one pool of threads for all that a step computes.

The library has no product of float64. NumPy's BLAS has, which computes on the calling
thread while these kernels are in use: so large ones are shared out by rows.
"""

from __future__ import annotations

from ctypes import c_char, c_float, c_int64, c_void_p
from functools import partial
from typing import Any

import numpy as np

from plugrad import Overrides, get_num_threads, in_threads

from . import batches
from .programs import FLOAT32, library

Array = Any

FLOAT64 = np.dtype("float64")
SMALL = 3 << 18  # multiplications: below, the call costs what it gains
SMALL_64 = 1 << 24  # of float64: below, the other threads do
calls: list[Any] = []  # sgemm and `ready` of the library, once it is loaded


def prepare() -> None:
    """Declare the library's function."""
    found = library()
    sgemm = found.c.dnnl_sgemm
    sgemm.argtypes = [
        c_char, c_char, c_int64, c_int64, c_int64, c_float, c_void_p, c_int64,
        c_void_p, c_int64, c_float, c_void_p, c_int64,
    ]  # fmt: skip
    calls[:] = sgemm, found.ready


def seen(a: Array) -> tuple[Array, bytes, int]:
    """A matrix, whether its rows or its columns lie in memory one after the other, and
    how far apart they are; a copy where neither do."""
    rows, columns = a.shape
    down, along = a.strides
    if (along == 4 or columns == 1) and down >= 4 * columns and not down % 4:
        return a, b"N", down // 4
    if (down == 4 or rows == 1) and along >= 4 * rows and not along % 4:
        return a, b"T", along // 4
    return np.ascontiguousarray(a), b"N", columns


def product(a: Array, b: Array, y: Array, beta: float = 0.0) -> Array:
    """y = a @ b + beta * y, for matrices; y is contiguous."""
    sgemm, ready = calls
    ready()
    a, turn_a, row_a = seen(a)
    b, turn_b, row_b = seen(b)
    (m, k), n = a.shape, b.shape[1]
    from_a = a.__array_interface__["data"][0]
    from_b = b.__array_interface__["data"][0]
    to = y.__array_interface__["data"][0]
    status = sgemm(
        turn_a, turn_b, m, n, k, 1.0, from_a, row_a, from_b, row_b, beta, to, n
    )
    library().check(status)
    return y


def by_rows(a: Array, b: Array, y: Array) -> Array:
    """y = a @ b for matrices of float64."""
    each = -(-len(a) // get_num_threads())
    cuts = [slice(i, i + each) for i in range(0, len(a), each)]
    in_threads([partial(np.matmul, a[cut], b, y[cut]) for cut in cuts])
    return y


def large(x: Array, other: Array, width: int) -> bool:
    """Whether so many columns of `other` are worth the call."""
    dtype = x.dtype
    if dtype is not other.dtype or x.ndim < 2:
        return False
    count = x.size * width
    return dtype is FLOAT32 and count >= SMALL or dtype is FLOAT64 and count >= SMALL_64


def accepts(a: Array, b: Array) -> bool:
    """Whether the library is the faster."""
    if b.ndim != 2:
        return batches.accepts(a, b)
    return large(a, b, b.shape[1]) and a.shape[-1] == b.shape[0]


def matmul(a: Array, b: Array) -> Array:
    """`a @ b` for a matrix `b`, or as many as there are in `a`."""
    if b.ndim != 2:
        return batches.matmul(a, b)
    y = np.empty((*a.shape[:-1], b.shape[1]), a.dtype)
    compute = product if a.dtype is FLOAT32 else by_rows
    compute(a.reshape(-1, a.shape[-1]), b, y.reshape(-1, b.shape[1]))
    return y


def accepts_linear(x: Array, weight: Array, bias: Array = None) -> bool:
    """Whether the library is the faster."""
    return (
        weight.ndim == 2
        and large(x, weight, weight.shape[0])
        and x.shape[-1] == weight.shape[1]
        and (bias is None or bias.shape == weight.shape[:1])
    )


def linear(x: Array, weight: Array, bias: Array = None) -> Array:
    """x @ weight.T + bias."""
    if x.dtype is FLOAT64:
        y = matmul(x, weight.T)
        return y if bias is None else np.add(y, bias, y)
    y = np.empty((*x.shape[:-1], weight.shape[0]), FLOAT32)
    if x.ndim > 2:
        x = x.reshape(-1, x.shape[-1])
    if bias is None:
        return product(x, weight.T, y)
    y[...] = bias
    return product(x, weight.T, y, 1.0)


def give(kernels: Overrides) -> None:
    """Add the kernels of products."""
    prepare()
    kernels.add("matmul", accepts=accepts)(matmul)
    kernels.add("linear", accepts=accepts_linear)(linear)
