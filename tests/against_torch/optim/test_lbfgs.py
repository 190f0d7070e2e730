"""L-BFGS beside torch's, on functions that are hard to go down."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.optim.both import (
    LIBRARIES,
    arrays,
    assert_close,
    assert_same_error,
    tensors,
)


def rosenbrock(m, x):
    return ((1 - x[:-1]) ** 2 + 100 * (x[1:] - x[:-1] ** 2) ** 2).sum()


def bowl(m, x):
    scale = m.tensor([1.0, 10.0, 100.0, 1000.0], dtype=x.dtype)
    return (scale * x * x).sum() / 2


def wavy(m, x):
    return (m.sin(3 * x) + 0.1 * x * x).sum() + m.exp(-x[0])


def flat(m, x):
    return (x**4).sum() + (x[0] - x[1]) ** 2


class Problem:
    def __init__(self, m, f, **options):
        start = [-1.2, 1.0, 0.7, -0.4]
        self.x = m.tensor(start, dtype=m.float64, requires_grad=True)
        self.optimizer = m.optim.LBFGS([self.x], **options)
        self.m, self.f, self.calls = m, f, 0

    def closure(self):
        self.calls += 1
        self.optimizer.zero_grad()
        loss = self.f(self.m, self.x)
        loss.backward()
        return loss

    def run(self, steps):
        return [self.optimizer.step(self.closure).item() for _ in range(steps)]


WOLFE = {"line_search_fn": "strong_wolfe"}
OPTIONS = [
    {"lr": 1e-3},
    {"lr": np.array(1e-3), "max_iter": 4},
    WOLFE,
    {**WOLFE, "max_iter": 3, "history_size": 2},
    {**WOLFE, "lr": 1e-3, "max_iter": 7, "max_eval": 9},
    {**WOLFE, "max_eval": 1},
    {**WOLFE, "tolerance_grad": 1e-2, "tolerance_change": 1e-3},
]


def both(f, options):
    return [
        Problem(
            m,
            f,
            **{
                k: m.tensor(v) if k == "lr" and not isinstance(v, float) else v
                for k, v in options.items()
            },
        )
        for m in LIBRARIES
    ]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("f", [rosenbrock, bowl, wavy, flat])
def test_the_same_way_down(f, options):
    """Losses, places, and how often the function was asked for; to fewer digits where a
    hundred iterations have multiplied the last one."""
    ours, theirs = both(f, options)
    assert_close(ours.run(3), theirs.run(3), 1e-6, 1e-9)
    assert_close(arrays(ours.x), arrays(theirs.x), 1e-6, 1e-6)
    assert ours.calls == theirs.calls


@pytest.mark.parametrize("options", [WOLFE, {**WOLFE, "history_size": 3}], ids=str)
def test_it_gets_to_a_minimum(options):
    """Where the gradient vanishes and all curvatures are positive."""
    ours = Problem(plugrad, rosenbrock, **options)
    ours.run(5)
    x = ours.x.detach()
    gradient = plugrad.autograd.functional.jacobian(lambda x: rosenbrock(0, x), x)
    np.testing.assert_allclose(arrays(gradient), np.zeros(4), atol=1e-3)
    curvature = plugrad.autograd.functional.hessian(lambda x: rosenbrock(0, x), x)
    assert (np.linalg.eigvalsh(arrays(curvature)) > 0).all()


@pytest.mark.parametrize("options", [{"lr": 1e-3}, {**WOLFE, "max_iter": 5}], ids=str)
def test_states_are_exchanged(options):
    ours, theirs = both(rosenbrock, options)
    ours.run(2), theirs.run(2)
    a = copy.deepcopy(arrays(ours.optimizer.state_dict()))
    b = copy.deepcopy(arrays(theirs.optimizer.state_dict()))
    keys = set(b["state"][0])
    assert set(a["state"][0]) | {"al"} == keys | {"al"}  # a scratch list, not kept here
    ours.optimizer.load_state_dict(b)
    theirs.optimizer.load_state_dict(tensors(torch, a))
    assert_close(ours.run(2), theirs.run(2), 1e-8)
    assert_close(arrays(ours.x), arrays(theirs.x), 1e-8)
    copied = copy.deepcopy((ours.x, ours.optimizer))
    expected = ours.run(1)
    ours.x, ours.optimizer = copied
    assert_close(ours.run(1), expected, 0, 0)


def test_several_parameters():
    """One has no gradient, one none in some steps, one is complex."""

    def run(m):
        x = m.tensor([1.0, 2.0], dtype=m.float64, requires_grad=True)
        z = m.tensor([[1.0 + 2.0j]], dtype=m.complex128, requires_grad=True)
        unused = m.ones(3, dtype=m.float64, requires_grad=True)
        optimizer = m.optim.LBFGS([x, z, unused], **WOLFE)

        def closure():
            optimizer.zero_grad()
            loss = ((x - z.real) ** 4).sum() + (z.abs() ** 2).sum() + x[0] ** 2
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(2)]
        return losses, arrays([x, z, unused])

    assert_close(run(plugrad), run(torch), 1e-6, 1e-6)


def test_errors():
    def other_search(m):
        Problem(m, bowl, line_search_fn="other").run(1)

    assert_same_error(other_search)
