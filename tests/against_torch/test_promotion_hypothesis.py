"""Random operands of the ops of two tensors: dtypes, numbers of dimensions, Python
numbers and shapes, against torch.

Each dtype meets each other with and without dimensions, so what is compared is mostly
the dtype of the result, or the type of the exception.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from plugrad.interface import OPS
from tests.against_torch.operands import (
    BINARY,
    BROADCAST,
    OPERATORS,
    check_operator,
    check_promotion,
    check_shapes,
    forms_of,
    operands,
    scalars,
    small,
    tensors,
)


@pytest.mark.parametrize("name", BINARY)
def test_promotion(name):
    given(operands(OPS[name]))(lambda pair: check_promotion(name, pair))()


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_with_numbers_on_either_side(name):
    @given(tensors(small), scalars, st.sampled_from(forms_of(name)))
    def check(x, number, form):
        check_operator(name, x, number, form)

    check()


@given(st.sampled_from(BROADCAST), mutually_broadcastable_shapes(num_shapes=2))
def test_broadcasting(name, shapes):
    check_shapes(name, *shapes.input_shapes)


sides = array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)


@given(st.sampled_from(BROADCAST), sides, sides)
def test_shapes_that_may_not_broadcast(name, a, b):
    check_shapes(name, a, b)
