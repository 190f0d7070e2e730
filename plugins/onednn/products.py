"""Products of matrices, by the library's `sgemm`.

It takes addresses and row lengths, so there is nothing to prepare or keep. One thread
of an EPYC of 2024 computes 230 GFLOP/s by it, as many as by OpenBLAS's kernels for
AVX-512; what is gained is one pool of threads for all that a step computes.
"""

from __future__ import annotations

from ctypes import c_char, c_float, c_int64, c_void_p
from typing import Any

import numpy as np

from plugrad import Overrides

from . import batches
from .programs import FLOAT32, library

Array = Any

SMALL = 3 << 18  # multiplications: below, the call costs what it gains
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


def accepts(a: Array, b: Array) -> bool:
    """Whether the library is the faster."""
    if b.ndim != 2:
        return batches.accepts(a, b)
    return (
        a.dtype is FLOAT32 is b.dtype
        and a.ndim > 1
        and a.shape[-1] == b.shape[0]
        and a.size * b.shape[1] >= SMALL
    )


def matmul(a: Array, b: Array) -> Array:
    """`a @ b` for a matrix `b`, or as many as there are in `a`."""
    if b.ndim != 2:
        return batches.matmul(a, b)
    shape = (*a.shape[:-1], b.shape[1])
    if a.ndim > 2:
        a = a.reshape(-1, a.shape[-1])
    y = np.empty(shape, FLOAT32)
    product(a, b, y)
    return y


def accepts_linear(x: Array, weight: Array, bias: Array = None) -> bool:
    """Whether the library is the faster."""
    return (
        x.dtype is FLOAT32 is weight.dtype
        and weight.ndim == 2
        and x.ndim > 1
        and x.shape[-1] == weight.shape[1]
        and x.size * weight.shape[0] >= SMALL
        and (bias is None or bias.shape == weight.shape[:1])
    )


def linear(x: Array, weight: Array, bias: Array = None) -> Array:
    """x @ weight.T + bias."""
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
