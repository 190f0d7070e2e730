"""Norms of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from .reduce import sum as _sum


def vector_norm(x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """(abs(x) ** ord).sum(dim) ** (1 / ord)."""
    kind = x.dtype.kind
    if kind not in "fVc":
        raise RuntimeError(
            "linalg.vector_norm: expected a floating point or complex tensor as input; "
            "give dtype=, or cast with .float()"
        )
    if x.itemsize == 2:
        y = vector_norm(x.astype(np.float32), ord, dim, keepdim)
        return y.astype(x.dtype)
    if ord == 2 and kind != "c":
        return np.sqrt(_sum(x * x, dim, keepdim))
    size = np.abs(x)
    if abs(ord) == float("inf"):
        extreme = np.maximum if ord > 0 else np.minimum
        return extreme.reduce(size, dim if x.ndim else None, None, None, keepdim)
    if ord == 0:
        size = (size != 0).astype(size.dtype)
    elif ord != 1:
        size **= ord
    total = _sum(size, dim, keepdim)
    return total if ord in (0, 1) else total ** (1 / ord)
