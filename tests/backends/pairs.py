"""Every op of a backend beside NumPy's: what differs, in cells of op x dtype."""

from __future__ import annotations

from contextlib import contextmanager

import plugrad
from plugrad import engine, selection
from plugrad.interface import OPS
from plugrad.testing import Make, samples_of
from tests.backends.compared import difference, result

FLOATS = (plugrad.float64, plugrad.float32)
DTYPES = (*FLOATS, plugrad.int64, plugrad.bool, plugrad.complex128)


def run_cell(backend, name, dtype, seed=0, most=None):
    """(differences, how many calls both made, whether NumPy makes any)."""
    op, differences, both, wanted = OPS[name], [], 0, 0
    engine.COMPLEX[0] = dtype.kind == "c"
    makes = [Make(dtype, each, seed=seed) for each in (backend, "numpy")]
    for sample, other in zip(*(samples_of(op, make)[:most] for make in makes)):
        ours, numpys = computed(op, sample), result(op, other)
        wanted += not isinstance(numpys, Exception)
        text = difference(ours, numpys)
        if text:
            differences.append((dtype.name, sample.kind, text))
        elif not isinstance(numpys, Exception):
            both += 1
    return differences, both, wanted


def computed(op, sample):
    """The result, or the exception, which a lazy backend may raise when it computes."""
    try:
        return result(op, sample)
    except Exception as error:
        return error


@contextmanager
def registered(k):
    """A backend that is known while a test runs, and not after."""
    plugrad.register_backend(k.name, lambda: k)
    try:
        yield plugrad.get_backend(k.name)
    finally:
        del selection._factories[k.name], selection._loaded[k.name]
