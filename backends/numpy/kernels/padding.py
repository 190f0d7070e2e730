"""More elements around an array: one allocation, written part by part."""

from __future__ import annotations

from typing import Any

import numpy as np


def constant_pad_nd(x: Any, pad: Any, value: Any) -> Any:
    """`value` around x; sizes below 0 cut."""
    shape = list(x.shape)
    own, kept = [slice(None)] * x.ndim, [slice(None)] * x.ndim
    d = x.ndim
    for i in range(0, len(pad), 2):
        d -= 1
        low, high = pad[i], pad[i + 1]
        n = shape[d]
        shape[d] = size = n + low + high
        own[d] = slice(max(low, 0), size - max(high, 0))
        kept[d] = slice(max(-low, 0), n - max(-high, 0))
    y = np.zeros(shape, x.dtype)
    if value:
        y.fill(value)
    y[tuple(own)] = x[tuple(kept)]
    return y


def _repeats(mode: str, low: int, n: int, high: int) -> list[tuple[slice, slice]]:
    """Where repeated elements stand along a padded dimension, and which they are; the
    dimension has `n` own elements from position `low` on."""
    end = low + n
    if mode == "circular":
        before, after = slice(n, n + low), slice(low, low + high)
    elif mode == "replicate":
        before, after = slice(low, low + 1), slice(end - 1, end)
    else:
        stop = end - 2 - high
        before = slice(2 * low, low, -1)
        after = slice(end - 2, stop if stop >= 0 else None, -1)
    found = []
    if low:
        found.append((slice(0, low), before))
    if high:
        found.append((slice(end, end + high), after))
    return found


def repeat_pad(x: Any, pad: Any, mode: str) -> Any:
    """Elements of x repeated around it."""
    shape = list(x.shape)
    own, d = [slice(None)] * x.ndim, x.ndim
    for i in range(0, len(pad), 2):
        d -= 1
        own[d] = slice(pad[i], pad[i] + shape[d])
        shape[d] += pad[i] + pad[i + 1]
    y = np.empty(shape, x.dtype)
    y[tuple(own)] = x
    d = x.ndim
    for i in range(0, len(pad), 2):
        d -= 1
        lead = (slice(None),) * d
        for place, source in _repeats(mode, pad[i], x.shape[d], pad[i + 1]):
            y[(*lead, place)] = y[(*lead, source)]
    return y


def repeat_pad_back(g: Any, pad: Any, mode: str) -> Any:
    """Repetitions added to the elements that they repeat."""
    g = g.copy()
    d = g.ndim
    own = [slice(None)] * d
    for i in range(0, len(pad), 2):
        d -= 1
        lead = (slice(None),) * d
        low, high = pad[i], pad[i + 1]
        n = g.shape[d] - low - high
        own[d] = slice(low, low + n)
        for place, source in _repeats(mode, low, n, high):
            part = g[(*lead, place)]
            if mode == "replicate":
                part = np.add.reduce(part, d, None, None, True)
            g[(*lead, source)] += part
    return g[tuple(own)].copy()
