"""Every op of a backend beside NumPy's: what differs, in cells of op x dtype."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

import plugrad
from plugrad import engine, selection
from plugrad.interface import OPS
from plugrad.samples import tensors_in
from plugrad.testing import TOLERANCES, Make, samples_of

FLOATS = (plugrad.float64, plugrad.float32)
NAMES = [n for n, op in OPS.items() if not op.body.__module__.startswith("plugrad.nn")]
DTYPES = (*FLOATS, plugrad.int64, plugrad.bool, plugrad.complex128)


def run_cell(backend, name, dtype, seed=0, most=None):
    """(differences, how many calls both made, whether NumPy makes any)."""
    op, differences, both, wanted = OPS[name], [], 0, 0
    engine.COMPLEX[0] = dtype.kind == "c"
    makes = [Make(dtype, each, seed=seed) for each in (backend, "numpy")]
    for sample, other in zip(*(samples_of(op, make)[:most] for make in makes)):
        ours, numpys = result(op, sample), result(op, other)
        wanted += not isinstance(numpys, Exception)
        text = difference(ours, numpys)
        if text:
            differences.append((dtype.name, sample.kind, text))
        elif not isinstance(numpys, Exception):
            both += 1
    return differences, both, wanted


def result(op, sample):
    """The outputs of a call as arrays, then the gradients of its inputs; or the
    exception, which a lazy backend may raise when it computes."""
    inputs = tensors_in(sample)
    for t in inputs:
        t.grad = None  # samples may share their tensors
    try:
        outputs = tensors_in([op.function(*sample.args, **sample.kwargs)])
        found = [array_of(t) for t in outputs]
        roots = [t for t in outputs if t.requires_grad]
        if roots:
            plugrad.autograd.backward(roots, [ramp(t) for t in roots])
        wanted = {id(t): t for t in inputs if t.requires_grad}.values()
        return found + [None if t.grad is None else array_of(t.grad) for t in wanted]
    except Exception as error:
        return error


def array_of(t):
    return np.asarray(t._k.to_numpy(t._a))


def ramp(t):
    """A gradient for an output: other numbers at each element."""
    n = t.shape.numel()
    make = Make(t.dtype, t._k, requires_grad=False)
    values = [0.5 + i / max(n, 1) for i in range(n)]
    return make.tensor(make.shaped(values, tuple(t.shape), t.dtype))


def difference(ours, numpys):
    """How a result differs from NumPy's, or None."""
    refused = [isinstance(each, Exception) for each in (ours, numpys)]
    if all(refused):
        return None
    if any(refused):
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
    """A result or an exception, shortened."""
    if isinstance(value, Exception):
        return f"{type(value).__name__}: {str(value)[:150]}"
    return repr(value)[:200]


@contextmanager
def registered(k):
    """A backend that is known while a test runs, and not after."""
    plugrad.register_backend(k.name, lambda: k)
    try:
        yield plugrad.get_backend(k.name)
    finally:
        del selection._factories[k.name], selection._loaded[k.name]
