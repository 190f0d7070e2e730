"""Ops that once were wrong in 16 bits or in unsigned integers; the campaign `ops` runs
all ops in all dtypes.

ml_dtypes' bfloat16 times a Python float is float32, and float16 ends at 65504.
"""

from __future__ import annotations

import warnings

import pytest
import torch

import plugrad
from tests.against_torch.forms import COMPARED, run_op
from tests.campaigns.ops import unexpected
from tests.expected import report

DTYPES = [plugrad.uint8, plugrad.int8, plugrad.float16, plugrad.bfloat16]
NAMES = """
    addcdiv addcmul celu complex deg2rad elu erf erfc erfinv exp2 gelu hardshrink
    hardsigmoid hardswish hardtanh leaky_relu log10 log2 logaddexp2 logit maximum
    minimum mish nan_to_num polar rad2deg rsqrt selu silu softplus softshrink
    std threshold var vector_norm
""".split()


@pytest.mark.parametrize("name", NAMES)
def test_op(name):
    assert name in COMPARED
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        differences, count = run_op(name, DTYPES)
    wrong = unexpected(name, differences)
    assert not wrong, f"{len(wrong)} differences\n{report(wrong)}"
    assert count >= 10


def test_silu_keeps_its_digits_where_numbers_are_large():
    found = []
    for m in (plugrad, torch):
        x = m.tensor([1e3, 1e6, -1e6, 3e30, 17.0], requires_grad=True)
        m.nn.functional.silu(x).sum().backward()
        found.append(x.grad.tolist())
    assert found[0] == pytest.approx(found[1], rel=1e-6)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8"])
def test_softmax_takes_no_integers(name, dtype):
    for m in (plugrad, torch):
        with pytest.raises(NotImplementedError):
            getattr(m, name)(m.ones(2, dtype=getattr(m, dtype)), 0)


@pytest.mark.parametrize("value", [-1, -2, 127, 128, 255, 256, -255, -256, 1.5, -0.5])
@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_addcmul_of_integers_and_numbers_that_may_not_fit(dtype, value):
    found = []
    for m in (plugrad, torch):
        x = m.tensor([1, 2], dtype=getattr(m, dtype))
        try:
            found.append(m.addcmul(x, x, x, value=value).tolist())
        except RuntimeError:
            found.append("RuntimeError")
    assert found[0] == found[1]
