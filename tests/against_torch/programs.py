"""One program, run by Plugrad and by torch: what comes out must be the same."""

from __future__ import annotations

import functools
import inspect
import math

import numpy as np
import torch

import plugrad
from plugrad import graph


def same(program):
    """A test that runs `program(m)` with m = plugrad and m = torch, and compares the
    results, or the types of the exceptions."""

    @functools.wraps(program)
    def test(**given):
        ours, theirs = outcome(program, plugrad, given), outcome(program, torch, given)
        assert theirs[0] == ours[0], (ours, theirs)
        difference = differ(ours[1], theirs[1])
        assert not difference, f"{difference}\nours:   {ours}\ntorch's: {theirs}"

    signature = inspect.signature(program)  # pytest must not look for a fixture `m`
    kept = list(signature.parameters.values())[1:]
    test.__signature__ = signature.replace(parameters=kept)
    return test


def outcome(program, m, given):
    """("returned", plain values) or ("raised", the exception's type)."""
    if m is plugrad:
        graph.COMPLEX[0] = False  # so that an earlier test does not choose the walk
    try:
        return "returned", plain(program(m, **given))
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        return "raised", builtin(error).__name__


def builtin(error):
    """The built-in type that an exception is."""
    return next(t for t in type(error).__mro__ if t.__module__ == "builtins")


def failure(function, *args, **kwargs):
    """The name of the exception that a call raises, or None; for use in programs."""
    kind, value = outcome(lambda m: ignored(function(*args, **kwargs)), None, {})
    return value if kind == "raised" else None


def ignored(value):
    """None, whatever a call has returned."""


def plain(value):
    """Tensors as dtype, shape and lists, in whatever nests them."""
    if isinstance(value, (plugrad.Tensor, torch.Tensor)):
        x = value.detach()
        return Values(str(x.dtype).rpartition(".")[2], tuple(x.shape), x.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    assert value is None or isinstance(value, (bool, int, float, str, Values)), value
    return value


class Values:
    """What a tensor held."""

    def __init__(self, dtype, shape, numbers):
        self.dtype = dtype
        self.shape = shape
        self.numbers = numbers

    def __repr__(self):
        return f"{self.dtype}{self.numbers}"


def differ(a, b):
    """A short text saying how two plain values differ, or ''."""
    if isinstance(a, Values) and isinstance(b, Values):
        if (a.dtype, a.shape) != (b.dtype, b.shape):
            return f"{a!r} is not {b!r}"
        exact = 1e-5 if a.dtype in ("float32", "complex64") else 1e-11
        return differ_numbers(a.numbers, b.numbers, exact)
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return f"{a!r} is not {b!r}"
        return next(filter(None, map(differ, a, b)), "")
    if isinstance(a, dict) and isinstance(b, dict):
        return differ(sorted(a), sorted(b)) or differ(
            [a[key] for key in sorted(a)], [b[key] for key in sorted(b)]
        )
    return "" if type(a) is type(b) and a == b else f"{a!r} is not {b!r}"


def differ_numbers(a, b, exact):
    if isinstance(a, list):
        return next(
            filter(None, (differ_numbers(x, y, exact) for x, y in zip(a, b))), ""
        )
    if isinstance(a, complex):
        return differ_numbers([a.real, a.imag], [b.real, b.imag], exact)
    close = math.isclose(a, b, rel_tol=exact, abs_tol=exact)
    return "" if close or (a != a and b != b) else f"{a!r} is not {b!r}"


# --- What many programs start from ------------------------------------------------

NOISE = np.random.default_rng(7).normal(size=4096)


def normal(m, *shape, start=0, dtype="float64", requires_grad=False):
    """The same normal numbers in both libraries; another `start` gives others."""
    count = math.prod(shape)
    data = NOISE[start : start + count].reshape(shape)
    made = m.tensor(data.tolist(), dtype=getattr(m, dtype))
    return made.requires_grad_() if requires_grad else made


def descend(m, parameters, rate):
    """One step against the gradients, which are then forgotten."""
    with m.no_grad():
        for p in parameters:
            p -= rate * p.grad
            p.grad = None
