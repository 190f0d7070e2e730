"""Reductions over dimensions.

`ufunc.reduce` is what NumPy's functions and methods end in, without the 300 to 3000
ns of Python around it. It takes a dtype's own type as the result's; 16-bit floats are
added up in 32 bits, since ml_dtypes' bfloat16 would lose all beyond 256.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _whole(x: Any, dim: tuple[int, ...]) -> Any:
    """What NumPy means by PyTorch's `dim`, where that is () or `x` has none."""
    if x.ndim == 0 and not _all_in(dim, (0, -1)):
        raise IndexError(
            f"Dimension out of range (expected to be in range of [-1, 0], got {dim})"
        )
    return None


def _all_in(values: tuple[int, ...], allowed: tuple[int, ...]) -> bool:
    """Whether `allowed` has all the values."""
    return set(values) <= set(allowed)


def sum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The sum."""
    if dim.__class__ is tuple and not (dim and x.ndim):
        dim = _whole(x, dim)
    if x.itemsize == 2 and x.dtype.kind in "fV":
        return np.add.reduce(x.astype(np.float32), dim, None, None, keepdim).astype(
            x.dtype
        )
    return np.add.reduce(x, dim, x.dtype, None, keepdim)


def mean(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The mean."""
    if dim.__class__ is tuple and not (dim and x.ndim):
        dim = _whole(x, dim)
    kind = x.dtype.kind
    if kind not in "fcV":
        raise RuntimeError(
            "could not infer output dtype: the mean of integers is none; give "
            "dtype=, or cast with .float()"
        )
    if x.itemsize == 2:
        return mean(x.astype(np.float32), dim, keepdim).astype(x.dtype)
    y = np.add.reduce(x, dim, None, None, keepdim)
    y /= _count(x, y)
    return y


def _count(x: Any, y: Any) -> int:
    """How many elements of `x` went into each of `y`."""
    return x.size // y.size if y.size else 1


def prod(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The product."""
    if dim.__class__ is tuple:
        raise TypeError("argument 'dim' must be one int; call prod once for each")
    return np.multiply.reduce(x, dim, x.dtype, None, keepdim)


def var(x: Any, dim: Any = None, correction: float = 1, keepdim: bool = False) -> Any:
    """The variance."""
    if dim.__class__ is tuple and not (dim and x.ndim):
        dim = _whole(x, dim)
    kind = x.dtype.kind
    if kind not in "fcV":
        raise RuntimeError(
            "var and std only support floating point and complex dtypes; cast with "
            ".float()"
        )
    if x.itemsize == 2:
        return var(x.astype(np.float32), dim, correction, keepdim).astype(x.dtype)
    m = np.add.reduce(x, dim, None, None, True)
    n = _count(x, m)
    d = x - m / n
    if kind == "c":
        d = (d * d.conj()).real
    else:
        d *= d
    y = np.add.reduce(d, dim, None, None, keepdim)
    y /= max(n - correction, 0)
    return y


def std(x: Any, dim: Any = None, correction: float = 1, keepdim: bool = False) -> Any:
    """The standard deviation."""
    return np.sqrt(var(x, dim, correction, keepdim))


def all(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether all are true."""
    if dim.__class__ is tuple and not (dim and x.ndim):
        dim = _whole(x, dim)
    y = np.logical_and.reduce(x, dim, bool, None, keepdim)
    return y.astype(np.uint8) if x.dtype == np.uint8 else y


def any(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Whether any is true."""
    if dim.__class__ is tuple and not (dim and x.ndim):
        dim = _whole(x, dim)
    y = np.logical_or.reduce(x, dim, bool, None, keepdim)
    return y.astype(np.uint8) if x.dtype == np.uint8 else y


def count_nonzero(x: Any, dim: Any = None) -> Any:
    """How many are not zero."""
    if dim.__class__ is tuple and not (dim and x.ndim):
        dim = _whole(x, dim)
    if x.ndim == 0:  # count_nonzero would take any dimension
        return np.asarray(np.add.reduce(x != 0, dim, np.int64))
    return np.asarray(np.count_nonzero(x, dim), np.int64)
