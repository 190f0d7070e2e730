"""Products of many matrices at a time.

NumPy calls BLAS for one after the other, each on all its threads; the library shares
the matrices among threads. It is quick where it has AVX-512, and left alone elsewhere.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .library import SOURCE, TARGET, WEIGHTS, Unsupported
from .programs import FLOAT32, Kept, Program, kept, library
from .strided import Seen, compact, layout, matrices, seen

Array = Any

SMALL = 1 << 20  # multiplications
SMALL_MATRIX = 8  # rows and columns of the results
QUICK = "brg"  # how the names of implementations begin that are for any layout


@kept
def product(a: Seen, b: Seen) -> Kept | None:
    """Y = a @ b for arrays of matrices; None if the library has no quick way."""
    y = compact((*a[0][:-1], b[0][-1]))

    def make() -> Program:
        arrays = {"a": layout(a), "b": layout(b), "Y": layout(y)}
        given = arrays["a"], arrays["b"], None, arrays["Y"]
        what = library().computation("matmul", *given)
        if not what.implementation().startswith(QUICK):
            raise Unsupported
        return Program(arrays, [(what, {SOURCE: "a", WEIGHTS: "b", TARGET: "Y"})])

    found = Kept(make, prod(y[0]) * a[0][-1] // 16)  # 16 products as long as a pass
    try:
        found.prepare()
    except Unsupported:
        return None
    return found


def are_quick() -> bool:
    """Whether the library has a quick way for this processor."""
    some = compact((2, 64, 64))
    return product(some, some) is not None


def accepts(a: Array, b: Array) -> bool:
    """Whether the library is the faster."""
    if not (a.dtype is FLOAT32 is b.dtype and 2 < a.ndim == b.ndim < 7):
        return False
    if a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2]:
        return False
    rows, columns = a.shape[-2], b.shape[-1]
    if a.size * columns < SMALL or min(rows, columns) < SMALL_MATRIX:
        return False
    return product(seen(matrices(a)), seen(matrices(b))) is not None


def matmul(a: Array, b: Array) -> Array:
    """`a @ b` for as many matrices in a as in b."""
    a, b = matrices(a), matrices(b)
    y = np.empty((*a.shape[:-1], b.shape[-1]), FLOAT32)
    product(seen(a), seen(b)).run(a, b, y)
    return y
