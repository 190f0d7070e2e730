"""Pooling on strided views: each position of the kernel is one slice of the input.

A window is (kernel, stride, padding, dilation, size), each a tuple over the pooled
dimensions, which are the last ones.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any

import numpy as np

Window = Any


class Plan:
    """What follows from a window and the sizes of the pooled dimensions alone."""

    def __init__(self, sizes: tuple[int, ...], window: Window) -> None:
        starts = [
            [slice(i * d, i * d + (count - 1) * s + 1, s) for i in range(k)]
            for k, s, _, d, count in zip(*window)
        ]
        last = (slice(None),) * (len(sizes) - 1)
        # what each position of the kernel sees, in row-major order
        self.slices = [(..., *index) for index in itertools.product(*starts)]
        # the same along one dimension after the other
        self.lines = [
            [(..., each, *last[: len(sizes) - 1 - i]) for each in line]
            for i, line in enumerate(starts)
        ]
        self.room = tuple(
            max(p + size, (count - 1) * s + (k - 1) * d + 1)
            for size, k, s, p, d, count in zip(sizes, *window)
        )
        self.own = (..., *[slice(p, p + n) for n, p in zip(sizes, window[2])])
        self.fits = self.room == sizes
        self.apart = max(window[3]) == 1 and all(
            k <= s or count == 1 for k, s, _, _, count in zip(*window)
        )
        self.whole = not any(window[2]) and all(
            (count - 1) * s + k <= n for n, k, s, _, _, count in zip(sizes, *window)
        )
        self.count = math.prod(window[0])  # of elements, where windows are whole
        self.tiles = self.apart and all(
            k == s and n == count * s
            for n, k, s, _, _, count in zip(self.room, *window)
        )
        self.covers = (
            self.fits and self.apart and all(n == k for n, k in zip(sizes, window[0]))
        )


_plan = functools.lru_cache(512)(Plan)


def _padded(x: Any, plan: Plan, value: Any) -> Any:
    """`x` with room for all windows."""
    if plan.fits:
        return x
    y = np.full(x.shape[: -len(plan.room)] + plan.room, value, x.dtype)
    y[plan.own] = x
    return y


def _lowest(x: Any) -> Any:
    """What is not above any element."""
    return -np.inf if x.dtype.kind in "fV" else np.iinfo(x.dtype).min


def max_pool(x: Any, window: Window) -> Any:
    """The largest of each window, one dimension after the other: k + k comparisons in
    place of k * k. Windows of 2 x 2 on 64 x 6 x 24 x 24 numbers take 0.1 ms."""
    plan = _plan(x.shape[-len(window[0]) :], window)
    y = x if plan.fits else _padded(x, plan, _lowest(x))
    for line in plan.lines:
        if len(line) == 1:
            y = y[line[0]]
            continue
        whole, y = y, np.maximum(y[line[0]], y[line[1]])
        for index in line[2:]:
            np.maximum(y, whole[index], out=y)
    return y if y.base is None and y is not x else y.copy()


def max_pool_with_indices(x: Any, window: Window) -> tuple[Any, Any]:
    """The largest of each window, and where it is."""
    dims = len(window[0])
    sizes = x.shape[-dims:]
    plan = _plan(sizes, window)
    wide = _padded(x, plan, _lowest(x))
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
    for index, at in zip(plan.slices, steps):
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
    plan = _plan(x.shape[-len(window[0]) :], window)
    wide = _padded(x, plan, _lowest(x))
    out = np.zeros(wide.shape, g.dtype)
    free = None  # where the largest has not been met yet
    for index in plan.slices:
        mask = np.equal(wide[index], y)
        if free is None:
            free = ~mask
        else:
            mask &= free
            free ^= mask
        if plan.apart:
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
    return out if plan.fits else out[plan.own].copy()


def _counts(size: int, k: int, s: int, p: int, count: int, whole: bool) -> Any:
    """How many elements the windows along one dimension have; those of the padding,
    too, if `whole`."""
    starts = np.arange(count) * s - p
    ends = np.minimum(starts + k, size + p)
    if not whole:
        starts, ends = np.maximum(starts, 0), np.minimum(ends, size)
    return ends - starts


def _divided(y: Any, sizes: Any, window: Window, plan: Plan, how: Any) -> Any:
    """Sums of windows divided by a number, or by the number of their elements."""
    if type(how) is not bool:
        return y if how == 1 else y / how
    if plan.whole:
        return y / plan.count
    total: Any = np.int64(1)
    for size, k, s, p, _, count in zip(sizes, *window):
        total = total[..., None] * _counts(size, k, s, p, count, how)
    return y / total.astype(y.dtype)


def avg_pool(x: Any, window: Window, divisor: Any) -> Any:
    """The sum of each window, divided."""
    sizes = x.shape[-len(window[0]) :]
    plan = _plan(sizes, window)
    y = x if plan.fits else _padded(x, plan, 0)
    if plan.covers and x.itemsize >= 4:
        n = math.prod(sizes)  # a product with ones: a tenth of the time of `add.reduce`
        rows = y.reshape(*y.shape[: -len(sizes)], n) if x.size else y.reshape(0, n)
        y = rows.dot(np.ones(n, y.dtype))
        y = y.reshape(x.shape[: -len(sizes)] + (1,) * len(sizes))
        return _divided(y, sizes, window, plan, divisor)
    for line in plan.lines:
        if len(line) == 1:
            y = y[line[0]]
            continue
        whole, y = y, np.add(y[line[0]], y[line[1]])
        for index in line[2:]:
            np.add(y, whole[index], out=y)
    y = _divided(y, sizes, window, plan, divisor)
    return y if y.base is None and y is not x else y.copy()


def avg_pool_back(g: Any, sizes: Any, window: Window, divisor: Any) -> Any:
    """Each element spread evenly over its window."""
    plan = _plan(sizes, window)
    y = _divided(g, sizes, window, plan, divisor)
    if plan.covers:
        return np.broadcast_to(y, g.shape[: -len(sizes)] + sizes).copy()
    first = g.ndim - len(sizes)
    for i, line in enumerate(plan.lines):
        shape = list(y.shape)
        shape[first + i] = plan.room[i]
        out = (np.empty if plan.tiles else np.zeros)(shape, y.dtype)
        for index in line:
            if plan.apart:
                out[index] = y
            else:
                out[index] += y
        y = out
    return y if plan.fits else y[plan.own].copy()
