"""Softmax along the last dimension, its gradient, and that of its logarithm.

- The library keeps NaN, and what comes of infinities, to the elements themselves, where
  it belongs to all of a row. So results are looked at, and NumPy computes those again
  that hold such.
- Its logarithm of softmax is off by 4e-6, eight times as much as NumPy's, and is not
  used.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_int
from typing import Any

import numpy as np

from plugrad import Overrides, get_backend

from .library import DIFF_SOURCE, DIFF_TARGET, FORWARD_TRAINING, SOURCE, TARGET
from .programs import FLOAT32, Kept, Program, dense, kept, library, plain

Array = Any

KINDS = {"softmax": 0x30000, "log_softmax": 0x30001}
SMALL = 1 << 13  # elements
SMALL_BACK = 1 << 14
SMALL_ROW = 16


@kept
def programs(kind: str, rows: int, length: int) -> tuple[Kept, Kept]:
    """Forward and backward, which is from the result."""

    def ahead(x: Any) -> Any:
        given = FORWARD_TRAINING, KINDS[kind], x, x, c_int(1)
        return library().computation("softmax_forward", *given)

    def forward() -> Program:
        x = dense((rows, length))
        return Program({"x": x, "Y": x}, [(ahead(x), {SOURCE: "x", TARGET: "Y"})])

    def backward() -> Program:
        x = dense((rows, length))
        given = KINDS[kind], x, x, x, c_int(1), ahead(x)
        what = library().computation("softmax_backward", *given)
        roles = {TARGET: "y", DIFF_TARGET: "g", DIFF_SOURCE: "X"}
        return Program({"g": x, "y": x, "X": x}, [(what, roles)])

    numbers = 4 * rows * length  # a pass of exp takes as long as four
    return Kept(forward, numbers), Kept(backward, numbers)


def accepts(x: Array, dim: int) -> bool:
    """Whether the library is the faster."""
    return (
        x.dtype is FLOAT32
        and x.size >= SMALL
        and x.ndim > 0
        and dim in (-1, x.ndim - 1)
        and x.shape[-1] >= SMALL_ROW
    )


def accepts_back(x: Array, result: Array, dim: int) -> bool:
    """Whether the library is the faster."""
    if x.size < SMALL_BACK or result.shape != x.shape:
        return False
    return result.dtype is FLOAT32 and accepts(x, dim)


def softmax(x: Array, dim: int) -> Array:
    """exp(x) over its sum."""
    y = np.empty(x.shape, FLOAT32)
    length = x.shape[-1]
    programs("softmax", x.size // length, length)[0].run(plain(x), y)
    return plain_kernel("softmax")(x, dim) if np.isnan(y).any() else y


def back_of(kind: str) -> Callable[..., Array]:
    """The kernel of a gradient."""
    op = f"{kind}_back"
    looks = kind == "log_softmax"  # the library's exp makes infinity of NaN

    def back(x: Array, result: Array, dim: int) -> Array:
        g, result = plain(x), plain(result)
        if looks and np.isnan(result).any():
            return plain_kernel(op)(g, result, dim)
        found = np.empty(x.shape, FLOAT32)
        length = x.shape[-1]
        programs(kind, x.size // length, length)[1].run(g, result, found)
        return found

    return back


def plain_kernel(op: str) -> Any:
    """The backend's own kernel."""
    return get_backend("numpy").find_kernel(op)


def give(kernels: Overrides) -> None:
    """Add the kernels of softmax."""
    kernels.add("softmax", accepts=accepts)(softmax)
    for kind in KINDS:
        kernels.add(f"{kind}_back", accepts=accepts_back)(back_of(kind))
