"""Ops of networks, and draws, by NumPy's kernels: few tasks, where the default bodies
would make thousands.

Convolutions and pools stay cut along the batch. What runs in time is one task, and so
is what puts elements anywhere.
"""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np

from .pieces import called, made, rows, whole

BLOCKS = 2**20  # of 32 bytes each, in a chunk of random numbers

# --- Draws ----------------------------------------------------------------------------


def drawn(name: str, dtype: Any, each: int, key: int, counter: int, n: int, *args: Any):
    """`n` numbers, `each` of them from a block of the stream, in chunks."""
    size, chunks = BLOCKS * each, []
    for start in range(0, n, size) or (0,):
        count, at = min(size, n - start), counter + start // each
        chunks.append(made(name, ((count,), dtype), key, at, count, *args))
    return da.concatenate(chunks) if len(chunks) > 1 else chunks[0]


def random_words(key: int, counter: int, blocks: int) -> Any:
    """The words of some blocks."""
    found, size = [], BLOCKS
    for start in range(0, blocks, size) or (0,):
        count = min(size, blocks - start)
        given = key, counter + start, count
        found.append(made("random_words", ((4 * count,), np.dtype("uint64")), *given))
    return da.concatenate(found) if len(found) > 1 else found[0]


def draw_uniform(key: int, counter: int, count: int, dtype: Any) -> Any:
    """Uniform numbers."""
    each = 4 if dtype.name == "float64" else 8
    return drawn("draw_uniform", native(dtype), each, key, counter, count, dtype)


def draw_integers(
    key: int, counter: int, count: int, low: int, high: int, dtype: Any
) -> Any:
    """Integers of a range."""
    each, given = 4 if high - low > 2**32 else 8, (low, high, dtype)
    return drawn("draw_integers", native(dtype), each, key, counter, count, *given)


def draw_normal(key: int, counter: int, count: int, dtype: Any) -> Any:
    """Normal numbers. They come in pairs, whose halves lie far apart: one chunk."""
    given = key, counter, count, dtype
    return made("draw_normal", ((count,), native(dtype)), *given)


def draw_permutation(key: int, counter: int, count: int) -> Any:
    """The integers below `count` in random order."""
    given = key, counter, count
    return made("draw_permutation", ((count,), np.dtype("int64")), *given)


def native(dtype: Any) -> Any:
    """NumPy's dtype; an error where there is none."""
    return np.dtype(dtype.name)


# --- Putting elements anywhere --------------------------------------------------------


def put_flat(x: Any, flat: Any, values: Any, accumulate: bool) -> Any:
    """A vector with values put, or added, at positions."""
    return whole("put_flat", (x.shape, x.dtype), x, flat, values, accumulate)


def combine_flat(x: Any, flat: Any, values: Any, reduce: str) -> Any:
    """A vector with values combined into it at positions."""
    if x.dtype.kind == "c" and reduce != "prod":
        raise RuntimeError(f"{reduce} of complex numbers: they have no order")
    return whole("combine_flat", (x.shape, x.dtype), x, flat, values, reduce)


# --- Pools ----------------------------------------------------------------------------


def max_pool(x: Any, window: Any) -> Any:
    """The largest element of each window."""
    lead = x.ndim - len(window[0])
    y = (*x.shape[:lead], *window[4]), x.dtype
    return rows("max_pool", lead, y, x, window)


def max_pool_with_indices(x: Any, window: Any) -> Any:
    """The largest element of each window, and where it is."""
    lead = x.ndim - len(window[0])
    shape = (*x.shape[:lead], *window[4])
    found = [(shape, x.dtype), (shape, np.dtype("int64"))]
    return rows("max_pool_with_indices", lead, found, x, window)


def max_pool_put(g: Any, x: Any, y: Any, window: Any) -> Any:
    """Numbers added where the largest element of each window is."""
    lead = x.ndim - len(window[0])
    return rows("max_pool_put", lead, (x.shape, g.dtype), g, x, y, window)


def max_pool_pick(values: Any, x: Any, window: Any) -> Any:
    """The elements that lie where the largest of each window is."""
    lead = x.ndim - len(window[0])
    y = (*x.shape[:lead], *window[4]), values.dtype
    return rows("max_pool_pick", lead, y, values, x, window)


def avg_pool(x: Any, window: Any, divisor: Any) -> Any:
    """The average of each window."""
    lead = x.ndim - len(window[0])
    y = (*x.shape[:lead], *window[4]), x.dtype
    return rows("avg_pool", lead, y, x, window, divisor)


def avg_pool_back(x: Any, sizes: Any, window: Any, divisor: Any) -> Any:
    """Each element spread over its window."""
    lead = x.ndim - len(window[0])
    y = (*x.shape[:lead], *sizes), x.dtype
    return rows("avg_pool_back", lead, y, x, tuple(sizes), window, divisor)


# --- Convolutions ---------------------------------------------------------------------


def convolution(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = (1,),
    padding: Any = (0,),
    dilation: Any = (1,),
    transposed: bool = False,
    output_padding: Any = (0,),
    groups: int = 1,
) -> Any:
    """The sums of products with all windows, for each chunk of the batch."""
    n = x.ndim - 2
    given = stride, padding, dilation, transposed, output_padding, groups
    if n < 1 or weight.ndim != x.ndim or 0 in (*weight.shape, *x.shape[1:]):
        raise ValueError("a convolution of these shapes is not possible")
    per = [each if len(each) == n else tuple(each) * n for each in given[:3]]
    extra = output_padding if len(output_padding) == n else tuple(output_padding) * n
    into, out = weight.shape[:2] if transposed else (weight.shape[1], weight.shape[0])
    into, out = (into, out * groups) if transposed else (into * groups, out)
    count = sizes_of(x.shape[2:], weight.shape[2:], per, extra if transposed else None)
    if x.shape[1] != into or weight.shape[0] % groups or min(count) < 1:
        raise ValueError("a convolution of these shapes is not possible")
    if bias is not None and bias.shape != (out,):
        raise ValueError("a bias of this shape is not possible")
    others = [weight] if bias is None else [weight, bias]

    def call(a: Any, w: Any, b: Any = None) -> Any:
        return called("convolution", False, a, w, b, *given)

    inputs = [(x.rechunk((x.chunks[0], *x.shape[1:])), (0, *range(1, n + 2)))]
    at = n + 2
    for each in others:
        inputs.append((each.rechunk(each.shape), tuple(range(at, at + each.ndim))))
        at += each.ndim
    places = (0, *range(at, at + n + 1))
    return da.blockwise(
        call,
        places,
        *(part for pair in inputs for part in pair),
        new_axes=dict(zip(places[1:], (out, *count))),
        dtype=x.dtype,
        meta=np.empty((0,) * (n + 2), x.dtype),
        concatenate=True,
    )


def sizes_of(sizes: Any, kernel: Any, per: Any, extra: Any) -> tuple[int, ...]:
    """The sizes of what a convolution gives; `extra` is None or, where it is
    transposed, what is added."""
    found = []
    for i, (size, span, s, p, d) in enumerate(zip(sizes, kernel, *per)):
        if extra is None:
            found.append((size + 2 * p - d * (span - 1) - 1) // s + 1)
        else:
            found.append((size - 1) * s - 2 * p + d * (span - 1) + 1 + extra[i])
    return tuple(found)


def convolution_weight(
    x: Any,
    other: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Any:
    """The gradient to the weight: the sum of those of all chunks of the batch."""
    shape = (other.shape[1], x.shape[1] // groups, *kernel)
    given = kernel, stride, padding, dilation, groups
    if 0 in (*x.shape, *other.shape):
        return whole("convolution_weight", (shape, x.dtype), x, other, *given)
    n = x.ndim
    x = x.rechunk((x.chunks[0], *x.shape[1:]))
    other = other.rechunk((x.chunks[0], *other.shape[1:]))

    def call(a: Any, b: Any) -> Any:
        return called("convolution_weight", False, a, b, *given)[None]

    places = (0, *range(2 * n, 3 * n))
    parts = da.blockwise(
        call,
        places,
        x,
        tuple(range(n)),
        other,
        (0, *range(n + 1, 2 * n)),
        new_axes=dict(zip(places[1:], shape)),
        adjust_chunks={0: 1},
        dtype=x.dtype,
        meta=np.empty((0,) * (n + 1), x.dtype),
        concatenate=True,
    )
    return da.sum(parts, axis=0, dtype=x.dtype)


# --- What runs in time ----------------------------------------------------------------


def rnn_scan(x: Any, h: Any, weight: Any, *rest: Any) -> Any:
    """The rows of all states."""
    y = (x.shape[0], h.shape[1]), x.dtype
    return whole("rnn_scan", y, x, h, weight, *rest)


def rnn_scan_back(g: Any, weight: Any, y: Any, batch: int, *rest: Any) -> Any:
    """The gradients to the inputs and to the first state."""
    found = [(y.shape, y.dtype), ((batch, y.shape[1]), y.dtype)]
    return whole("rnn_scan_back", found, g, weight, y, batch, *rest)


def lstm_scan(x: Any, h: Any, c: Any, *rest: Any) -> Any:
    """The rows of all outputs, of all cells, and of all gates."""
    count, dtype = x.shape[0], x.dtype
    found = [((count, h.shape[1]), dtype), ((count, c.shape[1]), dtype)]
    return whole("lstm_scan", [*found, (x.shape, dtype)], x, h, c, *rest)


def lstm_scan_back(
    gates: Any,
    g: Any,
    gc: Any,
    c: Any,
    weight: Any,
    project: Any,
    *rest: Any,
) -> Any:
    """The gradients to the inputs and the first state and cell, and, where there is a
    projection, to the outputs."""
    dtype, width = c.dtype, weight.shape[1]
    found = [(gates.shape, dtype), ((c.shape[0], width), dtype), (c.shape, dtype)]
    if project is not None:
        found.append(((gates.shape[0], width), dtype))
    return whole("lstm_scan_back", found, gates, g, gc, c, weight, project, *rest)


def gru_scan(x: Any, h: Any, *rest: Any) -> Any:
    """The rows of all states, and of all gates."""
    count, n = x.shape[0], h.shape[1]
    found = [((count, n), x.dtype), ((count, 4 * n), x.dtype)]
    return whole("gru_scan", found, x, h, *rest)


def gru_scan_back(gates: Any, g: Any, h: Any, weight: Any, y: Any, *rest: Any) -> Any:
    """The gradients to the inputs, to the products with the states, and to the first
    state."""
    wide = (y.shape[0], 3 * y.shape[1]), y.dtype
    found = [wide, wide, (h.shape, y.dtype)]
    return whole("gru_scan_back", found, gates, g, h, weight, y, *rest)
