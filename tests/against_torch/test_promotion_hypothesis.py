"""Random operands of the ops of two tensors: dtypes, numbers of dimensions, Python
numbers and shapes, against torch.

Each dtype meets each other with and without dimensions, so what is compared is mostly
the dtype of the result, or the type of the exception.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

import plugrad
from plugrad.backend import OPS
from plugrad.dtypes import BY_NAME
from tests.against_torch.bridge import to_torch
from tests.against_torch.test_ops import (
    EXPECTED,
    compare,
    gradients,
    not_written,
    oracle,
    outcome,
)

BINARY = [
    name
    for name, op in OPS.items()
    if op.promote in ("same", "float")
    and op.oracle is not None
    and len(op.tensors) == len(op.params)
    and len(op.tensors) == 2
    and any(p.scalar for p in op.tensors)
]
BINARY = sorted({*BINARY, "add", "sub", "rsub", "div"})  # these have keywords, too
NAMES = [each.name for each in plugrad.get_backend("numpy").by_dtype]

scalars = st.sampled_from([True, False, 0, 1, 2, 1.5, 2.0, 1j, 2 + 1j])


@st.composite
def tensors(draw, shapes):
    """A tensor of ones and twos, which every dtype holds."""
    dtype = BY_NAME[draw(st.sampled_from(NAMES))]
    shape = draw(shapes)
    values = np.arange(int(np.prod(shape))).reshape(shape) % 2 + 1
    return plugrad.tensor(values.tolist(), dtype=dtype)


small = st.sampled_from([(), (), (2,), (1, 2), (0,)])


@st.composite
def operands(draw, op):
    """Two operands, of which a Python number may be one."""
    pair = [draw(tensors(small)), draw(tensors(small))]
    i = draw(st.sampled_from([None, 0, 1]))
    if i is not None and op.tensors[i].scalar:
        pair[i] = draw(scalars)
    return pair


def known(name, pair):
    """Whether differences.txt has the sample of a tensor and a number."""
    for x, value in (pair, pair[::-1]):
        if not isinstance(value, plugrad.Tensor):
            number = True if value is False else value  # the samples have but True
            kind = f"scalar {number} {list(x.shape)}"
            return EXPECTED.covers(name, x.dtype.name, kind)
    return False


@pytest.mark.parametrize("name", BINARY)
def test_promotion(name):
    op = OPS[name]

    @given(operands(op))
    def check(pair):
        assume(not known(name, pair))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            args = to_torch(tuple(pair), {})
            theirs = outcome(oracle(op)[0], args, {})
            assume(not not_written(theirs))
            ours = outcome(op.function, pair, {})
        assert compare(ours, theirs) is None, (pair, compare(ours, theirs))

    check()


OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"]
OPERATORS += [
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
]


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_with_numbers_on_either_side(name):
    """`x + 2` and `2 + x`: the values, dtypes and exceptions."""
    forms = [f"__{name}__", f"__r{name}__"]
    forms = [form for form in forms if hasattr(torch.Tensor, form)]

    @given(tensors(small), scalars, st.sampled_from(forms))
    def check(x, number, form):
        assume(not known(name, (x, number)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = outcome(getattr(torch.Tensor, form), (to_torch(x, {}), number), {})
            assume(not not_written(theirs))
            ours = outcome(getattr(plugrad.Tensor, form), (x, number), {})
        if theirs is NotImplemented or ours is NotImplemented:
            assert ours is theirs, (x, number, form)
            return
        text = compare(ours, theirs)
        assert text is None, (x, number, form, text)

    check()


def compare_shapes(name, a, b):
    """Compare values and gradients for two shapes."""
    op = OPS[name]
    rng = np.random.default_rng(0)
    pair = [
        plugrad.tensor(rng.uniform(1, 2, shape), requires_grad=True) for shape in (a, b)
    ]
    memo = {}
    args = to_torch(tuple(pair), memo)
    theirs = outcome(oracle(op)[0], args, {})
    ours = outcome(op.function, pair, {})
    text = compare(ours, theirs)
    assert text is None, (a, b, text)
    if isinstance(ours, plugrad.Tensor):
        text = gradients(ours, theirs, list(zip(pair, args)))
        assert text is None, (a, b, text)


BROADCAST = ["add", "mul", "sub", "div", "pow"]


@given(st.sampled_from(BROADCAST), mutually_broadcastable_shapes(num_shapes=2))
def test_broadcasting(name, shapes):
    compare_shapes(name, *shapes.input_shapes)


@given(
    st.sampled_from(BROADCAST),
    array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
def test_shapes_that_may_not_broadcast(name, a, b):
    compare_shapes(name, a, b)
