"""Tensors in other dtypes, formats and on devices, beside PyTorch's."""

from __future__ import annotations

import pytest
import torch

import plugrad
from tests.against_torch.same import DTYPES, cases, same, x

# Functions made in a loop are called in its same turn.
# ruff: noqa: B023


# --- Conversions


@pytest.mark.parametrize("source", DTYPES)
def test_to_every_dtype(source):
    for target in DTYPES:
        same(lambda m: x(m, 2, 2, dtype=source).to(getattr(m, target)))
        same(lambda m: (t := x(m, 2, dtype=source)).to(getattr(m, target)) is t)
    names = "float double half bfloat16 long int short char byte bool cfloat cdouble"
    for method in names.split():
        same(lambda m: getattr(x(m, 3, dtype=source), method)())


@cases(
    lambda m: x(m, 2).to(),
    lambda m: x(m, 2).to(m.float64, False, True),
    lambda m: (t := x(m, 2)).to(m.float32, copy=True) is t,
    lambda m: (t := x(m, 2)).to(m.float32, False, True) is t,
    lambda m: (t := x(m, 2)).to("cpu") is t,
    lambda m: (t := x(m, 2)).to(m.device("cpu")) is t,
    lambda m: (t := x(m, 2)).cpu() is t,
    lambda m: (t := x(m, 2)).cpu(memory_format=m.preserve_format) is t,
    lambda m: (t := x(m, 2)).float() is t,
    lambda m: (t := x(m, 2)).to(t) is t,
    lambda m: x(m, 2).to(x(m, 1, dtype="int32")),
    lambda m: x(m, 2).to(x(m, 1, dtype="int32"), non_blocking=True, copy=True),
    lambda m: x(m, 2).type_as(x(m, 1, dtype="int32")),
    lambda m: x(m, 2).to("cpu", m.float64),
    lambda m: x(m, 2).to("cpu", m.float64, True, True),
    lambda m: x(m, 2).to("cpu", None, True),
    lambda m: x(m, 2).to("cpu", dtype=m.int64),
    lambda m: x(m, 2).to(device="cpu", dtype=m.float64, non_blocking=True),
    lambda m: x(m, 2).to(dtype=m.int8, copy=True),
    lambda m: x(m, 2).to(None),
    lambda m: x(m, 2).to(None, m.float64),
    lambda m: x(m, 2).to(float),
    lambda m: x(m, 2).to(int),
    lambda m: x(m, 2).to("foo"),
    lambda m: x(m, 2).to("float64"),
    lambda m: x(m, 2).to([1]),
    lambda m: x(m, 2).to(m.float64, foo=1),
    lambda m: x(m, 2).to(m.float64, dtype=m.float64),
    lambda m: x(m, 2).to(m.float64, False, False, False),
    lambda m: x(m, 2).to(m.float64, "cpu"),
    lambda m: x(m, 2).to("cpu", "cpu"),
    lambda m: x(m, 2).to(m.preserve_format),
    lambda m: x(m, 2).to(memory_format="x"),
    lambda m: x(m, 2).to(m.float64, memory_format=m.preserve_format),
    lambda m: x(m, 2, 3).t().to(m.float64, memory_format=m.contiguous_format).stride(),
    lambda m: x(m, 2, 3).t().double().stride(),
    lambda m: x(m, 2, 3, 4, 5).to(memory_format=m.channels_last),
    lambda m: x(m, 2, 3, 4, 5).to(memory_format=m.channels_last).stride(),
    lambda m: (
        x(m, 2, 3, 4, 5).long().to(m.half, memory_format=m.channels_last).stride()
    ),
    lambda m: x(m, 2, 3, 4, 5).double(memory_format=m.channels_last).stride(),
    lambda m: x(m, 1, 2, 3, 4, 5).to(memory_format=m.channels_last_3d).stride(),
    lambda m: x(m, 2, 3).to(memory_format=m.channels_last),
    lambda m: x(m, 2).double(m.preserve_format),
    lambda m: x(m, 2, requires_grad=True).double(),
    lambda m: x(m, 2, requires_grad=True).int(),
    lambda m: x(m, 2, requires_grad=True).cpu().is_leaf,
    lambda m: x(m, 2, requires_grad=True).to(m.float32, copy=True).is_leaf,
    lambda m: x(m, 2).type("Double"),
    lambda m: x(m, 2).type(f"{m.__name__}.DoubleTensor"),
    lambda m: x(m, 2).type(m.int64),
    lambda m: x(m, 2).type(dtype=m.int64),
    lambda m: x(m, 2).type("foo"),
    lambda m: x(m, 2).type(3),
)
def test_to(call):
    same(call)


def test_gradients_flow_through_to():
    for m in (torch, plugrad):
        t = x(m, 2, 3, 1, 1, requires_grad=True)
        y = t.to(m.float64).to(copy=True, dtype=m.float64)
        (y.to(memory_format=m.channels_last) * 3).sum().backward()
        assert t.grad.dtype is m.float32
        assert t.grad.flatten().tolist() == [3.0] * 6


@pytest.mark.parametrize("device", ["cuda", "cuda:0", 0])
def test_a_device_that_is_not_there(device):
    same(lambda m: x(m, 2).to(0))
    with pytest.raises(RuntimeError, match="'cupy'"):
        plugrad.ones(2).to(device)
    with pytest.raises(RuntimeError, match="'cupy'"):
        plugrad.ones(2).cuda()
