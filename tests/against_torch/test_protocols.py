"""What Python's and NumPy's protocols make of a tensor, beside PyTorch's."""

from __future__ import annotations

import math
import operator

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.same import cases, grown, plain, same, x

# Functions made in a loop are called in its same turn.
# ruff: noqa: B023


@cases(
    *[
        lambda m, f=f, v=v: f(m.tensor(v))
        for f in (bool, float, int, complex, operator.index, len, list, iter)
        for v in (
            *(2, 2.7, True, False, 0.0, -3, 2j, 1 + 0j, math.nan, math.inf),
            *([2], [[2]], [2.5], [], [1, 2], [[1.0], [2.0]], [True], [1j]),
        )
        if f is not iter or isinstance(v, (int, float))
    ],
    *[
        lambda m, v=v, f=f: getattr(m.tensor(v), f)()
        for f in ("item", "tolist", "is_nonzero", "__len__")
        for v in (2, 2.5, True, 1j, [2], [[2.5]], [], [[]], [1, 2], [[1j]])
    ],
    lambda m: x(m, 1, requires_grad=True).item(),
    lambda m: grown(m).tolist(),
    lambda m: float(x(m, 1, requires_grad=True)),
    lambda m: list(x(m, 2, 0)),
    lambda m: list(x(m, 0, 2)),
    lambda m: list(grown(m)),
    lambda m: reversed(x(m, 2, 3)),
    lambda m: reversed(m.tensor(1.0)),
    lambda m: reversed(grown(m)),
    *[
        lambda m, v=v: v in x(m, 2, 3)
        for v in (1, 9, 1.5, True, 2j, np.float32(1), np.int64(9), "a", None, [0, 1, 2])
    ],
    lambda m: m.tensor(1.0) in x(m, 2, 3),
    lambda m: x(m, 2, 3)[1] in x(m, 2, 3),
    lambda m: m.ones(5) in x(m, 2, 3),
    lambda m: np.ones(3) in x(m, 2, 3),
    lambda m: hash(t := m.ones(2)) == hash(t),
    lambda m: len({(t := m.ones(2)): 1, t: 2, m.ones(2): 3}),
    lambda m: [1, 2, 3][m.tensor(1)],
    lambda m: list(range(m.tensor(3))),
    lambda m: "ab" * m.tensor(2),
    lambda m: "add" in dir(m.ones(2)),
    lambda m: setattr(m.ones(2), "note", 1),
)
def test_numbers_and_containers(call):
    same(call)


@pytest.mark.parametrize("value", [1.5, 2, True, [1.5], [[1, 2]]], ids=str)
@pytest.mark.parametrize("spec", ["", ".3f", ">8", "d"])
def test_format(value, spec):
    same(lambda m: format(m.tensor(value), spec))
    same(lambda m: format(m.tensor(1.5, requires_grad=True), spec))
    same(lambda m: str(m.tensor(value)))
    same(lambda m: repr(m.tensor(value)))


@pytest.mark.parametrize("op", "eq ne lt le gt ge add sub mul truediv".split())
def test_operands_that_are_no_numbers(op):
    function = getattr(operator, op)
    for other in (None, "a", [1, 2, 3], (1, 2, 3), object, {}):
        same(lambda m: function(x(m, 3), other))
        same(lambda m: function(other, x(m, 3)))


# --- NumPy


@cases(
    lambda m: np.asarray(x(m, 2, 3)),
    lambda m: np.asarray(x(m, 2, 3), dtype=np.float64),
    lambda m: np.asarray(x(m, 2, 3), dtype="int8"),
    lambda m: np.array(x(m, 2, 3)),
    lambda m: np.array(x(m)),
    lambda m: np.array([m.tensor(1.0), m.tensor(2.0)]),
    lambda m: np.asarray([x(m, 2), x(m, 2)]),
    lambda m: np.asarray(x(m, 2, requires_grad=True)),
    lambda m: np.asarray(grown(m)),
    lambda m: np.asarray(x(m, 2, 2), dtype=np.float64, copy=False),
    lambda m: x(m, 2, 3).numpy(),
    lambda m: x(m, 2, 3, dtype="complex64").t().numpy(),
    lambda m: x(m, 2, 3, requires_grad=True).numpy(),
    lambda m: grown(m).numpy(),
    lambda m: grown(m).numpy(force=True),
    lambda m: grown(m).detach().numpy(),
    lambda m: np.shares_memory((t := x(m, 3)).numpy(), t.numpy()),
    lambda m: np.shares_memory((t := x(m, 3)).numpy(force=True), t.numpy()),
    lambda m: np.shares_memory(np.asarray(t := x(m, 3)), t.numpy()),
    lambda m: np.shares_memory(np.array(t := x(m, 3)), t.numpy()),
    lambda m: np.shares_memory(np.array(t := x(m, 3), copy=None), t.numpy()),
    lambda m: np.shares_memory(np.array((t := x(m, 3))[1:]), t.numpy()),
    lambda m: np.sin(x(m, 3)),
    lambda m: np.sin(x(m, 3, dtype="int64")),
    lambda m: np.sin(x(m)),
    lambda m: np.sin(x(m, 3, requires_grad=True)),
    lambda m: np.add(x(m, 3), x(m, 3)),
    lambda m: np.add(np.ones(3, np.float32), x(m, 3)),
    lambda m: np.divmod(x(m, 3), 2),
    lambda m: np.stack([x(m, 2), x(m, 2)]),
    lambda m: np.concatenate([x(m, 2), np.ones(2, np.float32)]),
    lambda m: np.where(x(m, 3) > 1, x(m, 3), 0.0),
    lambda m: np.dot(x(m, 2, 3), x(m, 3, 2)),
    lambda m: np.ndim(x(m, 2, 3)),
    lambda m: np.shape(x(m, 2, 3)),
    lambda m: np.allclose(x(m, 3), np.arange(3)),
    lambda m: np.linalg.norm(x(m, 3)),
    lambda m: np.copy(x(m, 3)),
    lambda m: np.arange(5)[m.tensor(2)],
    lambda m: np.arange(5)[m.tensor([2, 3])],
    lambda m: np.arange(5)[m.tensor([True, False, True, False, False])],
    lambda m: operator.setitem(a := np.zeros(3, np.float32), slice(None), x(m, 3)) or a,
    lambda m: np.from_dlpack(x(m, 3)),
    lambda m: np.from_dlpack(x(m, 2, 3, dtype="int64").t()),
    lambda m: np.from_dlpack(x(m, 3) > 1),
    lambda m: np.from_dlpack(x(m, 3, requires_grad=True)),
    lambda m: tuple(map(int, x(m, 3).__dlpack_device__())),
    lambda m: type(x(m, 3).__dlpack__(max_version=(1, 0), dl_device=(1, 0))).__name__,
    lambda m: type(x(m, 3).__dlpack__(stream=-1)).__name__,
)
def test_numpy(call):
    same(call)


def test_numpy_without_recording():
    for m in (torch, plugrad):
        with m.no_grad():
            assert x(m, 3, requires_grad=True).numpy().tolist() == [0, 1, 2]


def test_a_tensor_of_an_array_from_dlpack():
    array = np.arange(3.0)
    assert torch.from_dlpack(plugrad.tensor(array)).tolist() == [0, 1, 2]


SCALARS = [
    *(2, 2.5, True, 1j, np.float32(2.5), np.float64(2.5), np.int64(2), np.int8(2)),
    *(np.uint8(3), np.float16(0.5)),
]
OPERATORS = "add sub mul truediv pow floordiv mod eq ne lt le gt ge".split()


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize("scalar", SCALARS, ids=repr)
def test_scalars_on_either_side(op, scalar):
    function = getattr(operator, op)
    if op == "sub" and scalar is True:
        return  # PyTorch refuses to subtract booleans; as an operand, True is 1 here
    for dtype in ("float32", "float64", "int64", "uint8", "complex64"):
        same(lambda m: function(scalar, x(m, 3, dtype=dtype) + 1))
        same(lambda m: function(x(m, 3, dtype=dtype) + 1, scalar))
    if op != "floordiv":  # recorded in PyTorch, but without a derivative
        same(lambda m: function(scalar, x(m, 3, requires_grad=True)))
        same(lambda m: function(x(m, 3, requires_grad=True), scalar))


@pytest.mark.parametrize("op", ["and_", "or_", "xor", "lshift", "rshift", "matmul"])
def test_more_scalars_on_either_side(op):
    function = getattr(operator, op)
    for scalar in (2, np.int64(2)):
        same(lambda m: function(scalar, x(m, 3, dtype="int64")))
        same(lambda m: function(x(m, 3, dtype="int64"), scalar))


# PyTorch refuses most of these; to it, an array is no operand.
@pytest.mark.parametrize("op", OPERATORS)
def test_an_array_on_the_left_is_a_tensor(op):
    function = getattr(operator, op)
    array = np.arange(1.0, 7.0, dtype=np.float32).reshape(2, 3)
    for a in (array, array[0], array.astype(np.float64), np.array(2.0)):
        t = torch.arange(1.0, 4.0, requires_grad=True)
        y = plugrad.arange(1.0, 4.0, requires_grad=True)
        expected, found = function(torch.tensor(a), t), function(a, y)
        if op == "floordiv":
            expected = expected.detach()
        assert plain(found) == plain(expected)
        if expected.requires_grad:
            expected.sum().backward()
            found.sum().backward()
            assert plain(y.grad) == plain(t.grad)
        else:
            assert found.grad_fn is None


def test_an_array_times_a_matrix():
    a = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    w = plugrad.ones(3, 2, requires_grad=True)
    y = a @ w
    y.sum().backward()
    assert w.grad.tolist() == [[3, 3], [5, 5], [7, 7]]
    integers = np.arange(3)
    for op in ("and_", "or_", "xor"):
        function = getattr(operator, op)
        found = function(integers, plugrad.tensor([1, 2, 3]))
        expected = function(torch.tensor(integers), torch.tensor([1, 2, 3]))
        assert plain(found) == plain(expected)


# --- A Python function on every element


@cases(
    lambda m: x(m, 2, 3).apply_(lambda v: v * 3),
    lambda m: x(m, 3, dtype="int64").apply_(lambda v: v + 1),
    lambda m: x(m, 2, 3).t().apply_(lambda v: v + 0.5),
    lambda m: x(m).apply_(lambda v: v + 0.5),
    lambda m: (t := x(m, 4), t[1:].apply_(lambda v: -v))[0],
    lambda m: x(m, 3, requires_grad=True).apply_(lambda v: v),
    lambda m: x(m, 3).apply_(lambda v: "a"),
    lambda m: x(m, 3).apply_(3),
    lambda m: x(m, 3).map_(x(m, 3), lambda a, b: a + 2 * b),
    lambda m: x(m, 2, 3).map_(x(m, 3), lambda a, b: a + 2 * b),
    lambda m: x(m, 3).map_(x(m, 3, dtype="int64"), lambda a, b: a),
    lambda m: x(m, 3).map2_(x(m, 3), x(m, 3), lambda a, b, c: a + b * c),
)
def test_functions_on_elements(call):
    same(call)
