"""Pooling: layers over each option, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.nn.layers import In, Layer, check
from tests.against_torch.same import cases, same

SHAPES = {1: (2, 3, 9), 2: (2, 3, 7, 8), 3: (2, 2, 4, 5, 4)}
SMALL = {1: (1, 2, 7), 2: (1, 2, 5, 4), 3: (1, 1, 3, 4, 3)}


def zeros_and_ties(*shape):
    """What relu gives: many equal elements."""
    return lambda rng: np.maximum(np.round(rng.standard_normal(shape)), 0)


LAYERS = []
for d in (1, 2, 3):
    big, small = SHAPES[d], SMALL[d]
    windows = [
        ({"kernel_size": 2}, big),
        ({"kernel_size": 3, "stride": 2}, small),
        ({"kernel_size": 2, "stride": 3}, small),
        ({"kernel_size": 3, "stride": 1, "padding": 1}, small),
        ({"kernel_size": 2, "stride": 2, "ceil_mode": True}, small),
        ({"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}, small),
        ({"kernel_size": (2,) * d, "stride": (1,) * d, "padding": (1,) * d}, small),
        ({"kernel_size": 1}, small),
        ({"kernel_size": 1, "stride": 2}, small),
    ]
    for options, shape in windows:
        LAYERS.append(Layer(f"MaxPool{d}d", kwargs=options, inputs=[shape]))
        with_indices = {**options, "return_indices": True}
        LAYERS.append(Layer(f"MaxPool{d}d", kwargs=with_indices, inputs=[shape]))
        LAYERS.append(Layer(f"AvgPool{d}d", kwargs=options, inputs=[shape]))
        inside = {**options, "count_include_pad": False}
        LAYERS.append(Layer(f"AvgPool{d}d", kwargs=inside, inputs=[shape]))
        if "padding" not in options:
            norm = {**options, "norm_type": 2}
            if isinstance(options["kernel_size"], tuple):
                continue
            # powers are compared away from zero, where the gradient has a kink
            LAYERS.append(
                Layer(f"LPPool{d}d", kwargs=norm, inputs=[shape], smooth=False)
            )
    LAYERS += [
        Layer(f"MaxPool{d}d", (2, 1, 1, 2), inputs=[small]),
        Layer(f"MaxPool{d}d", (2, 2, 0, 1, True, True), inputs=[small]),
        Layer(f"MaxPool{d}d", (2,), inputs=[zeros_and_ties(*big)], smooth=False),
        Layer(f"MaxPool{d}d", (3, 1, 1), inputs=[zeros_and_ties(*big)], smooth=False),
        Layer(f"MaxPool{d}d", (2,), inputs=[big[1:]]),
        Layer(f"MaxPool{d}d", (2,), inputs=[(0, *big[1:])]),
        Layer(f"AvgPool{d}d", (2,), inputs=[big[1:]]),
        Layer(f"AvgPool{d}d", (2,), inputs=[(0, *big[1:])]),
        Layer(f"LPPool{d}d", (1, 2), inputs=[zeros_and_ties(*big)], smooth=False),
        Layer(f"LPPool{d}d", (3.0, 2, 1, True), inputs=[big], smooth=False),
        Layer(f"LPPool{d}d", (float("inf"), 2), inputs=[big]),
        Layer(f"LPPool{d}d", (-float("inf"), 2), inputs=[big]),
    ]
    if d > 1:
        kwargs = {"kernel_size": 3, "stride": 2, "padding": 1, "divisor_override": 5}
        LAYERS.append(Layer(f"AvgPool{d}d", kwargs=kwargs, inputs=[small]))
        kwargs |= {"ceil_mode": True, "divisor_override": -2}
        LAYERS.append(Layer(f"AvgPool{d}d", kwargs=kwargs, inputs=[small]))
    sizes = [1, 2, 3, (2,) * d, 10 if d < 3 else 6]
    if d > 1:
        sizes += [(None, *range(2, d + 1)), (3, None, 2)[:d], (2, *small[3:])]
    for size in sizes:
        LAYERS += [
            Layer(f"AdaptiveAvgPool{d}d", (size,), inputs=[small]),
            Layer(f"AdaptiveMaxPool{d}d", (size,), inputs=[small]),
            Layer(f"AdaptiveMaxPool{d}d", (size, True), inputs=[small]),
        ]
    for kind in ("Avg", "Max"):
        name = f"Adaptive{kind}Pool{d}d"
        LAYERS += [
            Layer(name, (3,), inputs=[big[1:]]),
            Layer(name, (3,), inputs=[(0, *big[1:])]),
            Layer(name, (1,), inputs=[(0, *big[1:])]),
        ]
    LAYERS.append(
        Layer(f"AdaptiveMaxPool{d}d", (3,), inputs=[zeros_and_ties(*big)], smooth=False)
    )


def samples(*shape):
    values = np.random.default_rng(1).random(shape)
    return In(lambda m: m.tensor(values.tolist(), dtype=m.float64))


for d, shape in ((2, (2, 3, 7, 8)), (3, (1, 2, 6, 6, 7))):
    name = f"FractionalMaxPool{d}d"
    for options in (
        {"kernel_size": 2, "output_size": 4},
        {"kernel_size": 3, "output_size": (2, 3, 4)[:d]},
        {"kernel_size": (1, 2, 3)[:d], "output_ratio": 0.5},
        {"kernel_size": 2, "output_ratio": (0.5, 0.6, 0.7)[:d]},
        {"kernel_size": 2, "output_size": 1, "return_indices": True},
        {"kernel_size": 2, "output_size": 3, "return_indices": True},
    ):
        given = {**options, "_random_samples": samples(*shape[:2], d)}
        LAYERS.append(
            Layer(name, kwargs=given, inputs=[shape], dtypes=("float64",), higher=False)
        )


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


def ramp(m, *shape, dtype="float32"):
    """Numbers that go up and down."""
    values = np.arange(np.prod(shape, dtype=int)) * 7 % 11
    return m.tensor(values.reshape(shape).tolist(), dtype=getattr(m, dtype)).reshape(
        shape
    )


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("unbatched", [False, True])
@pytest.mark.parametrize("more", [0, 1, "whole"])
def test_unpooling(d, unbatched, more):
    def call(m):
        x = ramp(m, *SHAPES[d]).requires_grad_()
        y = x[0] if unbatched else x
        values, indices = (
            m.nn.MaxPool2d(2, return_indices=True)(y)
            if d == 2
            else (getattr(m.nn, f"MaxPool{d}d")(2, return_indices=True)(y))
        )
        size = None
        if more:
            size = [2 * n + more if more == 1 else 2 * n for n in values.shape[-d:]]
            size = [*y.shape[:-d], *size] if more == "whole" and not unbatched else size
        back = getattr(m.nn, f"MaxUnpool{d}d")(2)(values, indices, size)
        (back * back).sum().backward()
        return back.detach(), x.grad

    same(call)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_unpooling_prints(d):
    layers = [
        getattr(m.nn, f"MaxUnpool{d}d")(3, stride=2, padding=1)
        for m in (plugrad, torch)
    ]
    assert repr(layers[0]) == repr(layers[1])
    for m in (plugrad, torch):
        for name in (f"FractionalMaxPool{d}d",) if d > 1 else ():
            assert repr(getattr(m.nn, name)(2, 3)) == f"{name}()"


def image(m, dtype="float32"):
    return ramp(m, 2, 3, 8, 8, dtype=dtype)


def line(m, dtype="float32"):
    return ramp(m, 3, 4, 8, dtype=dtype)


def function(name, make, *args, **kwargs):
    return lambda m: getattr(m.nn.functional, name)(make(m), *args, **kwargs)


def part(make, *index):
    return lambda m: make(m)[index]


@cases(
    function("max_pool2d", image, 3, ceil_mode=True, return_indices=True),
    function("max_pool2d_with_indices", image, 3),
    function("max_pool1d_with_indices", line, 3),
    function("max_pool3d_with_indices", image, 2),
    function("adaptive_max_pool2d_with_indices", image, 3),
    function("max_pool2d", image, 3, padding=2),
    function("max_pool2d", image, 0),
    function("max_pool2d", image, 2, stride=0),
    function("max_pool2d", image, 9),
    function("max_pool2d", image, (2, 2, 2)),
    function("max_pool2d", image, (2,)),
    function("max_pool2d", image, [2, 3]),
    function("max_pool2d", image, 2, dilation=0),
    function("max_pool2d", image, 2, padding=-1),
    function("max_pool2d", image, 2, stride=()),
    function("max_pool2d", image, 2.0),
    function("max_pool2d", part(image, 0, 0), 2),
    function("max_pool2d", part(image, slice(0)), 2),
    function("max_pool2d", part(image, slice(1), slice(0)), 2),
    function("max_pool2d", part(image, 0, slice(1), slice(0)), 2),
    function("max_pool2d", lambda m: image(m, "int32"), 2),
    function("max_pool2d", lambda m: image(m, "uint8"), 3, padding=1),
    function("max_pool2d", lambda m: image(m, "bool"), 2),
    function("max_pool2d", lambda m: image(m, "complex64"), 2),
    function("max_pool2d", lambda m: image(m, "float16"), 2),
    function("max_pool2d", lambda m: [[1.0]], 2),
    function("max_pool1d", line, 2),
    function("max_pool1d", part(line, 0), 2),
    function("max_pool1d", part(line, 0, 0), 2),
    function("max_pool1d", line, (2, 2)),
    function("max_pool1d", line, 2, padding=2),
    function("max_pool1d", line, 2, stride=0),
    function("max_pool1d", line, -1),
    function("max_pool1d", line, 9),
    function("max_pool3d", image, 2, return_indices=True),
    function("max_pool3d", line, 2),
    function("avg_pool2d", image, 2, padding=2),
    function("avg_pool2d", image, 0),
    function("avg_pool2d", image, 2, divisor_override=0),
    function("avg_pool2d", image, 2, divisor_override=-3),
    function("avg_pool2d", image, 9),
    function("avg_pool2d", part(image, slice(1), slice(0)), 2),
    function("avg_pool2d", lambda m: image(m, "int32"), 2),
    function("avg_pool2d", lambda m: image(m, "bool"), 2),
    function("avg_pool2d", lambda m: image(m, "float16"), 2),
    function("avg_pool1d", line, (2, 2)),
    function("avg_pool1d", part(line, 0, 0), 2),
    function("avg_pool1d", line, 2, padding=2),
    function("adaptive_avg_pool2d", image, 3),
    function("adaptive_avg_pool2d", image, (3,)),
    function("adaptive_avg_pool2d", image, (0, 2)),
    function("adaptive_avg_pool2d", image, (-1, 2)),
    function("adaptive_avg_pool2d", image, (2, 2, 2)),
    function("adaptive_avg_pool2d", image, None),
    function("adaptive_avg_pool2d", image, 2.5),
    function("adaptive_avg_pool2d", part(image, 0, 0), 2),
    function("adaptive_avg_pool2d", lambda m: image(m, "int64"), 2),
    function("adaptive_avg_pool2d", part(image, 0, slice(1), slice(0)), 2),
    function("adaptive_avg_pool1d", line, (2, 2)),
    function("adaptive_avg_pool1d", line, None),
    function("adaptive_avg_pool1d", part(line, 0, 0), 2),
    function("adaptive_max_pool2d", lambda m: image(m, "int32"), 3),
    function("adaptive_max_pool2d", image, (0, 3)),
    function("adaptive_max_pool1d", line, 0),
    function("adaptive_avg_pool1d", line, 0),
    function("adaptive_avg_pool3d", image, (2, 0, 3)),
    function("adaptive_max_pool2d", part(image, slice(1), slice(0)), 3),
    function("adaptive_max_pool1d", part(line, 0, 0), 3),
    function("adaptive_max_pool2d", image, (3,)),
    function("lp_pool2d", image, 0, 2),
    function("lp_pool2d", image, 2, (2, 3), stride=1),
    function("fractional_max_pool2d", image, 3),
    function("fractional_max_pool2d", image, 3, output_size=7),
    function("fractional_max_pool3d", image, 2, output_size=4),
    lambda m: tuple(m.nn.functional.fractional_max_pool2d(image(m), 3, 6).shape),
    lambda m: m.nn.functional.fractional_max_pool2d(image(m)[:, :, :3, :3], 3, 1),
    lambda m: m.nn.FractionalMaxPool2d(3),
    lambda m: m.nn.FractionalMaxPool2d(3, 2, 0.5),
    lambda m: m.nn.FractionalMaxPool2d(3, output_ratio=1.5),
    lambda m: m.nn.FractionalMaxPool3d(0, 2),
    lambda m: list(m.nn.FractionalMaxPool2d(3, 2).state_dict()),
)
def test_calls(call):
    same(call)


def unpool(*, change=lambda m, v, i: (v, i), **kwargs):
    def call(m):
        values, indices = m.nn.functional.max_pool2d(image(m), 2, return_indices=True)
        return m.nn.functional.max_unpool2d(*change(m, values, indices), 2, **kwargs)

    return call


@cases(
    unpool(),
    unpool(output_size=(9, 9)),
    unpool(output_size=(2, 3, 9, 9)),
    unpool(output_size=(12, 9)),
    unpool(output_size=(9, 9, 9)),
    unpool(stride=3),
    unpool(change=lambda m, v, i: (v, i + 40)),
    unpool(change=lambda m, v, i: (v, i - 30)),
    unpool(change=lambda m, v, i: (v, i.int())),
    unpool(change=lambda m, v, i: (v, i[0])),
    unpool(change=lambda m, v, i: (v[0], i[0])),
    unpool(change=lambda m, v, i: (v[0, 0], i[0, 0])),
    unpool(change=lambda m, v, i: (v.int(), i)),
)
def test_unpooling_calls(call):
    same(call)


SPECIAL = [
    [1.0, np.nan, 2.0, 3.0],
    [np.nan, 5.0, np.nan, 1.0],
    [-np.inf, -np.inf, np.inf, np.inf],
    [-np.inf, -np.inf, 0.0, np.inf],
]


@pytest.mark.parametrize("padding", [0, 1])
def test_infinities_and_nan(padding):
    """The last NaN of a window is the largest; where all is -inf it is the first."""

    def call(m):
        x = m.tensor([SPECIAL], requires_grad=True)
        y = m.nn.functional.max_pool2d(x, 2, padding=padding)
        y.sum().backward()
        found = m.nn.functional.max_pool2d(x, 2, padding=padding, return_indices=True)
        return y.detach(), x.grad, found[0].detach(), found[1]

    same(call)


def test_random_windows_differ():
    """Without samples each call draws; windows stay inside and in order."""
    x = plugrad.arange(40.0).expand(1, 2, 40, 40)
    plugrad.manual_seed(0)
    first, second = (plugrad.nn.FractionalMaxPool2d(2, 17)(x) for _ in range(2))
    assert (first != second).any()
    for y in (first, second):
        steps = y[..., 1:] - y[..., :-1]
        assert ((steps >= 2) & (steps <= 3)).all() and (y[..., -1] == 39).all()
