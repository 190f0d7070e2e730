"""Triangles and diagonals of matrices."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np


@lru_cache(64)
def _lower(rows: int, columns: int, diagonal: int) -> Any:
    """Where the lower triangle is; causal masks ask for the same one in every step."""
    return np.tri(rows, columns, diagonal, bool)


def _triangle(x: Any, diagonal: int, lower: bool) -> Any:
    """One triangle of matrices."""
    if x.ndim < 2:
        raise RuntimeError(
            f"input tensor must have at least 2 dimensions, but has shape "
            f"{list(x.shape)}"
        )
    rows, columns = x.shape[-2:]
    make = _lower if rows * columns <= 65536 else _lower.__wrapped__
    if lower:
        return np.where(make(rows, columns, diagonal), x, x.dtype.type(0))
    return np.where(make(rows, columns, diagonal - 1), x.dtype.type(0), x)


def tril(x: Any, diagonal: int = 0) -> Any:
    """The lower triangles."""
    return _triangle(x, diagonal, True)


def triu(x: Any, diagonal: int = 0) -> Any:
    """The upper triangles."""
    return _triangle(x, diagonal, False)


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """A view, which NumPy's own would not let be written."""
    n = x.ndim or 1
    for dim in (dim1, dim2):
        if not -n <= dim < n:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], "
                f"but got {dim})"
            )
    if dim1 % n == dim2 % n:
        raise RuntimeError(
            f"diagonal dimensions cannot be identical, but both are {dim1} ({dim2})"
        )
    y = x.diagonal(offset, dim1, dim2)
    y.flags.writeable = x.flags.writeable
    return y


def put_diagonal(x: Any, shape: Any, offset: int, dim1: int, dim2: int) -> Any:
    """Zeros of a shape whose diagonals hold `x`."""
    y = np.zeros(shape, x.dtype)
    diagonal(y, offset, dim1, dim2)[...] = x
    return y
