"""Running sums, products and extremes along a dimension."""

from __future__ import annotations

from typing import Any

import numpy as np


def _accumulated(ufunc: Any, x: Any, dim: int) -> Any:
    """`ufunc.accumulate`, which takes no arrays without dimensions. As PyTorch's, the
    result is contiguous."""
    if x.ndim:
        x = x if x.flags.c_contiguous else np.ascontiguousarray(x)
        return ufunc.accumulate(x, dim, x.dtype)
    return ufunc.accumulate(x.reshape(1), dim, x.dtype).reshape(())


def cumsum(x: Any, dim: int) -> Any:
    """Running sums."""
    return _accumulated(np.add, x, dim)


def cumprod(x: Any, dim: int) -> Any:
    """Running products."""
    return _accumulated(np.multiply, x, dim)


def logcumsumexp(x: Any, dim: int) -> Any:
    """Running log(sum(exp(x)))."""
    if x.dtype.kind not in "fV":
        raise NotImplementedError(
            f"not implemented for {x.dtype}; cast with .float() first"
        )
    return _accumulated(np.logaddexp, x, dim)


def recur(x: Any, factors: Any, dim: int) -> Any:
    """y[i] = x[i] + factors[i] * y[i - 1], step by step."""
    y = np.array(x)
    rows, factors = np.moveaxis(y, dim, 0), np.moveaxis(factors, dim, 0)
    for i in range(1, len(rows)):
        rows[i] += factors[i] * rows[i - 1]
    return y


def cummax(x: Any, dim: int) -> Any:
    """Running maxima and where they last were."""
    return _running(np.maximum, x, dim)


def cummin(x: Any, dim: int) -> Any:
    """Running minima and where they last were."""
    return _running(np.minimum, x, dim)


def _running(ufunc: Any, x: Any, dim: int) -> tuple[Any, Any]:
    """Running extremes: their places are the last ones where the element is the
    extreme so far, or NaN."""
    if x.dtype.kind == "c":
        raise RuntimeError("not implemented for complex numbers, which have no order")
    if not x.ndim:
        y, i = _running(ufunc, x.reshape(1), dim)
        return y.reshape(()), i.reshape(())
    y = _accumulated(ufunc, x, dim)
    new = x == y
    if x.dtype.kind in "fV":
        new |= np.isnan(x)
    shape = [1] * x.ndim
    shape[dim] = x.shape[dim]
    places = np.arange(x.shape[dim]).reshape(shape)
    return y, np.maximum.accumulate(np.where(new, places, 0), dim)
