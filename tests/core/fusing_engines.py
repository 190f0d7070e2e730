"""Ways to fuse on NumPy's arrays: an interpreter of programs, and Numba's loops."""

from __future__ import annotations

import contextlib
import importlib.util

import numpy as np
import pytest

import plugrad
from plugrad.backends.numpy.kernels import blas

HAS_NUMBA = importlib.util.find_spec("numba") is not None
needs_numba = pytest.mark.skipif(
    not HAS_NUMBA, reason="Numba is absent: pip install 'plugrad[numba]'"
)

OPERATIONS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "neg": np.negative,
    "abs": np.absolute,
    "sqrt": np.sqrt,
    "sign": lambda x: (x > 0).astype(x.dtype) - (x < 0).astype(x.dtype),
    "maximum": np.maximum,
    "minimum": np.minimum,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_not": np.logical_not,
    "where": np.where,
}


def interpreted(program):
    """A program step by step."""
    dtype = np.dtype(program.dtype)

    def compute(arrays, numbers):
        assert len(arrays) == program.arrays and len(numbers) == program.numbers
        assert all(a.ndim == 1 and a.dtype == dtype for a in arrays)
        with np.errstate(all="ignore"):
            values = {f"a{i}": a for i, a in enumerate(arrays)}
            values |= {f"n{i}": dtype.type(x) for i, x in enumerate(numbers)}
            for i, (name, *operands) in enumerate(program.steps):
                values[f"v{i}"] = OPERATIONS[name](*(values[x] for x in operands))
            made = [np.copy(values[value]) for _, value in program.writes]
        for (i, _), each in zip(program.writes, made, strict=True):
            arrays[i][...] = each

    return compute


@contextlib.contextmanager
def fusing(engine):
    """Have NumPy's backend fuse by one of them; the programs that it is given."""
    programs = []
    counting = plugrad.Overrides("counting", backend="numpy")
    make = interpreted
    if engine == "numba":
        from plugrad.plugins.numba.loops import loop as make

    @counting.add("fuse")
    def fuse(program):
        programs.append(program)
        return make(program)

    with plugrad.use_kernels("numpy", counting):
        yield programs


each_engine = pytest.mark.parametrize(
    "engine", ["interpreted", pytest.param("numba", marks=needs_numba)]
)


def without_blas(monkeypatch):
    """Have NumPy's backend compute operation by operation: its BLAS rounds a product
    and a sum together."""
    monkeypatch.setattr(blas, "functions", dict)


def assert_same_bits(found, expected):
    """Equal elements, NaN where the others have one, and zeros of one sign."""
    np.testing.assert_array_equal(found, expected)
    for part in ("real", "imag"):
        one, other = getattr(found, part), getattr(expected, part)
        assert (np.signbit(one) == np.signbit(other))[one == one].all()
