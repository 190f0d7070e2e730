"""Resizing, sampling and shuffling: all modes and options, and what is refused."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
import torch

import plugrad
from tests.against_torch.nn.layers import Layer, check
from tests.against_torch.same import cases, same

SHAPES = {1: (2, 2, 5), 2: (2, 2, 4, 5), 3: (1, 2, 3, 2, 4)}
MODES = {
    1: ("nearest", "nearest-exact", "area", "linear"),
    2: ("nearest", "nearest-exact", "area", "bilinear", "bicubic"),
    3: ("nearest", "nearest-exact", "area", "trilinear"),
}
MIXED = ("linear", "bilinear", "trilinear", "bicubic")

LAYERS = []
for dims, modes in MODES.items():
    shape = SHAPES[dims]
    for mode in modes:
        for corners in (None, True, False) if mode in MIXED else (None,):
            rest = {"mode": mode, "align_corners": corners}
            for options in (
                {"size": 3},
                {"size": (7, 3, 5)[:dims]},
                {"size": 1},
                {"size": shape[2:]},
                {"scale_factor": 2},
                {"scale_factor": (0.6, 3.0, 1.7)[:dims]},
                {"scale_factor": 1.6},
                {"scale_factor": 1.6, "recompute_scale_factor": True},
            ):
                kwargs = options | rest
                LAYERS.append(Layer("Upsample", kwargs=kwargs, inputs=[shape]))
    LAYERS.append(Layer("Upsample", (2,), inputs=[(0, *shape[1:])]))
LAYERS += [
    Layer("Upsample", kwargs={"scale_factor": 3}, inputs=[SHAPES[2]]),
    Layer("Upsample", (4,), {"mode": "bilinear"}, inputs=[(0, 2, 3, 3)]),
    Layer("UpsamplingNearest2d", (3,), inputs=[SHAPES[2]]),
    Layer("UpsamplingNearest2d", (None, 2), inputs=[SHAPES[2]]),
    Layer("UpsamplingBilinear2d", ((3, 7),), inputs=[SHAPES[2]]),
    Layer("UpsamplingBilinear2d", (None, (2.0, 0.5)), inputs=[SHAPES[2]]),
    Layer("PixelShuffle", (2,), inputs=[(2, 8, 2, 3)]),
    Layer("PixelShuffle", (3,), inputs=[(9, 1, 2)]),
    Layer("PixelShuffle", (1,), inputs=[(2, 2, 2, 1, 2)]),
    Layer("PixelUnshuffle", (2,), inputs=[(2, 1, 4, 6)]),
    Layer("PixelUnshuffle", (3,), inputs=[(2, 3, 6)]),
    Layer("ChannelShuffle", (3,), inputs=[(2, 6, 2)]),
    Layer("ChannelShuffle", (2,), inputs=[(2, 4, 2, 2)]),
    Layer("ChannelShuffle", (2,), inputs=[(0, 4, 2, 2, 1)]),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_layer(layer):
    check(layer)


def run(m, call, *arrays):
    """The result of a call in float64, and the gradients of its inputs."""
    inputs = [m.tensor(a.tolist(), dtype=m.float64).requires_grad_() for a in arrays]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y = call(m, *inputs)
    n = y.numel()
    ramp = m.tensor((0.5 + np.arange(n) / n).tolist(), dtype=m.float64)
    y.backward(ramp.reshape(y.shape))
    return [y.detach(), *[x.grad for x in inputs]]


def compare(call, *arrays, rtol=1e-9, atol=1e-9):
    for ours, theirs in zip(run(plugrad, call, *arrays), run(torch, call, *arrays)):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol, atol)


@pytest.mark.parametrize("corners", [None, True, False])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize(
    "options",
    [
        {"size": 3},
        {"size": (3, 20)},
        {"size": (12, 5)},
        {"scale_factor": 0.3},
        {"scale_factor": (0.7, 1.9)},
        {"scale_factor": 0.3, "recompute_scale_factor": True},
        {"size": (11, 9)},
    ],
    ids=str,
)
def test_antialias(options, mode, corners):
    if mode == "lanczos" and corners:
        corners = None
    x = np.random.default_rng(0).standard_normal((1, 2, 11, 9))
    compare(
        lambda m, x: m.nn.functional.interpolate(
            x, mode=mode, align_corners=corners, antialias=True, **options
        ),
        x,
    )


@pytest.mark.parametrize(
    "mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"]
)
@pytest.mark.parametrize("sizes", [((300, 40), (97, 211)), ((70, 64), (640, 33))])
def test_larger_images(mode, sizes):
    """Where kernels pick elements instead of multiplying with a matrix."""
    x = np.random.default_rng(0).standard_normal((1, 2, *sizes[0]))
    compare(lambda m, x: m.nn.functional.interpolate(x, sizes[1], mode=mode), x)


@pytest.mark.parametrize("exact", ["nearest", "nearest-exact"])
def test_nearest_of_many_sizes(exact):
    """Ties and factors are rounded as torch rounds them."""
    wrong = []
    for n, new in itertools.product((1, 3, 7, 10, 49, 98), range(1, 120)):
        x = np.arange(n, dtype=np.float32).reshape(1, 1, 1, n)
        found = []
        for m in (plugrad, torch):
            f = m.nn.functional.interpolate
            t = m.tensor(x)
            factor = new / n + 1e-6
            found.append([f(t, (1, new), mode=exact)])
            found[-1].append(f(t, None, (1.0, factor), mode=exact))
            found[-1].append(f(t[0], None, factor, mode=exact))
            found[-1].append(f(t[None], None, (1.0, 1.0, factor), mode=exact))
        for a, b in zip(*found):
            if not np.array_equal(a.numpy(), b.numpy()):
                wrong.append((n, new))
    assert not wrong


# (mode, shape, factor, options); in one and three dimensions the nearest element is
# another one, in two it stays; antialiasing leaves a dimension alone
STAYING = [
    ("nearest", (1, 1, 5), 1.1, {}),
    ("nearest", (1, 1, 3), 2.1, {}),
    ("nearest", (1, 1, 5, 5), 1.1, {}),
    ("nearest", (1, 1, 3, 3, 3), 1.3, {}),
    ("nearest-exact", (1, 1, 5), 1.1, {}),
    ("bilinear", (1, 2, 6, 3), (0.5, 1.3), {"antialias": True}),
    ("bicubic", (1, 2, 6, 3), (0.5, 1.3), {"antialias": True}),
    ("bicubic", (1, 2, 6, 3), (0.5, 1.3), {}),
]


@pytest.mark.parametrize(("mode", "shape", "factor", "options"), STAYING, ids=str)
def test_factors_that_leave_a_size_as_it_is(mode, shape, factor, options):
    """Torch's values, and the gradient of them: torch's own is, in some of these, the
    gradient of something else."""
    x = np.random.default_rng(0).standard_normal(shape)

    def call(m, t):
        resize = m.nn.functional.interpolate
        return resize(t, scale_factor=factor, mode=mode, **options)

    ours, theirs = (call(m, m.tensor(x)).numpy() for m in (plugrad, torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    leaf = plugrad.tensor(x, requires_grad=True)
    assert plugrad.autograd.gradcheck(lambda t: call(plugrad, t), (leaf,))


AVERAGES = [
    lambda m, x: m.nn.functional.interpolate(x, (4, 4), mode="bilinear"),
    lambda m, x: m.nn.functional.interpolate(x, (3, 8), mode="bicubic"),
    lambda m, x: m.nn.functional.interpolate(
        x, (4, 4), mode="bilinear", antialias=True
    ),
    lambda m, x: m.nn.functional.interpolate(x, (4, 4), mode="area"),
    lambda m, x: m.nn.functional.adaptive_avg_pool2d(x, 4),
    lambda m, x: m.nn.functional.avg_pool2d(x, 2),
]


@pytest.mark.parametrize("call", AVERAGES, ids=range(len(AVERAGES)))
def test_infinities_and_nan_spread_to_what_is_made_of_them(call):
    """And not to all else."""
    x = np.random.default_rng(0).standard_normal((1, 1, 6, 6))
    x[0, 0, 0, 0], x[0, 0, 5, 5] = np.inf, np.nan
    ours, theirs = (call(m, m.tensor(x)).numpy() for m in (plugrad, torch))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


# --- Grids --------------------------------------------------------------------------


def points(rng, *shape):
    """Points in the image, around it, and far from it."""
    return rng.uniform(-1.6, 1.6, shape)


@pytest.mark.parametrize("corners", [None, True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(
    ("mode", "dims"),
    [("bilinear", 2), ("nearest", 2), ("bicubic", 2), ("bilinear", 3), ("nearest", 3)],
)
def test_grid_sample(mode, dims, padding, corners):
    def call(m, x, grid):
        return m.nn.functional.grid_sample(x, grid, mode, padding, corners)

    rng = np.random.default_rng(0)
    sizes, new = (4, 5, 3)[:dims], (3, 6, 4)[:dims]
    for sizes_ in (sizes, (1,) * dims, (1, *sizes[1:])):
        compare(
            call,
            rng.standard_normal((2, 3, *sizes_)),
            points(rng, 2, *new, dims) * (1 + 3 * (padding != "zeros")),
        )


@pytest.mark.parametrize("corners", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample_on_the_elements(mode, padding, corners):
    """Points exactly on elements, on edges and between two elements."""
    line = np.linspace(-1, 1, 9)
    grid = np.stack(np.meshgrid(line, line), -1)[None]
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 5))
    compare(
        lambda m, x, g: m.nn.functional.grid_sample(x, g, mode, padding, corners),
        x,
        grid,
    )


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_second_derivatives_of_grid_sample(mode):
    rng = np.random.default_rng(0)
    x = plugrad.tensor(rng.standard_normal((1, 1, 3, 4))).requires_grad_()
    grid = plugrad.tensor(points(rng, 1, 2, 2, 2) / 2).requires_grad_()

    def call(x, grid):
        return plugrad.nn.functional.grid_sample(x, grid, mode, align_corners=True)

    assert plugrad.autograd.gradcheck(call, (x, grid))
    assert plugrad.autograd.gradgradcheck(call, (x, grid))


@pytest.mark.parametrize("corners", [None, True, False])
@pytest.mark.parametrize(
    "size", [(2, 3, 4, 5), (2, 1, 1, 3), (2, 3, 2, 3, 4), (2, 1, 1, 1, 1)]
)
def test_affine_grid(size, corners):
    dims = len(size) - 2
    theta = np.random.default_rng(0).standard_normal((2, dims, dims + 1))
    compare(lambda m, t: m.nn.functional.affine_grid(t, size, corners), theta)


# --- What is refused ----------------------------------------------------------------


def ramp(m, *shape, dtype="float32"):
    n = int(np.prod(shape))
    values = (np.arange(n) % 7).reshape(shape).tolist()
    return m.tensor(values, dtype=getattr(m, dtype)).reshape(shape)


def function(name, shape, *args, dtype="float32", **kwargs):
    def call(m):
        x = ramp(m, *shape, dtype=dtype)
        return getattr(m.nn.functional, name)(x, *args, **kwargs)

    return call


IMAGE = (2, 3, 8, 8)


@cases(
    function("pixel_shuffle", (2, 9, 2, 2), 3),
    function("pixel_shuffle", (2, 2), 3),
    function("pixel_shuffle", (2, 8, 2, 2), 3),
    function("pixel_shuffle", (2, 9, 2, 2), 0),
    function("pixel_shuffle", (2, 9, 2, 2), -3),
    function("pixel_shuffle", (2, 9, 2, 2), 3.0),
    function("pixel_shuffle", (9, 1, 1), 3, dtype="int64"),
    function("pixel_unshuffle", (2, 1, 6, 5), 3),
    function("pixel_unshuffle", (6, 6), 3),
    function("pixel_unshuffle", (1, 6, 6), 0),
    function("pixel_unshuffle", (1, 6, 6), -2),
    function("pixel_unshuffle", (1, 6, 6), 2.0),
    function("channel_shuffle", (2, 6, 2, 2), 4),
    function("channel_shuffle", (2, 6), 3),
    function("channel_shuffle", (2, 6, 2), 0),
    function("channel_shuffle", (2, 6, 2), -2),
    function("channel_shuffle", (2, 6, 2), 2.0),
    function("interpolate", IMAGE),
    function("interpolate", IMAGE, 4, 2.0),
    function("interpolate", IMAGE, (4,)),
    function("interpolate", IMAGE, scale_factor=(2.0,)),
    function("interpolate", IMAGE, 4, mode="cubic"),
    function("interpolate", IMAGE, 4, mode="linear"),
    function("interpolate", IMAGE[1:], 4, mode="bilinear"),
    function("interpolate", IMAGE[2:], 4),
    function("interpolate", (1, *IMAGE), 4, mode="bicubic"),
    function("interpolate", (1, 1, 1, 1, 1, 1), 4),
    function("interpolate", IMAGE, 4, align_corners=True),
    function("interpolate", IMAGE, 4, mode="area", align_corners=False),
    function("interpolate", IMAGE, 4, antialias=True),
    function("interpolate", IMAGE[1:], 4, mode="linear", antialias=True),
    function("interpolate", IMAGE, 4, mode="lanczos"),
    function("interpolate", IMAGE, 4, recompute_scale_factor=True),
    function("interpolate", IMAGE, 0),
    function("interpolate", IMAGE, -1),
    function("interpolate", IMAGE, scale_factor=0.01),
    function("interpolate", IMAGE, scale_factor=-1.0),
    function("interpolate", IMAGE, 4.0),
    function("interpolate", IMAGE, (4, 5.5)),
    function("interpolate", IMAGE, scale_factor="2"),
    function("interpolate", IMAGE, 4, dtype="int32"),
    function("interpolate", IMAGE, 4, dtype="uint8"),
    function("interpolate", IMAGE, 16, dtype="uint8"),
    function("interpolate", IMAGE, 4, dtype="bool"),
    function("interpolate", IMAGE, 4, dtype="complex64"),
    function("interpolate", IMAGE, 4, mode="bilinear", dtype="int32"),
    function("interpolate", (2, 0, 8, 8), 4),
    function("interpolate", (2, 3, 0, 8), 4),
    function("interpolate", (2, 0, 8, 8), 4, mode="bilinear"),
    function("interpolate", IMAGE, 16, dtype="float16"),
    function("upsample", IMAGE, 4),
    function("upsample", IMAGE, scale_factor=2, mode="bilinear", align_corners=True),
    function("upsample_nearest", IMAGE, scale_factor=2),
    function("upsample_bilinear", IMAGE, (3, 4)),
    lambda m: m.nn.functional.interpolate(ramp(m, *IMAGE), m.Size([3, 4])),
    lambda m: m.nn.functional.interpolate(ramp(m, *IMAGE), [m.tensor(3), 4]),
)
def test_calls(call):
    same(call)


def sampled(shape, grid, *args, dtypes=("float32", "float32"), **kwargs):
    return lambda m: m.nn.functional.grid_sample(
        ramp(m, *shape, dtype=dtypes[0]),
        ramp(m, *grid, dtype=dtypes[1]),
        *args,
        **kwargs,
    )


def affine(theta, size, dtype="float32"):
    return lambda m: m.nn.functional.affine_grid(ramp(m, *theta, dtype=dtype), size)


@cases(
    sampled(IMAGE, (2, 5, 4, 2)),
    sampled(IMAGE, (2, 5, 4, 2), "linear"),
    sampled(IMAGE, (2, 5, 4, 2), padding_mode="wrap"),
    sampled(IMAGE, (1, 5, 4, 2)),
    sampled(IMAGE, (2, 5, 4, 1)),
    sampled(IMAGE, (2, 5, 4, 2), dtypes=("float32", "float64")),
    sampled(IMAGE[1:], (2, 5, 4, 2)),
    sampled((1, *IMAGE), (2, 5, 4, 2)),
    sampled((1, *IMAGE), (1, 2, 2, 2, 3), "bicubic"),
    sampled((0, *IMAGE[1:]), (0, 5, 4, 2)),
    sampled((2, 0, 4, 4), (2, 5, 4, 2)),
    sampled((2, 2, 0, 4), (2, 5, 4, 2)),
    sampled(IMAGE, (2, 0, 4, 2)),
    sampled(IMAGE, (2, 4, 2)),
    sampled(IMAGE, (2, 5, 4, 2), dtypes=("int64", "int64")),
    affine((3, 2, 3), (2, 3, 4, 5)),
    affine((2, 2, 3), (2, 3, 4)),
    affine((2, 2, 3), (2, 3, 4, 5, 6)),
    affine((2, 2, 3), (2, 3, 4, 5), dtype="int64"),
    affine((2, 3), (2, 3, 4, 5)),
    affine((2, 2, 3), (2, 3, 4, 0)),
    affine((2, 2, 3), (2, 3, -4, 2)),
    affine((2, 2, 3), (2, 0, 4, 4)),
)
def test_grid_calls(call):
    same(call)


def test_what_comes_is_no_view():
    x = plugrad.zeros(1, 1, 2, 2)
    for mode in ("nearest", "nearest-exact", "area", "bilinear", "bicubic"):
        plugrad.nn.functional.interpolate(x, (2, 2), mode=mode).fill_(1.0)
    assert (x == 0).all()
