"""One call of an op on two backends: its results and gradients, and how they differ."""

from __future__ import annotations

import numpy as np

import plugrad
from plugrad.samples import tensors_in
from plugrad.testing import TOLERANCES, Make


def result(op, sample):
    """The outputs of a call as arrays, then the gradients of its inputs; or the
    exception."""
    for t in tensors_in(sample):
        t.grad = None  # samples may share their tensors
    try:
        y = op.function(*sample.args, **sample.kwargs)
    except Exception as error:
        return error
    outputs = tensors_in([y])
    wanted = {id(t): t for t in tensors_in(sample) if t.requires_grad}.values()
    found = [np.asarray(t._k.to_numpy(t._a)) for t in outputs]
    roots = [t for t in outputs if t.requires_grad]
    if roots:
        try:
            plugrad.autograd.backward(roots, [ramp(t) for t in roots])
        except Exception as error:
            return error
    for x in wanted:
        g = x.grad
        found.append(None if g is None else np.asarray(g._k.to_numpy(g._a)))
    return found


def ramp(t):
    """A gradient for an output: other numbers at each element."""
    n = t.shape.numel()
    make = Make(t.dtype, t._k, requires_grad=False)
    values = [0.5 + i / max(n, 1) for i in range(n)]
    return make.tensor(make.shaped(values, tuple(t.shape), t.dtype))


def difference(ours, numpys):
    """How a result differs from NumPy's, or None."""
    if isinstance(numpys, Exception) and isinstance(ours, Exception):
        return None  # both refuse; how NumPy's does is compared with torch
    if isinstance(numpys, Exception) or isinstance(ours, Exception):
        return f"{shown(ours)}; NumPy: {shown(numpys)}"
    if len(ours) != len(numpys):
        return f"{len(ours)} arrays; NumPy: {len(numpys)}"
    for a, b in zip(ours, numpys):
        if a is None or b is None:
            if a is not b:
                return f"{shown(a)}; NumPy: {shown(b)}"
            continue
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"{a.dtype}{a.shape}; NumPy: {b.dtype}{b.shape}"
        rtol, atol = TOLERANCES.get(a.dtype.name, (0, 0))
        if not np.allclose(a, b, rtol, atol, equal_nan=True):
            return f"{shown(a)}; NumPy: {shown(b)}"
    return None


def shown(value):
    if isinstance(value, Exception):
        return f"{type(value).__name__}: {str(value)[:150]}"
    return repr(value)[:200]
