"""Index expressions that Hypothesis makes up, and `x[index]` and `x[index] = value`
with them in both libraries.

Values, shapes, exceptions and gradients are compared with torch's. Negative steps,
which torch refuses, are compared with NumPy's.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from hypothesis import strategies as st

import plugrad

SIDES = (plugrad, torch)


# ----------------------------------------------------------------------- indices


class Array:
    """Positions or truths, as a tensor, a NumPy array or a list."""

    def __init__(self, values, form):
        self.values = np.asarray(values)
        self.form = form

    def on(self, side):
        if self.form == "list":
            return self.values.tolist()
        return self.values if self.form == "numpy" else side.tensor(self.values)

    def __repr__(self):
        return f"{self.form}({self.values.dtype}, {self.values.tolist()})"


def built(index, side):
    """An index as one side takes it."""
    if isinstance(index, tuple):
        return tuple(built(each, side) for each in index)
    return index.on(side) if isinstance(index, Array) else index


FORMS = st.sampled_from(["tensor", "tensor", "numpy", "list"])
BOUNDS = st.none() | st.integers(-5, 5)


@st.composite
def entries(draw, shape, dim):
    """(an entry of an index, how many dimensions it takes)."""
    n = shape[dim] if dim < len(shape) else 2
    kind = draw(
        st.sampled_from("int int slice slice slice mask array array scalar".split())
    )
    if kind == "int":
        return draw(st.integers(-n - (n == 0), n if draw(st.booleans()) else n - 1)), 1
    if kind == "slice":
        return slice(draw(BOUNDS), draw(BOUNDS), draw(st.none() | st.integers(1, 3))), 1
    if kind == "scalar":
        return Array(np.int64(draw(st.integers(-1, max(n - 1, 0)))), "tensor"), 1
    if kind == "mask":
        width = draw(st.integers(1, max(1, min(2, len(shape) - dim))))
        size = shape[dim : dim + width] or (2,)
        count = int(np.prod(size))
        truths = draw(st.lists(st.booleans(), min_size=count, max_size=count))
        if width == 1 and draw(st.integers(0, 9)) == 0:
            truths, size = [*truths, True], (count + 1,)
        form = draw(FORMS) if width == 1 and count else "tensor"
        return Array(np.array(truths, dtype=bool).reshape(size), form), width
    size = draw(st.sampled_from([(1,), (2,), (2,), (3,), (2, 1), (2, 2), (0,)]))
    low = 0 if n == 0 else -n
    numbers = st.integers(low, max(n - 1, 0) if draw(st.integers(0, 9)) else n)
    count = int(np.prod(size))
    values = draw(st.lists(numbers, min_size=count, max_size=count))
    form = draw(FORMS) if len(size) == 1 and count else "tensor"
    return Array(np.array(values, dtype=np.int64).reshape(size), form), 1


@st.composite
def cases(draw):
    """(a shape, an index for it)."""
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=0, max_size=4)))
    found, dim, dots = [], 0, False
    for _ in range(draw(st.integers(0, len(shape) + 1))):
        choice = draw(st.integers(0, 11))
        if choice == 0:
            found.append(None)
        elif choice == 1 and not dots:
            dots = True
            found.append(...)
            dim = draw(st.integers(dim, max(dim, len(shape))))
        elif choice == 2:
            found.append(draw(st.booleans()))
        else:
            entry, width = draw(entries(shape, dim))
            dim += width
            found.append(entry)
    if len(found) == 1 and draw(st.booleans()):
        return shape, found[0]
    return shape, tuple(found)


def outcome(function):
    """What a call returns, or the exception that it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function()
        except Exception as error:
            return error


def array(x):
    return x.detach().numpy()


def same_exception(ours, theirs):
    """Whether both sides raised, and ours is what a handler for theirs catches. Where
    nothing is picked torch does not look whether positions are in range; we do."""
    if isinstance(ours, IndexError) and getattr(theirs, "shape", (1,)).count(0):
        return True
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        assert isinstance(theirs, Exception), f"torch raises nothing: {ours!r}"
        wanted = next(c for c in type(theirs).__mro__ if c.__module__ == "builtins")
        assert isinstance(ours, wanted), f"{ours!r} where torch raises {theirs!r}"
        return True
    return False


def numbers(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


# ------------------------------------------------------------------------ getting


def check_get(case):
    shape, index = case
    results = []
    for side in SIDES:
        x = side.tensor(numbers(shape), requires_grad=True)
        results.append((x, outcome(lambda: x[built(index, side)])))  # noqa: B023
    (x, ours), (t, theirs) = results
    if same_exception(ours, theirs):
        return
    assert tuple(ours.shape) == tuple(theirs.shape), (ours.shape, theirs.shape)
    np.testing.assert_array_equal(array(ours), array(theirs))
    g = numbers(tuple(theirs.shape), 1)
    for y, side in ((ours, plugrad), (theirs, torch)):
        y.backward(side.tensor(g))
    np.testing.assert_allclose(array(x.grad), array(t.grad), rtol=1e-12, atol=1e-12)


def check_memory(case):
    shape, index = case
    x, t = plugrad.tensor(numbers(shape)), torch.tensor(numbers(shape))
    ours, theirs = (
        outcome(lambda: x[built(index, plugrad)]),
        outcome(lambda: t[built(index, torch)]),
    )
    if isinstance(theirs, Exception) or not theirs.numel():
        return
    shared = theirs.untyped_storage().data_ptr() == t.untyped_storage().data_ptr()
    assert np.shares_memory(array(ours), array(x)) == shared, f"torch shares: {shared}"


def check_double(case):
    shape, index = case
    found = []
    for side in SIDES:
        x = side.tensor(numbers(shape), requires_grad=True)
        y = outcome(lambda: x[built(index, side)])  # noqa: B023
        if isinstance(y, Exception):
            return
        (g,) = side.autograd.grad((y * y * y).sum(), x, create_graph=True)
        (h,) = side.autograd.grad((g * g).sum(), x)
        found.append(array(h))
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-12)


SLICES = st.builds(slice, BOUNDS, BOUNDS, st.sampled_from([None, 1, 2, -1, -2, -3]))
negative = st.lists(SLICES | st.integers(-3, 2), min_size=1, max_size=3)


def check_negative_steps(index):
    values = numbers((3, 4, 3))
    x = plugrad.tensor(values, requires_grad=True)
    y = x[tuple(index)]
    np.testing.assert_array_equal(array(y), values[tuple(index)])
    y.sum().backward()
    wanted = np.zeros_like(values)
    wanted[tuple(index)] = 1
    np.testing.assert_array_equal(array(x.grad), wanted)


# ------------------------------------------------------------------------ setting


def region(case):
    """What torch picks of zeros in a shape, by an index."""
    shape, index, *_ = case
    return outcome(lambda: torch.zeros(shape)[built(index, torch)])


@st.composite
def assignments(draw):
    """(a shape, an index, the shape of the value or None for a number)."""
    shape, index = draw(cases())
    found = region((shape, index))
    if isinstance(found, Exception):
        return shape, index, None
    size = list(found.shape)
    choice = draw(st.integers(0, 6))
    if choice == 0:
        return shape, index, None
    if choice == 1:
        return shape, index, ()
    if choice == 2:
        return shape, index, (1, *size)
    if choice == 3 and size:
        return shape, index, tuple(size[1:])
    if choice == 4 and size:
        at = draw(st.integers(0, len(size) - 1))
        size[at] = draw(st.sampled_from([1, size[at] + 2]))
    return shape, index, tuple(size)


def repeated(index, shape):
    """Whether an index names an element twice: what is written then is not defined."""
    counts = np.arange(int(np.prod(shape))).reshape(shape)
    found = outcome(lambda: torch.tensor(counts)[built(index, torch)])
    found = [] if isinstance(found, Exception) else found.flatten().tolist()
    return len(set(found)) < len(found)


modes = st.sampled_from(["graph", "x", "value", "none"])


def check_set(case, integers, mode):
    shape, index, size = case
    if repeated(index, shape):
        return
    results = []
    for side in SIDES:
        x = side.tensor(numbers(shape), requires_grad=mode in ("graph", "x"))
        y = x * 1
        value = 2.5
        if size is not None:
            value = side.tensor(
                numbers(size, 1), requires_grad=mode in ("graph", "value")
            )
        if integers and mode == "none":
            y = side.tensor((10 * numbers(shape)).astype(np.int64))
        error = outcome(lambda: y.__setitem__(built(index, side), value))  # noqa: B023
        results.append((x, value, y, error))
    (x, v, y, ours), (t, w, u, theirs) = results
    if isinstance(ours, IndexError) and 0 in getattr(region(case), "shape", (1,)):
        return  # as for getting
    if same_exception(ours, theirs):
        return
    np.testing.assert_array_equal(array(y), array(u))
    if not u.requires_grad:
        assert not y.requires_grad, "in torch it requires no gradient"
        return
    g = numbers(shape, 2)
    y.backward(plugrad.tensor(g))
    u.backward(torch.tensor(g))
    for a, b in ((x, t), (v, w)):
        if isinstance(b, torch.Tensor) and b.requires_grad and b.grad is not None:
            np.testing.assert_allclose(array(a.grad), array(b.grad), rtol=1e-12)
