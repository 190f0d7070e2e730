"""Run one function with `torch` and with `plugrad`, and compare.

A function takes the module: what it returns, or the type of what it raises, has to be
the same. `cases` makes a test of each of many such functions.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch

import plugrad

DTYPES = """bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16
    float32 float64 complex64 complex128""".split()
SHAPES = [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (1, 4, 1)]


def plain(value):
    """A result of either library in words that both share."""
    if isinstance(value, (torch.Tensor, plugrad.Tensor)):
        kind = type(value).__name__
        return (
            kind,
            name(value.dtype),
            tuple(value.shape),
            value.requires_grad,
            (plain(value.detach().tolist())),
        )
    if isinstance(value, (torch.dtype, plugrad.dtype)):
        return name(value)
    if isinstance(value, (torch.Size, plugrad.Size)):
        return "Size", tuple(value)
    if isinstance(value, np.ndarray | np.generic):
        return "NumPy", type(value).__name__, value.dtype.name, plain(value.tolist())
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float):
        near = 0.0 if abs(value) < 1e-7 else value
        return "float", "nan" if math.isnan(value) else f"{near:.5g}"
    if isinstance(value, complex):
        return "complex", plain(value.real), plain(value.imag)
    if isinstance(value, str):
        return value.replace("torch.", "plugrad.")
    if type(value).__name__ in ("device", "layout", "memory_format"):
        return repr(value).replace("torch.", "plugrad.")
    return type(value).__name__, value


def name(dtype):
    return str(dtype).rpartition(".")[2]


def outcome(call, module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(call(module))
        except Exception as error:
            return error


def same(call):
    expected, found = outcome(call, torch), outcome(call, plugrad)
    if isinstance(expected, Exception):
        assert isinstance(found, type(expected)), (expected, found)
    else:
        assert found == expected


def cases(*calls):
    """Parametrize over functions of the module; the id is their place in the list."""
    return pytest.mark.parametrize("call", calls, ids=range(len(calls)))


def x(m, *shape, dtype="float32", requires_grad=False):
    """0, 1, 2, ... in a shape."""
    data = np.arange(math.prod(shape)).reshape(shape)
    made = m.tensor(data.tolist(), dtype=getattr(m, dtype)).reshape(shape)
    return made.requires_grad_() if requires_grad else made


def grown(m):
    """A tensor that was computed from one that requires a gradient."""
    return x(m, 2, 3, requires_grad=True) * 2


def noted(m, kind=lambda m, t: t):
    t = kind(m, x(m, 2, 3)).requires_grad_()
    t.note = [1]
    t.grad = m.ones(2, 3)
    return t
