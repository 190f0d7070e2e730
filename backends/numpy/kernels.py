"""Kernels that NumPy does better than the default bodies: the name is the op's.

A ufunc stands for itself, with no frame between it and the call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

add = np.add
sub = np.subtract
mul = np.multiply
div = np.true_divide
neg = np.negative
exp = np.exp
log = np.log
tanh = np.tanh
sin = np.sin
cos = np.cos
sqrt = np.sqrt


def add_(x: Any, b: Any, alpha: Any = 1) -> Any:
    """x += alpha * b."""
    return np.add(x, b if alpha == 1 else b * alpha, x)


def sub_(x: Any, b: Any, alpha: Any = 1) -> Any:
    """x -= alpha * b."""
    return np.subtract(x, b if alpha == 1 else b * alpha, x)


_KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "fV",  # ml_dtypes' bfloat16 calls itself V
    "complex floating": "c",
    "numeric": "iufVc",
}


def isdtype(dtype: Any, kind: Any) -> bool:
    """The standard's isdtype, which in NumPy does not know bfloat16."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, each) for each in kind)
    return dtype.kind in _KINDS[kind] if isinstance(kind, str) else dtype == kind


def matmul(a: Any, b: Any) -> Any:
    """`a @ b`; for matrices `dot` costs 280 ns where `np.matmul` costs 770."""
    return a.dot(b) if a.ndim == 2 == b.ndim else np.matmul(a, b)


def sum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The reduction itself, without the 700 ns of `np.sum` around it."""
    return np.add.reduce(x, dim, None, None, keepdim)


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """A view with steps of 0; small ones are filled instead, which is faster."""
    count = 1
    for n in shape:
        count *= n
    if count <= 256:
        y = np.empty(shape, x.dtype)
        y[...] = x
        return y
    return np.broadcast_to(x, shape)


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """A view where that is possible, else a copy."""
    return x.reshape(shape)
