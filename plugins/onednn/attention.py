"""Attention without a mask, or with the causal one.

- Products of matrices, the minimum with what a causal mask leaves, and softmax are one
  program. It runs over some matrices at a time, so that their scores stay in the cache.
- As in the NumPy backend, no probabilities are kept: the way back computes them again.
- Keys and values are read as they lie: heads that are cut out of one projection need no
  copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import c_int
from math import prod
from typing import Any

import numpy as np

from plugrad import Overrides, get_backend

from . import batches
from .library import (
    DIFF_SOURCE,
    DIFF_TARGET,
    FORWARD_TRAINING,
    SOURCE,
    SOURCE_1,
    TARGET,
    WEIGHTS,
)
from .programs import FLOAT32, Kept, Program, dense, kept, library
from .strided import Seen, compact, layout, matrices, seen, turned

Array = Any
Sizes = tuple[int, ...]

SMALL = 1 << 15  # scores
CHUNK = 1 << 19  # scores that are computed at a time
ROWS = 256  # at most, of a block under a causal mask; it meets no later keys
MOST = 1 << 22  # scores of one matrix; NumPy's kernel cuts these as well
MINIMUM, SOFTMAX = 0x1FFF3, 0x30000
LEAST = 1e-30  # of a probability whose logarithm is used


@kept
def ahead(q: Seen, k: Seen, v: Seen, y: Seen, causal: bool) -> Kept:
    """From queries, keys and values to the scores S, the probabilities P and the means
    Y."""

    def make() -> Program:
        arrays, nodes = front(q, k, causal)
        arrays |= {"v": layout(v), "P": arrays["S"], "Y": layout(y)}
        nodes.append((softmax(q, arrays["S"]), {SOURCE: "S", TARGET: "P"}))
        nodes.append(product(arrays, "PvY"))
        return Program(arrays, nodes)

    return Kept(make, 4 * prod(scored(q, k)))


@kept
def back(
    q: Seen, k: Seen, v: Seen, g: Seen, to: tuple[Seen, ...], causal: bool
) -> Kept:
    """From queries, keys, values and the incoming gradient to those of the three, Q, K
    and V. S is overwritten with the probabilities, and D with the gradient of the
    scores. What is given twice comes turned as well: k, S and D as n, T and E."""

    def make() -> Program:
        arrays, nodes = front(q, k, causal)
        scores = arrays["S"]
        across = layout(turned(compact(scored(q, k))))
        arrays |= {"v": layout(turned(v)), "g": layout(g), "n": layout(k)}
        arrays |= {"T": across, "D": scores, "E": across}
        arrays |= dict(zip("QKV", map(layout, to)))
        what = softmax(q, scores)
        nodes.append((what, {SOURCE: "S", TARGET: "S"}))
        nodes += [product(arrays, "TgV"), product(arrays, "gvD")]
        make = library().computation
        axis = c_int(len(q[0]) - 1)
        upward = make("softmax_backward", SOFTMAX, scores, scores, scores, axis, what)
        roles = {TARGET: "S", DIFF_TARGET: "D", DIFF_SOURCE: "D"}
        nodes.append((upward, roles))
        nodes += [product(arrays, "DnQ"), product(arrays, "EqK")]
        return Program(arrays, nodes)

    return Kept(make, 8 * prod(scored(q, k)))


def front(q: Seen, k: Seen, causal: bool) -> tuple[dict[str, Any], list[Any]]:
    """The scores: the arrays and the computations."""
    sizes = scored(q, k)
    arrays = {"q": layout(q), "k": layout(turned(k)), "S": dense(sizes)}
    nodes = [product(arrays, "qkS")]
    if causal:
        mask = dense((*(1 for _ in sizes[:-2]), *sizes[-2:]))
        given = MINIMUM, arrays["S"], mask, arrays["S"]
        what = library().computation("binary", *given)
        nodes.append((what, {SOURCE: "S", SOURCE_1: "m", TARGET: "S"}))
        arrays["m"] = mask
    return arrays, nodes


def product(arrays: dict[str, Any], names: str) -> Any:
    """The products of matrices of two names, as a third."""
    a, b, y = names
    what = library().computation("matmul", arrays[a], arrays[b], None, arrays[y])
    return what, {SOURCE: a, WEIGHTS: b, TARGET: y}


def softmax(q: Seen, scores: Any) -> Any:
    """The probabilities of scores."""
    given = FORWARD_TRAINING, SOFTMAX, scores, scores, c_int(len(q[0]) - 1)
    return library().computation("softmax_forward", *given)


def scored(q: Seen, k: Seen) -> Sizes:
    """The sizes of the scores of queries and keys."""
    return *q[0][:-1], k[0][-2]


# --- Arrays ---------------------------------------------------------------------------


def places(front: Sizes, size: int) -> Iterator[tuple[slice, ...]]:
    """Indices of as many matrices of a size as are computed at a time, over all."""
    if not front:
        yield ()
        return
    inner = prod(front[1:]) * size
    many = max(CHUNK // inner, 1)
    every = [(slice(None),) * len(front[1:])]
    for start in range(0, front[0], many):
        for rest in every if inner <= CHUNK else places(front[1:], size):
            yield slice(start, start + many), *rest


def blocks(sizes: Sizes, columns: int, causal: bool) -> Iterator[tuple[Any, Any]]:
    """Which queries, and which keys they meet, as indices; sizes are those of queries
    but for the last."""
    *front, rows = sizes
    high = min(ROWS, rows) if causal else rows
    for at in places(tuple(front), high * columns):
        for start in range(0, rows, high):
            stop = min(start + high, rows)
            met = min(stop, columns) if causal else columns
            yield (*at, slice(start, stop)), (*at, slice(met))


@kept
def causal_mask(rows: int, columns: int, first: int) -> Array:
    """Infinity where a row sees a column, and -infinity elsewhere."""
    seen = np.tri(rows, columns, first, bool)
    return np.where(seen, FLOAT32.type(np.inf), FLOAT32.type(-np.inf))


def masks(causal: bool, q: Array, k: Array, at: tuple[slice, ...]) -> tuple[Array, ...]:
    """The causal mask of a block, if it is wanted."""
    return (causal_mask(q.shape[-2], k.shape[-2], at[-1].start),) if causal else ()


def logarithms(scores: Array, p: Array) -> Array:
    """Of each row, the logarithm of the sum of its scores' exponentials: a score less
    the logarithm of its probability. Where that of the first, which no mask hides, is
    too small, all are summed up."""
    first = p[..., 0]
    small = ~(first > LEAST)
    total = scores[..., 0] - np.log(np.where(small, FLOAT32.type(1), first))
    if small.any():
        rows = scores[small]
        most = rows.max(-1, keepdims=True)
        total[small] = np.log(np.exp(rows - most).sum(-1)) + most[..., 0]
    return total


# --- The ops --------------------------------------------------------------------------


def accepts(
    query: Array, key: Array, value: Array, mask: Any, causal: bool, scale: float
) -> bool:
    """Whether the library is the faster."""
    if mask is not None or not query.dtype is FLOAT32 is key.dtype is value.dtype:
        return False
    if not 2 < query.ndim < 6 or 0 in (*query.shape, *key.shape, *value.shape):
        return False
    if not batches.are_quick():
        return False
    matrix = (min(query.shape[-2], ROWS) if causal else query.shape[-2]) * key.shape[-2]
    return matrix <= MOST and matrix * prod(query.shape[:-2]) >= SMALL


def attention(
    query: Array, key: Array, value: Array, mask: Any, causal: bool, scale: float
) -> tuple[Array, Array]:
    """The means of values, and the logarithms of the sums."""
    *front, rows, _ = query.shape
    columns, width = value.shape[-2:]
    scaled = np.multiply(query, FLOAT32.type(scale), order="C")
    keys, values = matrices(key), matrices(value)
    # As in the NumPy backend: heads side by side are joined without a copy.
    y = np.empty((*front[:1], rows, *front[1:], width), FLOAT32)
    y = np.moveaxis(y, 1, -2)
    total = np.empty((*front, rows), FLOAT32)
    for at, met in blocks(query.shape[:-1], columns, causal):
        q, k, v, to = scaled[at], keys[met], values[met], y[at]
        scores, p = np.empty((2, *q.shape[:-1], k.shape[-2]), FLOAT32)
        run = ahead(seen(q), seen(k), seen(v), seen(to), causal).run
        run(q, k, scores, *masks(causal, q, k, at), v, p, to)
        total[at] = logarithms(scores, p)
    if not np.isfinite(total).all():  # NumPy's knows how that spreads
        return plain_kernel("attention")(query, key, value, mask, causal, scale)
    return y, total


def forward(
    query: Array, key: Array, value: Array, mask: Any, causal: bool, scale: float
) -> tuple[Any, Any]:
    """Attention, and what its gradients need."""
    found = attention(query, key, value, mask, causal, scale)
    return found, (query, key, value, *found, causal, scale)


def vjp(g: Array, state: Any, need: Any) -> list[Array | None]:
    """The gradients to queries, keys and values."""
    *arrays, total, causal, scale = state
    if not np.isfinite(total).all():  # NumPy's knows how that spreads
        back = plain_kernel("attention_back")
        return [*back(g, *arrays, total, None, causal, scale), None]
    return [*gradients(g, *arrays[:3], causal, scale), None]


def gradients(
    g: Array, query: Array, key: Array, value: Array, causal: bool, scale: float
) -> list[Array]:
    """The gradients, from the probabilities computed again."""
    columns = key.shape[-2]
    found = to_query, to_key, to_value = [
        np.empty_like(each) for each in (query, key, value)
    ]
    cut = causal and query.shape[-2] > ROWS
    if cut or (
        causal and columns > query.shape[-2]
    ):  # some keys are met never, or often
        to_key[...] = to_value[...] = 0
    query = np.multiply(query, FLOAT32.type(scale), order="C")
    g, key, value = matrices(g), matrices(key), matrices(value)
    for at, met in blocks(query.shape[:-1], columns, causal):
        q, k, v, up = query[at], key[met], value[met], g[at]
        s, d = np.empty((2, *q.shape[:-1], k.shape[-2]), FLOAT32)
        to = to_query[at], to_key[met], to_value[met]
        if cut:
            to = to[0], np.empty(k.shape, FLOAT32), np.empty(v.shape, FLOAT32)
        layouts = tuple([seen(each) for each in to])
        run = back(seen(q), seen(k), seen(v), seen(up), layouts, causal).run
        run(q, k, s, *masks(causal, q, k, at), v, up, k, s, d, d, *to)
        if cut:
            to_key[met] += to[1]
            to_value[met] += to[2]
    to_query *= FLOAT32.type(scale)
    return found


def plain_kernel(op: str) -> Any:
    """The backend's own kernel."""
    return get_backend("numpy").find_kernel(op)


def give(kernels: Overrides) -> None:
    """Add the kernels of attention."""
    kernels.pair("attention", forward, vjp, accepts=accepts)
