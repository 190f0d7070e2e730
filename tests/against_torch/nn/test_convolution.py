"""Convolutional layers, and those that fold, beside torch's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import plugrad
from plugrad.testing import TOLERANCES, Make
from tests.against_torch.nn.layers import Layer, check
from tests.backends.strict import strict_backend

X1, X2, X3 = (2, 4, 7), (2, 4, 6, 5), (1, 2, 4, 3, 3)

PLAIN = [
    Layer("Conv1d", (4, 6, 3), inputs=[X1]),
    Layer("Conv1d", (4, 6, 3), inputs=[X1[1:]]),
    Layer("Conv1d", (4, 6, (3,)), {"stride": (2,), "bias": False}, inputs=[X1]),
    Layer("Conv1d", (4, 6, 3), {"padding": 2, "groups": 2}, inputs=[X1]),
    Layer("Conv1d", (4, 6, 4), {"padding": "same", "dilation": 1}, inputs=[X1]),
    Layer("Conv1d", (4, 6, 3), {"padding": "valid", "dilation": 2}, inputs=[X1]),
    Layer("Conv2d", (4, 6, 3), inputs=[X2]),
    Layer("Conv2d", (4, 6, 3), inputs=[X2[1:]]),
    Layer("Conv2d", (4, 6, 3), inputs=[(0, 4, 5, 5)]),
    Layer("Conv2d", (4, 6, 1), inputs=[X2]),
    Layer("Conv2d", (4, 6, 1), {"stride": 2, "groups": 2}, inputs=[X2]),
    Layer("Conv2d", (4, 6, (2, 3)), {"stride": (2, 1)}, inputs=[X2]),
    Layer("Conv2d", (4, 6, (2, 3)), {"padding": (1, 2)}, inputs=[X2]),
    Layer("Conv2d", (4, 6, 2), {"dilation": (2, 3), "padding": 1}, inputs=[X2]),
    Layer("Conv2d", (4, 6, 3), {"groups": 2, "bias": False}, inputs=[X2]),
    Layer("Conv2d", (4, 4, 3), {"groups": 4, "padding": 1}, inputs=[X2]),
    Layer("Conv2d", (4, 8, 3), {"groups": 4, "stride": 2}, inputs=[X2]),
    Layer("Conv2d", (2, 20, 2), {"groups": 2}, inputs=[(2, 2, 3, 3)]),
    Layer("Conv2d", (4, 3, (2, 3)), {"padding": "same"}, inputs=[X2]),
    Layer("Conv2d", (4, 3, 2), {"padding": "same", "dilation": 3}, inputs=[X2]),
    Layer("Conv2d", (4, 3, 3), {"stride": 3, "padding": 2, "dilation": 2}, inputs=[X2]),
    Layer("Conv2d", (1, 1, 2), inputs=[(2, 1, 3, 3)]),
    Layer("Conv3d", (2, 4, 2), inputs=[X3]),
    Layer("Conv3d", (2, 4, 2), inputs=[X3[1:]]),
    Layer("Conv3d", (2, 4, (2, 1, 2)), {"stride": (2, 1, 1), "groups": 2}, inputs=[X3]),
    Layer("Conv3d", (2, 2, 2), {"padding": (1, 0, 1), "dilation": 2}, inputs=[X3]),
    Layer("Conv3d", (2, 2, (2, 3, 2)), {"padding": "same"}, inputs=[X3]),
    Layer("Conv3d", (2, 4, 2), {"bias": False}, inputs=[X3]),
]

AROUND = [
    Layer(f"Conv{n}d", (2, 2, 3), {"padding": p, "padding_mode": mode}, inputs=[x])
    for mode in ("reflect", "replicate", "circular")
    for n, p, x in (
        (1, 2, (2, 2, 5)),
        (2, (1, 2), (1, 2, 4, 4)),
        (2, "same", (1, 2, 4, 4)),
        (2, "valid", (1, 2, 4, 4)),
        (3, 1, (1, 2, 3, 3, 3)),
    )
] + [
    Layer(
        "Conv2d",
        (4, 4, (2, 3)),
        {"padding": "same", "dilation": 2, "groups": 2, "padding_mode": "reflect"},
        inputs=[X2],
    )
]

TRANSPOSED = [
    Layer("ConvTranspose1d", (4, 6, 3), inputs=[(2, 4, 4)]),
    Layer("ConvTranspose1d", (4, 6, 3), inputs=[(4, 4)]),
    Layer("ConvTranspose1d", (4, 6, 3), {"stride": 2}, inputs=[(2, 4, 4)]),
    Layer(
        "ConvTranspose1d",
        (4, 6, 3),
        {"stride": 3, "output_padding": 2, "padding": 1, "groups": 2},
        inputs=[(2, 4, 4)],
    ),
    Layer(
        "ConvTranspose1d", (4, 6, 3), {"dilation": 2, "bias": False}, inputs=[(2, 4, 4)]
    ),
    Layer("ConvTranspose2d", (4, 6, 3), inputs=[(2, 4, 3, 4)]),
    Layer("ConvTranspose2d", (4, 6, 3), inputs=[(0, 4, 3, 4)]),
    Layer("ConvTranspose2d", (4, 6, 3), {"bias": False}, inputs=[(4, 3, 4)]),
    Layer("ConvTranspose2d", (4, 6, 1), {"stride": 2}, inputs=[(2, 4, 3, 4)]),
    Layer("ConvTranspose2d", (4, 6, (2, 3)), {"stride": (3, 2)}, inputs=[(2, 4, 3, 4)]),
    Layer("ConvTranspose2d", (4, 2, 3), {"padding": (2, 1)}, inputs=[(2, 4, 3, 4)]),
    Layer(
        "ConvTranspose2d",
        (4, 6, 3),
        {"stride": 2, "padding": 1, "output_padding": 1, "groups": 2},
        inputs=[(2, 4, 3, 4)],
    ),
    Layer(  # as much output padding as stride, which dilation allows
        "ConvTranspose2d",
        (4, 2, 2),
        {"output_padding": (1, 2), "dilation": 3, "padding": 1},
        inputs=[(2, 4, 3, 2)],
    ),
    Layer("ConvTranspose2d", (4, 4, 3), {"groups": 4}, inputs=[(2, 4, 3, 4)]),
    Layer(
        "ConvTranspose2d", (4, 8, 3), {"groups": 4, "stride": 2}, inputs=[(2, 4, 3, 4)]
    ),
    Layer(
        "ConvTranspose2d",
        (4, 2, 3, 2),
        inputs=[(2, 4, 3, 4)],
        call={"output_size": [8, 9]},
    ),
    Layer(
        "ConvTranspose2d",
        (4, 2, 3),
        {"stride": 2, "dilation": 2, "padding": 1},
        inputs=[(2, 4, 3, 4)],
        call={"output_size": [2, 2, 8, 9]},
    ),
    Layer("ConvTranspose3d", (2, 3, 2), inputs=[(1, 2, 2, 3, 2)]),
    Layer(
        "ConvTranspose3d",
        (2, 4, (1, 2, 3)),
        {"stride": 2, "output_padding": (1, 0, 1), "groups": 2, "padding": (0, 1, 1)},
        inputs=[(2, 2, 3, 2)],
    ),
    Layer(
        "ConvTranspose3d",
        (2, 3, 2),
        {"dilation": (1, 2, 1), "bias": False},
        inputs=[(1, 2, 2, 3, 2)],
    ),
]

FOLDED = [
    Layer("Unfold", (2,), inputs=[X2]),
    Layer("Unfold", ((2, 3),), inputs=[X2[1:]]),
    Layer("Unfold", (2, 2, 1, 3), inputs=[X2]),
    Layer("Unfold", ((3, 2), (1, 2), (0, 2), (2, 1)), inputs=[X2]),
    Layer("Unfold", (2,), inputs=[(0, 4, 3, 3)]),
    Layer("Fold", ((4, 5), 2), inputs=[(2, 12, 12)]),
    Layer("Fold", ((4, 5), 2), inputs=[(12, 12)]),
    Layer("Fold", (6, (2, 3), (2, 1), (1, 0), (2, 3)), inputs=[(2, 6, 6)]),
    Layer("Fold", (4, 2, 1, 2, 3), inputs=[(1, 4, 9)]),
    Layer("Fold", ((4, 5), 2), inputs=[(0, 12, 12)]),
]


@pytest.mark.parametrize("layer", PLAIN + AROUND + TRANSPOSED + FOLDED, ids=str)
def test_layer(layer):
    check(layer, wide=4)


# --- What does not fit ----------------------------------------------------------------

LAYER_ERRORS = {
    "groups": lambda nn: nn.Conv2d(4, 6, 3, groups=0),
    "in": lambda nn: nn.Conv2d(5, 6, 3, groups=2),
    "out": lambda nn: nn.Conv2d(4, 5, 3, groups=2),
    "word": lambda nn: nn.Conv2d(4, 5, 3, padding="most"),
    "strided": lambda nn: nn.Conv2d(4, 5, 3, padding="same", stride=2),
    "mode": lambda nn: nn.Conv2d(4, 5, 3, padding_mode="mirror"),
    "transposed mode": lambda nn: nn.ConvTranspose2d(4, 5, 3, padding_mode="reflect"),
    "keyword": lambda nn: nn.Conv2d(4, 5, 3, steps=2),
}


def raised(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(*args, **kwargs)
        except Exception as error:
            return error
    return None


def assert_alike(ours, theirs):
    """Both raised, and what catches torch's exception catches ours."""
    assert theirs is not None
    kind = next(k for k in type(theirs).__mro__ if k.__module__ == "builtins")
    assert isinstance(ours, kind), f"{ours!r} instead of {theirs!r}"


@pytest.mark.parametrize("make", LAYER_ERRORS.values(), ids=LAYER_ERRORS)
def test_a_layer_that_cannot_be(make):
    assert_alike(raised(make, plugrad.nn), raised(make, torch.nn))


def call(name, *shapes, **kwargs):
    """A call of a function of either library."""

    def function(library):
        tensors = [library.ones(*each) for each in shapes]
        return getattr(library.nn.functional, name)(*tensors, **kwargs)

    return function


X, W, T = (2, 4, 5, 5), (6, 4, 3, 3), (4, 6, 3, 3)
ERRORS = {
    "too few dimensions": call("conv2d", (5, 5), W),
    "too many dimensions": call("conv2d", (1, *X), W),
    "weight": call("conv2d", X, (6, 4, 3)),
    "channels": call("conv2d", (2, 3, 5, 5), W),
    "bias": call("conv2d", X, W, (5,)),
    "bias of two dimensions": call("conv2d", X, W, (6, 1)),
    "kernel": call("conv2d", X, (6, 4, 7, 3)),
    "no kernel": call("conv2d", X, (6, 4, 0, 3)),
    "no output": call("conv2d", X, (0, 4, 3, 3)),
    "no room": call("conv2d", (2, 4, 0, 5), W),
    "negative padding": call("conv2d", X, W, padding=-1),
    "no stride": call("conv2d", X, W, stride=0),
    "no dilation": call("conv2d", X, W, dilation=0),
    "three strides": call("conv2d", X, W, stride=(1, 1, 1)),
    "a fraction": call("conv2d", X, W, stride=1.5),
    "word": call("conv2d", X, W, padding="most"),
    "strided": call("conv2d", X, W, padding="same", stride=2),
    "no groups": call("conv2d", X, W, groups=0),
    "three groups": call("conv2d", X, W, groups=3),
    "odd groups": call("conv2d", X, (5, 2, 3, 3), groups=2),
    "much output padding": call("conv_transpose2d", X, T, stride=2, output_padding=2),
    "negative output padding": call("conv_transpose2d", X, T, output_padding=-1),
    "transposed channels": call("conv_transpose2d", (2, 3, 5, 5), T),
    "transposed bias": call("conv_transpose2d", X, T, (4,)),
    "much padding": call("conv_transpose2d", X, T, padding=4),
    "transposed groups": call("conv_transpose2d", X, T, groups=3),
    "transposed word": call("conv_transpose2d", X, T, padding="same"),
    "large window": call("unfold", X, kernel_size=7),
    "three sizes": call("unfold", X, kernel_size=(1, 1, 1)),
    "unfold stride": call("unfold", X, kernel_size=2, stride=0),
    "unfold channels": call("unfold", (2, 0, 5, 5), kernel_size=2),
    "unfold word": call("unfold", X, kernel_size="a"),
    "windows": call("fold", (2, 16, 16), output_size=6, kernel_size=2),
    "columns": call("fold", (2, 15, 16), output_size=5, kernel_size=2),
    "fold dimensions": call("fold", (16,), output_size=5, kernel_size=2),
}


@pytest.mark.parametrize("function", ERRORS.values(), ids=ERRORS)
def test_error(function):
    assert_alike(raised(function, plugrad), raised(function, torch))


def test_two_dtypes():
    def function(library):
        x = library.ones(*X, dtype=library.float64)
        return library.nn.functional.conv2d(x, library.ones(*W))

    assert_alike(raised(function, plugrad), raised(function, torch))


OUTPUT_SIZES = [[5], [20, 20], [6, 10], [2, 4, 8, 9, 1]]


@pytest.mark.parametrize("size", OUTPUT_SIZES, ids=str)
def test_an_output_size_that_cannot_be(size):
    def function(library):
        layer = library.nn.ConvTranspose2d(4, 2, 3, 2)
        return layer(library.ones(2, 4, 3, 4), output_size=size)

    assert_alike(raised(function, plugrad), raised(function, torch))


# --- Kernels in blocks, other dtypes, other backends ----------------------------------

# What the kernels do in blocks, in runs over the ends of rows, or with the batch last.
LARGE = [
    ("conv2d", (3, 8, 60, 64), (16, 8, 3, 3), {"padding": 1}),
    ("conv2d", (2, 8, 260, 200), (8, 8, 3, 3), {"stride": (1, 2)}),
    ("conv2d", (2, 8, 300, 64), (16, 4, 5, 5), {"groups": 2, "padding": 2}),
    ("conv2d", (40, 8, 32, 32), (8, 1, 3, 3), {"groups": 8, "padding": 1}),
    ("conv2d", (40, 8, 32, 32), (16, 1, 3, 3), {"groups": 8, "stride": 2}),
    ("conv2d", (40, 8, 32, 32), (16, 1, 3, 2), {"groups": 8, "dilation": (2, 3)}),
    ("conv2d", (20, 4, 7, 8), (6, 4, 3, 2), {"padding": (1, 0)}),
    ("conv2d", (20, 4, 7, 8), (6, 2, 3, 2), {"groups": 2, "stride": (2, 3)}),
    ("conv2d", (200, 16, 12, 12), (8, 16, 5, 5), {"padding": 2}),
    ("conv1d", (20, 4, 9), (6, 2, 3), {"groups": 2, "dilation": 2}),
    ("conv_transpose2d", (20, 4, 7, 8), (4, 3, 3, 2), {"stride": 2}),
    ("conv_transpose2d", (20, 4, 7, 8), (4, 3, 3, 2), {"padding": 1, "groups": 2}),
    ("conv_transpose2d", (2, 16, 100, 96), (16, 8, 4, 4), {"stride": 2}),
    ("conv_transpose2d", (40, 8, 32, 32), (8, 1, 3, 3), {"groups": 8, "stride": 2}),
]


@pytest.mark.parametrize(("name", "x", "weight", "options"), LARGE, ids=str)
def test_large(name, x, weight, options):
    rng = np.random.default_rng(0)
    out = weight[0]
    if "transpose" in name:
        out = weight[1] * options.get("groups", 1)
    arrays = [rng.standard_normal(each) for each in (x, weight, (out,))]
    found = []
    for library in (plugrad, torch):
        tensors = [library.tensor(each).requires_grad_() for each in arrays]
        y = getattr(library.nn.functional, name)(*tensors, **options)
        (y * y).sum().backward()
        found.append([y.detach().numpy(), *(t.grad.numpy() for t in tensors)])
    rtol, atol = TOLERANCES["float64"]
    for ours, theirs in zip(*found, strict=True):
        size = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, rtol, atol + rtol * size)


@pytest.mark.parametrize("name", ["conv2d", "conv_transpose2d"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int64", "complex64"])
def test_dtype(name, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.integers(-3, 4, shape) for shape in ((2, 4, 5, 5), (4, 4, 3, 3))]
    found = []
    for library in (plugrad, torch):
        tensors = [library.tensor(each).to(getattr(library, dtype)) for each in arrays]
        y = getattr(library.nn.functional, name)(*tensors, stride=2)
        assert str(y.dtype).endswith("." + dtype)
        found.append(y.to(library.complex128).numpy())
    # sums of small integers are exact in all of them
    np.testing.assert_array_equal(*found)


def test_a_network_trains_on_the_standard_alone():
    """The default bodies train as NumPy's kernels do."""
    F = plugrad.nn.functional
    found = []
    for backend in (strict_backend(), plugrad.get_backend("numpy")):
        make = Make(plugrad.float64, backend)
        x, first, second = make(3, 2, 6, 6), make(4, 2, 3, 3), make(4, 2, 3, 3)
        losses = []
        for _ in range(3):
            y = F.conv2d(x, first, stride=2, padding=1).tanh()
            y = F.conv_transpose2d(y, second, stride=2, padding=1, output_padding=1)
            loss = ((y - x) ** 2).mean()
            loss.backward()
            losses.append(loss.item())
            with plugrad.no_grad():
                for p in (first, second):
                    p -= 0.05 * p.grad
                    p.grad = None
        found.append(losses)
    np.testing.assert_allclose(*found, *TOLERANCES["float64"])
    assert found[0][-1] < found[0][0]
