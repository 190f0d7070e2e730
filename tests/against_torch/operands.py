"""Random operands of the ops of two tensors, and what the two libraries make of them.

Each dtype meets each other with and without dimensions, so what is compared is mostly
the dtype of the result, or the type of the exception.
"""

from __future__ import annotations

import warnings

import numpy as np
import torch
from hypothesis import assume
from hypothesis import strategies as st

import plugrad
from plugrad.dtypes import BY_NAME
from plugrad.interface import OPS
from tests.against_torch.bridge import to_torch
from tests.against_torch.forms import (
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


def check_promotion(name, pair):
    """Call an op with two operands."""
    assume(not known(name, pair))
    op = OPS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        args = to_torch(tuple(pair), {})
        theirs = outcome(oracle(op)[0], args, {})
        assume(not not_written(theirs))
        ours = outcome(op.function, pair, {})
    text = compare(ours, theirs)
    assert text is None, (name, pair, text)


OPERATORS = "add sub mul truediv floordiv mod pow matmul and or xor".split()
OPERATORS += "lshift rshift eq ne lt le gt ge".split()


def forms_of(name):
    """The methods of an operator: with the tensor before and after it."""
    forms = [f"__{name}__", f"__r{name}__"]
    return [form for form in forms if hasattr(torch.Tensor, form)]


def check_operator(name, x, number, form):
    """`x + 2` or `2 + x`: the values, dtypes and exceptions."""
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


BROADCAST = ["add", "mul", "sub", "div", "pow"]


def check_shapes(name, a, b):
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
