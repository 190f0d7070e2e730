"""The largest and smallest elements, and where they are."""

from __future__ import annotations

from typing import Any

import numpy as np


def _checked(x: Any, dim: Any) -> Any:
    """`dim` for NumPy, once it is sure that there is an element to choose."""
    if dim.__class__ is tuple and not (dim and x.ndim):
        if any(d not in (0, -1) for d in dim):
            raise IndexError(
                f"Dimension out of range (expected to be in [-1, 0], but got {dim})"
            )
        dim = None
    if not x.size:
        dims = range(x.ndim) if dim is None else dim if type(dim) is tuple else (dim,)
        if any(not x.shape[d] for d in dims):
            raise IndexError(
                f"expected the reduction dim to have non-zero size, but the input has "
                f"shape {list(x.shape)}; the extreme of no elements is not defined"
            )
    if x.dtype.kind == "c":
        raise RuntimeError("not implemented for complex numbers, which have no order")
    return dim


def amax(x: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The largest elements."""
    return np.maximum.reduce(x, _checked(x, dim), None, None, keepdim)


def amin(x: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The smallest elements."""
    return np.minimum.reduce(x, _checked(x, dim), None, None, keepdim)


def max(x: Any, dim: int, keepdim: bool = False) -> Any:
    """The largest elements along `dim`, and where they are."""
    _checked(x, dim)
    values = np.maximum.reduce(x, dim, None, None, keepdim)
    return values, x.argmax(dim, keepdims=keepdim)


def min(x: Any, dim: int, keepdim: bool = False) -> Any:
    """The smallest elements along `dim`, and where they are."""
    _checked(x, dim)
    values = np.minimum.reduce(x, dim, None, None, keepdim)
    return values, x.argmin(dim, keepdims=keepdim)


def argmax(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Where the largest element is."""
    _ordered(x, dim)
    return x.argmax(dim, keepdims=keepdim)


def argmin(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Where the smallest element is."""
    _ordered(x, dim)
    return x.argmin(dim, keepdims=keepdim)


def _ordered(x: Any, dim: Any) -> None:
    """Raise for what has no largest element."""
    if x.dtype.kind in "bc":
        raise NotImplementedError(f"not implemented for {x.dtype}")
    _checked(x, dim)
