"""Normalization of batches, layers, groups and instances.

- A layer's is a primitive of the library, and so is its gradient.
- Of batches and groups, the means and variances come from those of the rows that they
  are made of, and all else is a pass or two with numbers for each channel. The
  library's batch normalization wants 16 channels side by side: of 32 images of 32 x 32
  with 64 channels, it takes 1.9 ms of one thread with the way there and back, and this
  0.5; the gradient 2.7, and this 1.0.
- Where rows are short, the library's is the faster: `Blocks`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from plugrad import Overrides

from .affine import mixed, rows, scaled, sums
from .normalizing import SIXTEEN, Blocks, Layers, are_quick
from .programs import FLOAT32, plain

Array = Any
Sizes = tuple[int, ...]

SMALL = 1 << 15  # elements
SMALL_LAYER = 1 << 13
SMALL_ROW = 64  # places in a row
LEAST = 1e-20  # of other terms: what g is multiplied by is not less


def kind(x: Array, weight: Array, bias: Array, how: Any) -> Any:
    """The functions that serve a call; None if NumPy's are the faster."""
    shape, dims, lanes, _, centered = how
    if x.dtype is not FLOAT32 or not centered or x.size < SMALL_LAYER:
        return None
    for each in (weight, bias):
        if each is not None and each.dtype is not FLOAT32:
            return None
    if len(shape) == 2:
        if dims == (1,) and lanes == (1, shape[1]) and shape[1] >= SMALL_ROW:
            return Layers
        return None
    if x.size < SMALL:
        return None
    wide = shape[-1] >= max(SMALL_ROW, 2)  # of 1, version 3.2 mistakes the channels
    if dims == (0, 2) and lanes == (1, shape[1], 1):
        if wide:
            return Batch
        if shape[1] % SIXTEEN or not are_quick(tuple(shape)):
            return None
        return Blocks
    inner = shape[2:-1]
    if len(shape) > 2 and dims == tuple(range(2, len(shape))) and len(shape) < 5:
        if wide and lanes == (1, shape[1], *inner, 1):
            return Groups
    return None


class Batch:
    """A mean for each channel."""

    @staticmethod
    def forward(x: Array, weight: Array, bias: Array, how: Any) -> tuple[Any, Any]:
        """(x - mean) / sqrt(variance + eps) * weight + bias, and what is kept."""
        shape, _, lanes, eps, _ = how
        n, channels, places = shape
        x, y = plain(x), np.empty(x.shape, FLOAT32)
        means, variances = stats = np.empty((2, n, channels), FLOAT32)
        rows(n * channels, places).run(x, y, *stats)
        mean = np.add.reduce(means, 0) / n
        means -= mean
        means *= means
        variances += means
        variance = np.add.reduce(variances, 0) / n
        scale = 1 / np.sqrt(variance + FLOAT32.type(eps))
        if weight is not None:
            scale *= weight.reshape(-1)
        shift = -mean * scale
        if bias is not None:
            shift += bias.reshape(-1)
        scaled(tuple(shape)).run(x, scale, shift, y)
        return (y, mean.reshape(lanes), variance.reshape(lanes)), x

    @staticmethod
    def vjp(g: Array, x: Array, weight: Array, mean: Array, variance: Array, how: Any,
            wanted: Any) -> Any:  # fmt: skip
        """The gradients to x, the weight and the bias."""
        shape, _, _, eps, _ = how
        n, channels, places = shape
        g = plain(g)
        mean, variance = mean.reshape(-1), variance.reshape(-1)
        to_x = np.empty(x.shape, FLOAT32)
        seen = [each.reshape(shape) for each in (g, x)]
        total, dots = np.add.reduce(sums(*seen, mean, variance, to_x), 1)
        rate = 1 / np.sqrt(variance + FLOAT32.type(eps))
        if wanted:
            of_x = rate * rate * dots / -(n * places)
            rest = total / -(n * places) - mean * of_x
            of_g = rate if weight is None else rate * weight.reshape(-1)
            mixed(tuple(shape)).run(x, of_x, rest, g, of_g, to_x)
        return to_x, dots * rate, total


class Groups:
    """A mean for each group of channels of an input, or for each channel."""

    @staticmethod
    def forward(x: Array, weight: Array, bias: Array, how: Any) -> tuple[Any, Any]:
        """(x - mean) / sqrt(variance + eps) * weight + bias, and what is kept."""
        shape, dims, lanes, eps, _ = how
        n, groups, *inner, places = shape
        wide = prod(inner)
        x, y = plain(x), np.empty(x.shape, FLOAT32)
        mean, variance = stats = np.empty((2, n, groups, 1), FLOAT32)
        rows(n * groups, wide * places).run(x, y, *stats)
        scale = 1 / np.sqrt(variance + FLOAT32.type(eps))
        scale = scale * in_groups(weight, groups, wide)
        shift = -mean * scale
        if bias is not None:
            shift += bias.reshape(groups, wide)
        scaled((1, n * groups * wide, places)).run(x, scale, shift, y)
        shape = n, groups, *(1,) * len(dims)
        return (y, mean.reshape(shape), variance.reshape(shape)), x

    @staticmethod
    def vjp(g: Array, x: Array, weight: Array, mean: Array, variance: Array, how: Any,
            wanted: Any) -> Any:  # fmt: skip
        """The gradients to x, the weight and the bias."""
        shape, _, _, eps, _ = how
        n, groups, *inner, places = shape
        wide = prod(inner)
        g = plain(g)
        mean, variance = (a.reshape(n, groups, 1) for a in (mean, variance))
        to_x = np.empty(x.shape, FLOAT32)
        seen = [each.reshape(n, groups, wide, places) for each in (g, x)]
        total, dots = sums(*seen, mean, variance, to_x)
        rate = 1 / np.sqrt(variance + FLOAT32.type(eps))
        dots *= rate
        if wanted:
            of_g = rate * in_groups(weight, groups, wide)
            of_x = np.vecdot(of_g, dots)[..., None] * rate / -(wide * places)
            rest = np.vecdot(of_g, total)[..., None] / -(wide * places) - mean * of_x
            least = np.maximum(np.abs(of_x), np.abs(rest)) * LEAST + LEAST
            of_g = np.where(np.abs(of_g) < least, least, of_g)
            how = of_x / of_g, rest / of_g, g, of_g
            mixed((1, n * groups * wide, places)).run(x, *how, to_x)
        return to_x, np.add.reduce(dots, 0), np.add.reduce(total, 0)


def in_groups(weight: Array, groups: int, wide: int) -> Array:
    """The weights of channels; ones if there are none."""
    shape = groups, wide
    return np.ones(shape, FLOAT32) if weight is None else weight.reshape(shape)


# --- The op ---------------------------------------------------------------------------


def accepts(x: Array, weight: Array, bias: Array, how: Any) -> bool:
    """Whether the library is the faster."""
    return kind(x, weight, bias, how) is not None


def forward(x: Array, weight: Array, bias: Array, how: Any) -> tuple[Any, Any]:
    """(x - mean) / sqrt(variance + eps) * weight + bias, the mean and the variance."""
    served = kind(x, weight, bias, how)
    found, x = served.forward(x, weight, bias, how)
    shape = None if bias is None else bias.shape
    return found, (x, weight, shape, *found[1:], how)


def vjp(g: Array, state: Any, need: Any) -> list[Array | None]:
    """The gradients to x, the weight and the bias."""
    x, weight, bias, mean, variance, how = state
    served = kind(x, weight, None, how)
    found = served.vjp(g, x, weight, mean, variance, how, need[0])
    to_x, to_weight, to_bias = found
    return [
        to_x if need[0] else None,
        to_weight.reshape(weight.shape) if need[1] else None,
        to_bias.reshape(bias) if need[2] else None,
    ]


def give(kernels: Overrides) -> None:
    """Add the kernels of normalization."""
    kernels.pair("standardize", forward, vjp, accepts=accepts)
