"""`x[index]` and `x[index] = value`, against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import plugrad
from tests.against_torch.index_cases import (
    SIDES,
    array,
    assignments,
    cases,
    check_double,
    check_get,
    check_memory,
    check_negative_steps,
    check_set,
    modes,
    negative,
    numbers,
    outcome,
    same_exception,
)

PROFILE = settings(max_examples=400, deadline=None)


@PROFILE
@given(cases())
def test_get(case):
    check_get(case)


@PROFILE
@given(cases())
def test_get_shares_memory_where_torch_does(case):
    check_memory(case)


@PROFILE
@given(cases())
def test_gradients_of_gradients(case):
    check_double(case)


@PROFILE
@given(negative)
def test_negative_steps_are_numpys(index):
    check_negative_steps(index)


@PROFILE
@given(assignments(), st.booleans(), modes)
def test_set(case, integers, mode):
    check_set(case, integers, mode)


@pytest.mark.parametrize("index", [(slice(1, 3),), ([0, 2],), ([True, False, True],)])
def test_set_then_use_twice(index):
    """The part that was written and the rest get their gradients, to second order."""
    found = []
    for side in SIDES:
        x = side.tensor(numbers((3, 2)), requires_grad=True)
        v = side.tensor(numbers((2, 2), 1), requires_grad=True)
        y = x * x
        view = y[0]
        y[index] = v * v
        z = (y * y).sum() + (view * y[1]).sum()
        first = side.autograd.grad(z, (x, v), create_graph=True)
        second = side.autograd.grad(sum((g * g).sum() for g in first), (x, v))
        found.append([array(each) for each in (*first, *second)])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    "program",
    [
        "x[x > 0] = 0",
        "x[1:3] = 2",
        "x[[0, 2]] += y[[0, 2]]",
        "x[:, 1] *= y[:, 0]",
        "x[1] -= 1",
        "x[...] = y",
        "x[:] = 1.5",
        "x[0, 1] = y[2, 1]",
        "x[None, 0] = y[1:2]",
        "x[True] = y[0]",
        "x[::2][1:] = 7",
        "x.T[0] = y[:, 1]",
        "x[0][1] = y[0].sum()",
        "x[y > 0] = y[y > 0]",
    ],
)
def test_programs(program):
    found = []
    for side in SIDES:
        a = side.tensor(numbers((4, 2)), requires_grad=True)
        b = side.tensor(numbers((4, 2), 1), requires_grad=True)
        names = {"x": a * 1, "y": b * 1}
        exec(program, names)
        (names["x"] * names["x"]).sum().backward()
        zeros = np.zeros((4, 2))
        grads = [zeros if t.grad is None else array(t.grad) for t in (a, b)]
        found.append([array(names["x"]), *grads])
    for ours, theirs in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize(
    "program",
    [
        "torch.zeros(3)[1.5]",
        "torch.zeros(3)['a']",
        "torch.zeros(3)[torch.zeros(2)]",
        "torch.zeros(3)[4]",
        "torch.zeros(3)[0, 0]",
        "torch.zeros(())[0]",
        "torch.zeros(3)[[7]]",
        "torch.zeros(3, 4)[[0, 1], [0, 1, 2]]",
        "torch.zeros(3)[::0]",
        "torch.zeros(3)[1.0:2]",
        "torch.zeros(3).__setitem__(slice(0, 2), torch.zeros(3))",
        "torch.zeros(3).__setitem__(5, 1.0)",
        "torch.zeros(3, requires_grad=True).__setitem__(0, 1.0)",
        "torch.zeros(3).__setitem__(0, 1j)",
        "torch.zeros(3).__setitem__([0, 1], torch.zeros(3))",
    ],
)
def test_exceptions(program):
    ours, theirs = (
        outcome(lambda: eval(program, {"torch": side}))  # noqa: B023
        for side in SIDES
    )
    assert same_exception(ours, theirs)


def test_nested_lists_are_tuples_as_in_torch():
    x, t = plugrad.arange(12).reshape(3, 4), torch.arange(12).reshape(3, 4)
    ours = x[[[0, 1], [1, 2]]]
    theirs = outcome(lambda: t[[[0, 1], [1, 2]]])
    assert ours.tolist() == theirs.tolist()


def test_an_element_is_a_view_too():
    x = plugrad.tensor([1.0, 2.0])
    x[1].add_(1)
    assert x.tolist() == [1.0, 3.0]


def test_index_tensor_written_before_backward_is_an_error():
    for side in SIDES:
        x = side.tensor([1.0, 2.0, 3.0], requires_grad=True)
        where = side.tensor([0, 2])
        y = x[where].sum()
        where += 0
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.backward()


def test_foreign_values():
    """Scalars and arrays of NumPy are cast as they need to be; lists are no values."""
    for value in (np.float32(2), np.float64(2), np.int64(2), np.array(2.0), np.ones(2)):
        x = plugrad.zeros(3)
        x[[0, 2]] = value
        assert x.tolist() == [*np.broadcast_to(value, 2)[:1], 0, np.max(value)]
        assert x.dtype is plugrad.float32
    for value in ([1, 2, 3], (1, 2, 3), "abc", None):
        for side in SIDES:
            with pytest.raises(TypeError):
                side.zeros(3)[:] = value
