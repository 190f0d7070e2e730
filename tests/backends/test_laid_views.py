"""Views where arrays cannot be written: plugrad itself keeps what lies where."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import plugrad
from tests.backends.strict import StrictBackend


class FixedBackend(StrictBackend):
    """The standard's arrays, which nobody writes to."""

    name = "fixed"
    writable = False


@pytest.fixture(scope="module", autouse=True)
def backend():
    plugrad.register_backend("fixed", FixedBackend)


def part(r: Random, n: int) -> int | slice:
    """An index of a dimension of n elements, at times a reversed one."""
    if r.random() < 0.2:
        return r.randrange(-n, n)
    ends = [r.choice([None, r.randrange(-n, n)]) for _ in range(2)]
    return slice(*ends, r.choice([None, 2, -1, -2]))


def program(x, first, second):
    """Two views of one tensor, written one after the other, and a view of a view."""
    v, w = x[first], x[second]
    v.mul_(-2)
    w.add_(100)
    if v.ndim:
        v[::-1].add_(1000)
    return [np.array(each.tolist()) for each in (x, v, w)]


@pytest.mark.parametrize("seed", range(100))
def test_writes_through_views_are_numpys(seed):
    r = Random(seed)
    indices = [(part(r, 4), part(r, 3)) for _ in range(2)]
    x = plugrad.arange(12.0).reshape(4, 3)
    expected = program(x.clone(), *indices)
    for ours, theirs in zip(program(x.to(backend="fixed"), *indices), expected):
        np.testing.assert_array_equal(ours, theirs)


def test_a_reversed_view_is_written_through():
    x = plugrad.zeros(3).to(backend="fixed")
    x[::-1] = plugrad.arange(3.0).to(backend="fixed")
    assert x.tolist() == [2.0, 1.0, 0.0]
