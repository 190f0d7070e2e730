"""Normalization, in blocks that stay in the processor's cache.

Arrays are seen in three dimensions: (batch, groups, length), where the numbers of a
length share a mean. What a channel is multiplied by is laid out over groups and length,
so that all loops run along memory. Normalization over a batch has its own functions:
there the numbers along the first dimension share a mean, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from .activation import default

BLOCK = 16384  # elements


@lru_cache(maxsize=64)
def ones(n: int, dtype: Any) -> Any:
    """A column of ones: for 64 x 256 numbers the product with it takes 0.8 us, the sum
    along the last dimension 3.6."""
    return np.ones((n, 1), dtype)


def blocks(batch: int, groups: int, length: int) -> Iterator[tuple[slice, slice]]:
    """Slices of batch and groups, of about so many elements each."""
    wide = max(BLOCK // length, 1)
    for c in range(0, groups, wide):
        columns = slice(c, c + wide)
        high = max(BLOCK // (length * min(wide, groups - c)), 1)
        for b in range(0, batch, high):
            yield slice(b, b + high), columns


def laid_out(weight: Any, shape: Any, lanes: Any, like: Any) -> Any:
    """A weight over all the places that an input has, in the shape of one of these."""
    weight = weight.reshape(-1)
    if lanes[-1] != shape[-1]:
        weight = weight.repeat(shape[-1])
    return weight.reshape(like.shape[1:])


def gathered(sums: Any, shape: Any, lanes: Any) -> Any:
    """The sums of all places that share a weight."""
    dims = tuple(d for d, n in enumerate(lanes) if n == 1 and d and shape[d] > 1)
    sums = sums.reshape(1, *shape[1:])
    return np.add.reduce(sums, dims, None, None, True) if dims else sums


def is_known(x: Any, shape: Any, dims: Any, lanes: Any, centered: bool) -> bool:
    """Whether these functions can do it: not in 16 bits, not without elements, and with
    weights for each place along the first of the dimensions that are left."""
    if x.dtype.itemsize < 4 or not x.size:
        return False
    if dims[0] == 0:
        return centered and dims == (0, 2) and lanes == (1, shape[1], 1)
    if dims[-1] != len(shape) - 1 or len(dims) != len(shape) - dims[0]:
        return False
    return lanes == (1, *shape[1:]) or lanes == (1, *shape[1:-1], 1)


# --- The numbers of one input share a mean --------------------------------------------


def standardize(x: Any, weight: Any, bias: Any, how: Any) -> Any:
    """(x - mean) / sqrt(variance + eps) * weight + bias, the mean and the variance."""
    shape, dims, lanes, eps, centered = how
    if not is_known(x, shape, dims, lanes, centered):
        return default("standardize", x, weight, bias, how)
    if dims[0] == 0:
        return over_batch(x, weight, bias, shape, lanes, eps)
    if len(shape) == 2:
        return over_rows(x, weight, bias, shape, eps, centered)
    first = dims[0]
    length = prod(shape[first:])
    seen = x.reshape(shape[0], -1, length)
    if weight is not None:
        weight = laid_out(weight, shape, lanes, seen)
    if bias is not None:
        bias = laid_out(bias, shape, lanes, seen)
    y = np.empty(seen.shape, x.dtype)
    stats = np.empty((2, *seen.shape[:2], 1), x.dtype)
    column = ones(length, x.dtype)
    for b, c in blocks(*seen.shape):
        part, out = seen[b, c], y[b, c]
        mean, variance = stats[0, b, c], stats[1, b, c]
        if centered:
            np.divide(part.dot(column), length, mean)
            np.subtract(part, mean, out)
            rest = out
        else:
            mean.fill(0)
            rest = part
        np.divide(np.vecdot(rest, rest)[..., None], length, variance)
        rate = variance + eps
        np.multiply(rest, np.reciprocal(np.sqrt(rate, rate), rate), out)
        if weight is not None:
            out *= weight[c]
        if bias is not None:
            out += bias[c]
    stats = stats.reshape(2, *shape[:first], *(1,) * len(dims))
    return y.reshape(x.shape), stats[0], stats[1]


def standardize_back(
    up: Any, x: Any, weight: Any, mean: Any, variance: Any, how: Any, wanted: Any
) -> Any:
    """The gradients of `standardize`."""
    shape, dims, lanes, eps, centered = how
    if mean is None or not is_known(x, shape, dims, lanes, centered):
        inputs = up, x, weight, mean, variance
        return default("standardize_back", *inputs, how, wanted)
    if dims[0] == 0:
        known = mean, variance
        return over_batch_back(up, x, weight, *known, shape, lanes, eps, wanted)
    if len(shape) == 2:
        known = mean, variance
        return over_rows_back(up, x, weight, *known, shape, eps, centered, wanted)
    length = prod(shape[dims[0] :])
    seen, up = (each.reshape(shape[0], -1, length) for each in (x, up))
    if weight is not None:
        weight = laid_out(weight, shape, lanes, seen)
    mean = mean.reshape(*seen.shape[:2], 1)
    rates = (1.0 / np.sqrt(variance + eps)).reshape(mean.shape)
    to_x = np.empty(seen.shape, x.dtype) if wanted[0] else None
    sums = [np.zeros(seen.shape[1:], x.dtype) if each else None for each in wanted[1:]]
    for b, c in blocks(*seen.shape):
        g, rate = up[b, c], rates[b, c]
        normal = (seen[b, c] - mean[b, c]) if centered else seen[b, c].copy()
        normal *= rate
        if wanted[1]:
            sums[0][c] += np.add.reduce(g * normal, 0)
        if wanted[2]:
            sums[1][c] += np.add.reduce(g, 0)
        if wanted[0]:
            out = to_x[b, c]
            if weight is not None:
                g = np.multiply(g, weight[c], out)
            normal *= np.vecdot(g, normal)[..., None] / length
            if centered:
                normal += g.dot(ones(length, x.dtype)) / length
            np.subtract(g, normal, out)
            out *= rate
    return finished(x, to_x, sums, shape, lanes, wanted)


def finished(
    x: Any, to_x: Any, sums: Any, shape: Any, lanes: Any, wanted: Any
) -> tuple[Any, Any, Any]:
    """The three gradients, zeros in the place of those that are not wanted."""
    none = np.zeros((), x.dtype)
    found = [gathered(each, shape, lanes) for each in sums if each is not None]
    to_weight = found[0] if wanted[1] else none
    to_bias = found[-1] if wanted[2] else none
    return none if to_x is None else to_x.reshape(x.shape), to_weight, to_bias


# --- The numbers of a row share a mean, each with a weight of its own ----------------


def over_rows(
    x: Any, weight: Any, bias: Any, shape: Any, eps: float, centered: bool
) -> Any:
    """`standardize` of rows."""
    n = shape[1]
    seen = x.reshape(shape)
    many = max(BLOCK // n, 1)
    if shape[0] <= many:
        y, mean, variance = one_block(seen, weight, bias, eps, centered)
        return y.reshape(x.shape), mean, variance
    y = np.empty(shape, x.dtype)
    stats = np.empty((2, shape[0], 1), x.dtype)
    for i in range(0, shape[0], many):
        at = slice(i, i + many)
        found = one_block(seen[at], weight, bias, eps, centered, y[at])
        stats[0, at], stats[1, at] = found[1:]
    return y.reshape(x.shape), stats[0], stats[1]


def one_block(
    x: Any, weight: Any, bias: Any, eps: float, centered: bool, out: Any = None
) -> Any:
    """Some rows, their means and their variances. The rates and weights are multiplied
    first: that is one loop along rows instead of two."""
    n = x.shape[1]
    column = ones(n, x.dtype)
    rest = x
    if centered:
        mean = x.dot(column)
        mean /= n
        rest = np.subtract(x, mean, out)
    variance = np.vecdot(rest, rest).reshape(-1, 1)
    variance /= n
    if not centered:
        mean = np.zeros_like(variance)
    rate = variance + eps
    np.divide(column[:1], np.sqrt(rate, rate), rate)
    if weight is not None:
        rate = rate.dot(weight.reshape(1, n))
    y = np.multiply(rest, rate, rest if centered else out)
    if bias is not None:
        y += bias.reshape(-1)
    return y, mean, variance


def over_rows_back(
    up: Any,
    x: Any,
    weight: Any,
    mean: Any,
    variance: Any,
    shape: Any,
    eps: float,
    centered: bool,
    wanted: Any,
) -> Any:
    """The gradients of `over_rows`."""
    m, n = shape
    seen, up = x.reshape(shape), up.reshape(shape)
    none = np.zeros((), x.dtype)
    to_x, sums = none, [none, none]
    many = max(BLOCK // n, 1)
    if wanted[0] and m > many:
        to_x = np.empty(shape, x.dtype)
    rates = variance + eps
    np.divide(ones(1, x.dtype), np.sqrt(rates, rates), rates)
    for i in range(0, m, many):
        at = slice(i, i + many)
        g, rate = up[at], rates[at]
        rest = seen[at] - mean[at] if centered else seen[at]
        if wanted[1]:
            sums[0] = sums[0] + rate.T.dot(g * rest)
        if wanted[2]:
            sums[1] = sums[1] + ones(len(g), x.dtype).T.dot(g)
        if wanted[0]:
            scale = rate if weight is None else rate.dot(weight.reshape(1, n))
            out = np.multiply(g, scale, to_x[at] if m > many else None)
            share = np.vecdot(out, rest).reshape(-1, 1)
            share *= rate
            share *= rate
            share /= n
            rest = np.multiply(rest, share, rest if centered else None)
            if centered:
                share = out.dot(ones(n, x.dtype))
                share /= n
                rest += share
            out -= rest
            if m <= many:
                to_x = out
    if wanted[0]:
        to_x = to_x.reshape(x.shape)
    return to_x, sums[0], sums[1]


# --- The numbers of a batch share a mean ----------------------------------------------


def over_batch(
    x: Any, weight: Any, bias: Any, shape: Any, lanes: Any, eps: float
) -> Any:
    """`standardize` of (batch, channels, places), over the first and the last."""
    batch, channels, places = shape
    seen = x.reshape(batch, channels, places)
    n = batch * places
    mean = per_channel(np.add.reduce(seen, 0)) / n
    at = repeated(mean, places)
    total = np.zeros((channels, places), x.dtype)
    for b, c in blocks(*seen.shape):
        rest = seen[b, c] - at[c]
        rest *= rest
        total[c] += np.add.reduce(rest, 0)
    variance = per_channel(total) / n
    scale = 1.0 / np.sqrt(variance + eps)
    if weight is not None:
        scale *= weight.reshape(-1, 1)
    scale = repeated(scale, places)
    shift = None if bias is None else repeated(bias.reshape(-1, 1), places)
    y = np.empty(seen.shape, x.dtype)
    for b, c in blocks(*seen.shape):
        out = np.subtract(seen[b, c], at[c], y[b, c])
        out *= scale[c]
        if shift is not None:
            out += shift[c]
    return y.reshape(x.shape), mean.reshape(lanes), variance.reshape(lanes)


def per_channel(sums: Any) -> Any:
    """The sums over all places."""
    return np.add.reduce(sums, 1, None, None, True)


def repeated(values: Any, places: int) -> Any:
    """A value for each channel at all its places."""
    return np.repeat(values, places, 1) if places > 1 else values


def over_batch_back(
    up: Any,
    x: Any,
    weight: Any,
    mean: Any,
    variance: Any,
    shape: Any,
    lanes: Any,
    eps: float,
    wanted: Any,
) -> Any:
    """The gradients of `over_batch`."""
    batch, channels, places = shape
    seen, up = (each.reshape(batch, channels, places) for each in (x, up))
    n = batch * places
    at = repeated(mean.reshape(-1, 1), places)
    rate = 1.0 / np.sqrt(variance.reshape(-1, 1) + eps)
    sums = np.zeros((2, channels, places), x.dtype)
    for b, c in blocks(*seen.shape):
        g = up[b, c]
        rest = seen[b, c] - at[c]
        rest *= g
        sums[0, c] += np.add.reduce(rest, 0)
        sums[1, c] += np.add.reduce(g, 0)
    dots, totals = per_channel(sums[0]) * rate, per_channel(sums[1])
    to_x = None
    if wanted[0]:
        scale = rate if weight is None else rate * weight.reshape(-1, 1)
        factors = (scale, scale * rate * dots / n, scale * totals / n)
        of_g, of_x, less = (repeated(each, places) for each in factors)
        to_x = np.empty(seen.shape, x.dtype)
        for b, c in blocks(*seen.shape):
            rest = seen[b, c] - at[c]
            rest *= of_x[c]
            rest += less[c]
            out = np.multiply(up[b, c], of_g[c], to_x[b, c])
            out -= rest
    none = np.zeros((), x.dtype)
    to_weight = dots.reshape(lanes) if wanted[1] else none
    to_bias = totals.reshape(lanes) if wanted[2] else none
    return none if to_x is None else to_x.reshape(x.shape), to_weight, to_bias
