"""Padding: layers, all modes and sizes, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.same import cases, same

SHAPES = {1: (2, 3, 4), 2: (2, 1, 4, 3), 3: (1, 2, 3, 2, 3)}
UNEVEN = {1: (2, 0), 2: (1, 2, 0, 1), 3: (1, 0, 1, 1, 2, 1)}

LAYERS = []
for kind, dims in itertools.product(
    ("Circular", "Constant", "Reflection", "Replication", "Zero"), (1, 2, 3)
):
    more = (3.5,) if kind == "Constant" else ()
    shape, name = SHAPES[dims], f"{kind}Pad{dims}d"
    LAYERS += [
        Layer(name, (1, *more), inputs=[shape]),
        Layer(name, (UNEVEN[dims], *more), inputs=[shape]),
        Layer(name, ([-1, 1] + [0, 0] * (dims - 1), *more), inputs=[shape]),
        Layer(name, (1, *more), inputs=[shape[1:]]),
        Layer(name, (0, *more), inputs=[(0, *shape[1:])]),
    ]
LAYERS += [
    Layer("ConstantPad1d", kwargs={"padding": (1, 2), "value": -1}, inputs=[(3,)]),
    Layer("ConstantPad2d", kwargs={"padding": -1, "value": 2}, inputs=[(4, 3)]),
    Layer("ZeroPad2d", kwargs={"padding": (1, -1, -1, 2)}, inputs=[(2, 3)]),
    Layer("ReflectionPad2d", kwargs={"padding": 2}, inputs=[(1, 3, 3)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


def ramp(m, *shape, dtype="float32"):
    data = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    return m.tensor(data.tolist(), dtype=getattr(m, dtype)).reshape(shape)


def padded(*shape, pad, dtype="float32", **options):
    """A call of `pad` on a ramp, by either library."""
    return lambda m: m.nn.functional.pad(ramp(m, *shape, dtype=dtype), pad, **options)


SIZES = [
    ((3,), (1, 2)),
    ((3,), (-1, 2)),
    ((3,), (-2, -2)),
    ((3,), (-4, 2)),
    ((3,), (1,)),
    ((3,), (1, 2, 3, 4)),
    ((3,), ()),
    ((), ()),
    ((), (1, 1)),
    ((1, 3), (1, 2)),
    ((1, 1, 3), (1, 2)),
    ((1, 1, 3), (3, 2)),
    ((1, 1, 3), (4, 0)),
    ((1, 1, 3), (-1, 2)),
    ((1, 1, 3), (2, -1)),
    ((1, 1, 3), (-2, -2)),
    ((1, 4), (-2, 2)),
    ((1, 4), (-2, 3)),
    ((1, 3, 3), (1, 1, 1, 1)),
    ((3, 3), (1, 1, 1, 1)),
    ((2, 2, 2, 2), (1, 1, 1, 1, 1, 1)),
    ((2, 2, 2, 2, 2), (1, 1, 1, 1, 1, 1)),
    ((2, 2, 2, 2, 2), (1, 1, 1, 1)),
    ((0, 1, 3), (1, 1)),
    ((0, 3), (1, 1)),
    ((1, 0, 3), (1, 1)),
    ((1, 1, 0), (1, 1)),
    ((1, 2, 3), [1, 1]),
    ((1, 2, 3), (1, 1, 1, 1, 1, 1)),
    ((1, 2, 3), (1.0, 1)),
    ((1, 2, 3), 1),
    ((1, 2, 3), None),
]
MODES = ("constant", "reflect", "replicate", "circular")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "pad"), SIZES)
def test_sizes(shape, pad, mode):
    same(padded(*shape, pad=pad, mode=mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "dtype", ["bool", "uint8", "int64", "float16", "float64", "complex64"]
)
def test_dtypes(mode, dtype):
    def call(m):
        x = ramp(m, 2, 2, 3).to(getattr(m, dtype))
        return m.nn.functional.pad(x, (1, 2), mode)

    same(call)


@cases(
    padded(2, pad=(1, 1), value=2.5),
    padded(2, pad=(1, 1), value=2),
    padded(2, pad=(1, 1), value=None),
    padded(2, pad=(1, 1), value=float("inf")),
    padded(2, pad=(1, 1), value=float("nan")),
    padded(2, pad=(1, 1), value=1j),
    padded(2, pad=(1, 1), value=2.5, dtype="int32"),
    padded(2, pad=(1, 1), value=float("inf"), dtype="int32"),
    padded(2, pad=(1, 1), value=2.5, dtype="bool"),
    padded(2, pad=(1, 1), value=2.5, dtype="complex64"),
    padded(1, 2, pad=(1, 1), mode="reflect", value=2.0),
    padded(1, 2, pad=(1, 1), mode="reflect", value=0.0),
    padded(1, 2, pad=(1, 1), mode="symmetric"),
    lambda m: m.nn.functional.pad([1, 2], (1, 1)),
    lambda m: m.nn.CircularPad1d(1)(ramp(m, 3)),
    lambda m: m.nn.CircularPad2d(1)(ramp(m, 3, 3)),
    lambda m: m.nn.CircularPad3d(1)(ramp(m, 3, 3, 3)),
    lambda m: m.nn.ReflectionPad1d(1)(ramp(m, 3)),
    lambda m: m.nn.ReflectionPad1d((1, 1, 1))(ramp(m, 2, 3)),
    lambda m: m.nn.ZeroPad1d((1, 2)).padding,
)
def test_calls(call):
    same(call)


def test_what_comes_is_no_view():
    x = plugrad.zeros(2, 3)
    for mode in MODES:
        plugrad.nn.functional.pad(x, (0, 0), mode).fill_(1.0)
    assert (x == 0).all()


@pytest.mark.parametrize("mode", MODES)
def test_strided_inputs(mode):
    """A transposed input, and one that repeats itself in memory."""
    for change in (lambda x: x.transpose(1, 3), lambda x: x[:, :1].expand(2, 3, 4, 5)):
        x = np.arange(120.0).reshape(2, 3, 4, 5)
        ours, theirs = plugrad.tensor(x), torch.tensor(x)
        found = [
            m.nn.functional.pad(change(t), (1, 2, 2, 1), mode)
            for m, t in ((plugrad, ours), (torch, theirs))
        ]
        assert np.array_equal(found[0].numpy(), found[1].numpy())
