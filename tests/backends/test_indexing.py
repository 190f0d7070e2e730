"""Indexing where arrays make no views and the standard's functions are all there is."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
from plugrad.tensor import wrap
from tests.backends.strict import strict_backend

PROGRAMS = """
x[1:3] = 2
x[0] = y[1]
x[:, 1] = y[:, 0]
x[::2, None, 1] = y[:2, :1]
x[1, 2] = y[0, 0]
x[[0, 2]] = y[:2]
x[[0, 2]] += y[[0, 2]]
x[:, [1]] = y[:, :1]
x[x > 0] = 0
x[y > 0] = y[y > 0]
x[...] = y
x[-1:, ::-1] = y[:1]
x = x[2] + y[0, ::-1]
x = x[:, [0, 2, 0]]
x = x[[0, 1], [2, 0]]
x = x[None, ..., 0]
""".split("\n")[1:-1]


def run(program, k):
    rng = np.random.default_rng(0)

    def leaf():
        array = k.from_data(rng.standard_normal((4, 3)).tolist(), k.float64)
        return wrap(k, array).requires_grad_()

    a, b = leaf(), leaf()
    names = {"x": a * 1, "y": b * 1}
    exec(program, names)
    x = names["x"]
    gradients = plugrad.autograd.grad((x * x).sum(), (a, b), allow_unused=True)
    return [k.to_numpy(t._a) for t in (x.detach(), *gradients) if t is not None]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_same_as_on_numpy(program):
    ours = run(program, strict_backend())
    wanted = run(program, plugrad.get_backend("numpy"))
    assert len(ours) == len(wanted)
    for a, b in zip(ours, wanted):
        np.testing.assert_allclose(a, b, rtol=1e-12)
