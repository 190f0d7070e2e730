"""Attention in blocks that stay in the cache: scores are never all there at once.

A block is some matrices, or some rows of one. Under a causal mask a block of rows meets
only the keys up to its last row, which is half of the work.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

BLOCK = 1 << 17  # scores in a block; 64K to 512K take the same time
ROWS = 128  # at most, of a causal block
HIDDEN = -np.inf


def attention(
    query: Any, key: Any, value: Any, mask: Any, causal: bool, scale: float
) -> Any:
    """The means of values, and the logarithms of the sums."""
    if query.itemsize == 2:
        wide = _wide(query, key, value, mask)
        return tuple(
            a.astype(query.dtype) if i == 0 else a
            for i, a in enumerate(attention(*wide, causal, scale))
        )
    *front, length, _ = query.shape
    y = _like_heads(front, length, value)
    total = np.zeros((*front, length), query.dtype)
    if not key.shape[-2]:
        y[...] = 0
        return y, total
    mask = _whole(mask, front, length, key.shape[-2])
    for place, rows, cols in _blocks(front, length, key.shape[-2], causal):
        at, seen = (*place, rows), (*place, slice(cols))
        s = _scores(query[at], key[seen], mask, place, rows, cols, causal, scale)
        most = np.maximum.reduce(s, -1, None, None, True)
        if not np.isfinite(most).all():
            most = np.where(np.isfinite(most), most, most.dtype.type(0))
        s -= most
        np.exp(s, s)
        sums = s.dot(np.ones((cols, 1), s.dtype))
        if mask is not None:
            sums[sums == 0] = 1
        out = y[at]
        np.matmul(s, value[seen], out=out)
        out /= sums
        most += np.log(sums, sums)
        total[at] = most[..., 0]
    return y, total


def attention_back(
    g: Any,
    query: Any,
    key: Any,
    value: Any,
    y: Any,
    total: Any,
    mask: Any,
    causal: bool,
    scale: float,
) -> Any:
    """The gradients to queries, keys and values."""
    if query.itemsize == 2:
        wide = _wide(g, query, key, value, y, total, mask)
        found = attention_back(*wide, causal, scale)
        return tuple([a.astype(query.dtype) for a in found])
    *front, length, _ = query.shape
    gq, gk, gv = np.empty_like(query), np.zeros_like(key), np.zeros_like(value)
    mask = _whole(mask, front, length, key.shape[-2])
    inner = np.vecdot(g, y)[..., None]
    total = total[..., None]
    for place, rows, cols in _blocks(front, length, key.shape[-2], causal):
        at, seen = (*place, rows), (*place, slice(cols))
        q, x, gs = query[at], key[seen], g[at]
        p = _scores(q, x, mask, place, rows, cols, causal, scale)
        p -= total[at]
        np.exp(p, p)
        gv[seen] += np.matmul(p.mT, gs)
        to = np.matmul(gs, value[seen].mT)
        to -= inner[at]
        to *= p
        to *= p.dtype.type(scale)
        np.matmul(to, x, out=gq[at])
        gk[seen] += np.matmul(to.mT, q)
    return gq, gk, gv


def _wide(*arrays: Any) -> Any:
    """Arrays of 16 bits as float32; masks of booleans stay."""
    return [a if a is None or a.dtype == bool else a.astype(np.float32) for a in arrays]


def _like_heads(front: Any, length: int, value: Any) -> Any:
    """Room for the result. Of four dimensions, (batch, heads, steps, size), heads lie
    side by side in memory: there they are joined to one vector without a copy."""
    size = value.shape[-1]
    if len(front) != 2:
        return np.empty((*front, length, size), value.dtype)
    batch, heads = front
    return np.empty((batch, length, heads, size), value.dtype).swapaxes(1, 2)


def _whole(mask: Any, front: Any, length: int, keys: int) -> Any:
    """The mask as a view of the shape of all scores."""
    return None if mask is None else np.broadcast_to(mask, (*front, length, keys))


def _blocks(front: Any, length: int, keys: int, causal: bool) -> Iterator[Any]:
    """Where each block is: matrices, a slice of rows, and how many keys they meet."""
    rows = max(BLOCK // max(keys, 1), 32)
    rows = min(rows, ROWS if causal else rows, max(length, 1))
    for place in _places(front, rows * keys):
        for start in range(0, length, rows):
            stop = min(start + rows, length)
            yield place, slice(start, stop), min(stop, keys) if causal else keys


def _places(front: Any, size: int) -> Iterator[tuple[Any, ...]]:
    """Indices of as many matrices as fit in a block, over all of them."""
    if not front:
        yield ()
        return
    inner = size
    for n in front[1:]:
        inner *= n
    many = max(BLOCK // max(inner, 1), 1)
    every = (slice(None),) * (len(front) - 1)
    for start in range(0, front[0], many):
        part = slice(start, start + many)
        if inner <= BLOCK:
            yield part, *every
        else:
            for rest in _places(front[1:], size):
                yield part, *rest


def _scores(
    q: Any,
    x: Any,
    mask: Any,
    place: Any,
    rows: slice,
    cols: int,
    causal: bool,
    scale: float,
) -> Any:
    """The masked scores of one block."""
    s = np.matmul(q * q.dtype.type(scale), x.mT)
    if mask is not None:
        part = mask[(*place, rows, slice(cols))]
        if part.dtype == bool:
            np.copyto(s, HIDDEN, where=~part)
        else:
            s += part
    if causal and cols > rows.start + 1:
        later = _later(rows.stop - rows.start, cols - rows.start)
        np.copyto(s[..., rows.start :], HIDDEN, where=later)
    return s


@lru_cache(64)
def _later(rows: int, columns: int) -> Any:
    """What lies above the diagonal."""
    return ~np.tri(rows, columns, 0, bool)
