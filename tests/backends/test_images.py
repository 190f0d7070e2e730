"""Padding, pooling and resizing on array-api-strict: the same results and gradients as
on NumPy. What is made of several ops has to stay on the backend of its input."""

from __future__ import annotations

import numpy as np
import pytest

import plugrad
from plugrad.nn import functional as F
from plugrad.testing import TOLERANCES
from tests.backends.strict import NAME, strict_backend

SHAPE = (2, 3, 6, 8)

CALLS = {
    "pad": lambda x: F.pad(x, (1, 2, 1, 0), value=2.0),
    "reflect": lambda x: F.pad(x, (1, 2, 1, 0), "reflect"),
    "replicate": lambda x: F.pad(x, (1, 2, 1, -1), "replicate"),
    "circular": lambda x: F.pad(x, (1, 2, -1, 0), "circular"),
    "max": lambda x: F.max_pool2d(x, 3, 2, 1),
    "average": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "average to size": lambda x: F.adaptive_avg_pool2d(x, (4, 5)),
    "max to size": lambda x: F.adaptive_max_pool2d(x, (4, 5)),
    "norm": lambda x: F.lp_pool2d(x.abs() + 1, 3, 2),
    "unpool": lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2),
    "random places": lambda x: F.fractional_max_pool2d(
        x, 2, 3, _random_samples=x.new_full((2, 3, 2), 0.3)
    ),
    "nearest": lambda x: F.interpolate(x, (5, 9)),
    "nearest, twice": lambda x: F.interpolate(x, scale_factor=2),
    "area": lambda x: F.interpolate(x, (5, 3), mode="area"),
    "bilinear": lambda x: F.interpolate(x, (5, 9), mode="bilinear"),
    "bicubic": lambda x: F.interpolate(x, 9, mode="bicubic", align_corners=True),
    "antialias": lambda x: F.interpolate(x, (3, 9), mode="bicubic", antialias=True),
    "pixels": lambda x: F.pixel_unshuffle(F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2), 2),
    "channels": lambda x: F.channel_shuffle(x, 3),
}


def seen(mode, padding):
    def call(x):
        grid = F.affine_grid(x[:, 0, :2, :3].sin(), (2, 3, 4, 5), align_corners=True)
        return F.grid_sample(x, grid, mode, padding)

    return call


for mode in ("bilinear", "nearest", "bicubic"):
    for padding in ("zeros", "border", "reflection"):
        CALLS[f"grid, {mode}, {padding}"] = seen(mode, padding)


def outcome(name, call):
    """The result on a backend, and the gradient."""
    values = np.random.default_rng(0).standard_normal(SHAPE)
    with plugrad.backend(name):
        x = plugrad.tensor(values.tolist(), dtype=plugrad.float64).requires_grad_()
        y = call(x)
        ramp = plugrad.arange(y.numel(), dtype=y.dtype).reshape(y.shape)
    (y * ramp).sum().backward()
    return np.array(y.tolist()), np.array(x.grad.tolist())


@pytest.mark.parametrize("call", CALLS)
def test_call(call):
    strict_backend()
    rtol, atol = TOLERANCES["float64"]
    for ours, numpys in zip(outcome(NAME, CALLS[call]), outcome("numpy", CALLS[call])):
        np.testing.assert_allclose(ours, numpys, rtol, atol)


def test_random_places_are_drawn_on_the_backend():
    strict_backend()
    with plugrad.backend(NAME):
        x = plugrad.ones(SHAPE)
    assert F.fractional_max_pool2d(x, 2, 3).shape == (2, 3, 3, 3)


def test_data_for_a_new_tensor_goes_to_the_backend_of_the_old():
    strict_backend()
    with plugrad.backend(NAME):
        x = plugrad.ones(2)
    for data in ([1.0, 2.0], 3.0, plugrad.ones(2), np.ones(2)):
        assert (x.new_tensor(data) + x).shape == (2,)
