"""The ops of pooling, over any number of last dimensions.

- Windows are described by `windows.Window`; users call the functions in pooling.py.
- The gradient of the largest elements goes to the first of them in each window. It is
  found again on the way back: nothing but the input and the output is kept.
- An average is linear: its gradient spreads each number over its window, and the
  gradient of that is the average again.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import prod
from typing import Any

from plugrad import Tensor, no_grad, op
from plugrad.testing import Sample

from .windows import Ints, Window, make_window, margins, offsets

__all__: list[str] = []


# --- The largest of each window -----------------------------------------------------


def lowest(k: Any, x: Any) -> Any:
    """What is not above any element."""
    if k.isdtype(x.dtype, "real floating"):
        return float("-inf")
    return int(k.iinfo(x.dtype).min)


def first_places(k: Any, x: Any, window: Window) -> Any:
    """Where the first element of each window lies, in row-major order over the pooled
    dimensions of `x`; int64 of the shape of all windows."""
    dims = len(window[0])
    found = None
    for n, s, p, d, count in zip(x.shape[-dims:], *window[1:]):
        starts = k.arange(count, dtype=k.int64) * s - p
        over = (
            -((k.where(starts < 0, starts, starts * 0)) // d) * d
        )  # left of the input
        starts = starts + over
        found = starts if found is None else k.expand_dims(found, axis=-1) * n + starts
    return found


@op(
    promote="same",
    kinds="iuf",
    method=False,
    outputs=("values", "indices"),
    oracle=None,
)
def max_pool_with_indices(k: Any, x: Tensor, window: Window) -> Any:
    """The largest element of each window and where it is, in row-major order over the
    pooled dimensions. The last NaN is larger than all.

    >>> import plugrad
    >>> from plugrad.nn.functional import pooling_ops
    >>> x = plugrad.tensor([[1.0, 5.0, 7.0, 3.0]])
    >>> pooling_ops.max_pool_with_indices(x, ((2,), (2,), (0,), (1,), (2,)))[1]
    tensor([[1, 2]])
    """
    dims = len(window[0])
    sizes = x.shape[-dims:]
    low = lowest(k, x)
    padded = k.constant_pad_nd(x, margins(sizes, window), low)
    shape = (*x.shape[:-dims], *window[4])
    first = k.broadcast_to(first_places(k, x, window), shape)
    values, places = k.full(shape, low, dtype=x.dtype), first
    origin = origins(k, sizes, window)
    for at, index in offsets(window):
        seen = padded[(slice(None),) * (x.ndim - dims) + index]
        larger = k.logical_or(seen > values, seen != seen)
        step = 0
        for i, d, n in zip(at, window[3], sizes):
            step = step * n + i * d
        places = k.where(larger, k.broadcast_to(origin + step, shape), places)
        values = k.where(larger, seen, values)
    return values, places


def origins(k: Any, sizes: Ints, window: Window) -> Any:
    """The row-major place of position 0 of the kernel in each window."""
    found = None
    for n, s, p, count in zip(sizes, window[1], window[2], window[4]):
        starts = k.arange(count, dtype=k.int64) * s - p
        found = starts if found is None else k.expand_dims(found, axis=-1) * n + starts
    return found


def put_flat(k: Any, g: Any, indices: Any, x_shape: Any, dims: int) -> Any:
    """Zeros of a shape, with `g` added at row-major places of the last dimensions."""
    n = len(x_shape) - dims
    lead, total = tuple(x_shape[:n]), prod(x_shape[n:])
    flat = (*lead, prod(g.shape[n:]))
    zeros = k.zeros((*lead, total), dtype=g.dtype)
    g, indices = k.reshape(g, flat), k.reshape(indices, flat)
    return k.reshape(k.scatter_add(zeros, n, indices, g), tuple(x_shape))


def pick_flat(k: Any, x: Any, indices: Any, dims: int) -> Any:
    """The elements of `x` at row-major places of its last dimensions."""
    n = x.ndim - dims
    lead = tuple(x.shape[:n])
    x = k.reshape(x, (*lead, prod(x.shape[n:])))
    places = k.reshape(indices, (*lead, prod(indices.shape[n:])))
    return k.reshape(k.take_along_axis(x, places, axis=n), indices.shape)


max_pool_with_indices.joint(
    lambda k, g, indices, x_shape, window: (
        put_flat(k, g, indices, x_shape, len(window[0])),
    )
)


@op(promote="same", kinds="iuf", method=False, oracle=None)
def max_pool(k: Any, x: Tensor, window: Window) -> Tensor:
    """The largest element of each window.

    >>> import plugrad
    >>> from plugrad.nn.functional import pooling_ops
    >>> x = plugrad.tensor([[1.0, 5.0, 7.0, 3.0]])
    >>> pooling_ops.max_pool(x, ((2,), (2,), (0,), (1,), (2,)))
    tensor([[5., 7.]])
    """
    dims = len(window[0])
    lead = (slice(None),) * (x.ndim - dims)
    x = k.constant_pad_nd(x, margins(x.shape[-dims:], window), lowest(k, x))
    values = None
    for _, index in offsets(window):
        seen = x[lead + index]
        values = seen if values is None else k.maximum(values, seen)
    return k.asarray(values, copy=True) if prod(window[0]) == 1 else values


max_pool.grad(x=lambda k, g, x, y, window: k.max_pool_put(g, x, y, window))


@op(promote="equal", kinds="f", method=False, oracle=None)
def max_pool_put(k: Any, g: Tensor, x: Tensor, y: Tensor, window: Window) -> Tensor:
    """Zeros of the shape of x, with `g` added where the largest elements `y` of the
    windows over x are.

    >>> import plugrad
    >>> from plugrad.nn.functional import pooling_ops
    >>> x, y = plugrad.tensor([[1.0, 5.0, 7.0, 3.0]]), plugrad.tensor([[5.0, 7.0]])
    >>> g = plugrad.tensor([[1.0, 2.0]])
    >>> pooling_ops.max_pool_put(g, x, y, ((2,), (2,), (0,), (1,), (2,)))
    tensor([[0., 1., 2., 0.]])
    """
    places = k.max_pool_with_indices(x, window)[1]
    return put_flat(k, g, places, x.shape, len(window[0]))


max_pool_put.grad(g=lambda k, g, x, window: k.max_pool_pick(g, x, window))


@op(promote="equal", kinds="f", method=False, oracle=None)
def max_pool_pick(k: Any, values: Tensor, x: Tensor, window: Window) -> Tensor:
    """The elements of `values` where the largest of each window over x are.

    >>> import plugrad
    >>> from plugrad.nn.functional import pooling_ops
    >>> x, values = plugrad.tensor([[1.0, 5.0, 7.0, 3.0]]), plugrad.arange(4.0)[None]
    >>> pooling_ops.max_pool_pick(values, x, ((2,), (2,), (0,), (1,), (2,)))
    tensor([[1., 2.]])
    """
    places = k.max_pool_with_indices(x, window)[1]
    return pick_flat(k, values, places, len(window[0]))


max_pool_pick.grad(
    values=lambda k, g, x, window: k.max_pool_put(
        g, x, k.max_pool_pick(x, x, window), window
    )
)


# --- The average of each window -----------------------------------------------------


@lru_cache(512)
def divisors(sizes: Ints, window: Window, whole: bool) -> tuple[tuple[int, ...], ...]:
    """By what the sums are divided: for each dimension, how many elements each window
    has, those of the padding included if `whole`."""
    found = []
    for n, k, s, p, _, count in zip(sizes, *window):
        counts = []
        for i in range(count):
            start = i * s - p
            end = min(start + k, n + p)
            counts.append(end - start if whole else min(end, n) - max(start, 0))
        found.append(tuple(counts))
    return tuple(found)


def divided(k: Any, x: Any, sizes: Ints, window: Window, how: Any) -> Any:
    """Sums of windows divided; `how` is a divisor for all, or whether the padding is
    counted."""
    if type(how) is not bool:
        return x / how if how != 1 else x
    for i, counts in enumerate(reversed(divisors(tuple(sizes), window, how))):
        if min(counts) == max(counts):
            x = x / counts[0]
        else:
            each = k.astype(k.asarray(counts), x.dtype)
            x = x / k.reshape(each, (len(counts),) + (1,) * i)
    return x


@op(promote="same", kinds="f", method=False, oracle=None)
def avg_pool(k: Any, x: Tensor, window: Window, divisor: bool | float = True) -> Tensor:
    """The sum of each window, divided by the number of its elements; or, with `divisor`
    False, of those of the input alone; or by the number `divisor`.

    >>> import plugrad
    >>> from plugrad.nn.functional import pooling_ops
    >>> x = plugrad.tensor([[1.0, 5.0, 7.0, 3.0]])
    >>> pooling_ops.avg_pool(x, ((2,), (2,), (0,), (1,), (2,)))
    tensor([[3., 5.]])
    """
    dims = len(window[0])
    sizes = x.shape[-dims:]
    y = k.constant_pad_nd(x, margins(sizes, window), 0)
    for i, (n, s, count) in enumerate(zip(window[0], window[1], window[4])):
        lead, rest = (
            (slice(None),) * (x.ndim - dims + i),
            (slice(None),) * (dims - 1 - i),
        )
        total = None
        for j in range(n):
            part = y[(*lead, slice(j, j + (count - 1) * s + 1, s), *rest)]
            total = part if total is None else total + part
        y = total
    return divided(k, y, sizes, window, divisor)


@op(promote="same", kinds="f", method=False, oracle=None)
def avg_pool_back(
    k: Any, x: Tensor, sizes: Ints, window: Window, divisor: bool | float = True
) -> Tensor:
    """Each element spread evenly over its window, in zeros of the last dimensions
    `sizes`; the divisor is that of `avg_pool`.

    >>> import plugrad
    >>> from plugrad.nn.functional import pooling_ops
    >>> x = plugrad.tensor([[2.0, 4.0]])
    >>> pooling_ops.avg_pool_back(x, (4,), ((2,), (2,), (0,), (1,), (2,)))
    tensor([[1., 1., 2., 2.]])
    """
    dims = len(window[0])
    y = divided(k, x, sizes, window, divisor)
    for i, (n, size, s, p, _, count) in enumerate(zip(*window[:1], sizes, *window[1:])):
        y = spread(k, y, x.ndim - dims + i, n, s, count)
        cut = (0, 0) * (dims - 1 - i) + (-p, size + p - y.shape[x.ndim - dims + i])
        y = k.constant_pad_nd(y, cut, 0)
    return y


def spread(k: Any, y: Any, d: int, n: int, s: int, count: int) -> Any:
    """Each element of dimension `d` written to `n` places, `s` apart from those of the
    next element, and added up."""
    more = (n - 1) // s  # how many windows further the longest reaches
    rest = (0, 0) * (y.ndim - d - 1)
    columns = []
    for r in range(s):
        total = None
        for q in range(more + 1):
            if r + q * s < n:
                part = k.constant_pad_nd(y, (*rest, q, more - q), 0)
                total = part if total is None else total + part
        if total is None:
            total = k.zeros(
                (*y.shape[:d], count + more, *y.shape[d + 1 :]), dtype=y.dtype
            )
        columns.append(total)
    if s == 1:
        return columns[0]
    joined = k.stack(columns, axis=d + 1)
    return k.reshape(joined, (*y.shape[:d], (count + more) * s, *y.shape[d + 1 :]))


avg_pool.grad(
    x=lambda k, g, x_shape, window, divisor: k.avg_pool_back(
        g, tuple(x_shape[len(x_shape) - len(window[0]) :]), window, divisor
    )
)
avg_pool_back.grad(x=lambda k, g, window, divisor: k.avg_pool(g, window, divisor))


# --- Samples ------------------------------------------------------------------------

# shape, kernel, stride, padding, dilation, whether windows may leave the input
POOLS: list[Any] = [
    ((2, 4), (2,), (2,), (0,), (1,), False),
    ((2, 5), (2,), (2,), (0,), (1,), True),
    ((1, 2, 5), (3,), (1,), (1,), (1,), False),
    ((3, 6), (2,), (3,), (1,), (1,), False),
    ((2, 1, 4, 6), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 5, 5), (3, 3), (2, 2), (1, 1), (1, 1), True),
    ((1, 2, 4, 5), (2, 3), (1, 2), (1, 0), (1, 1), False),
    ((2, 3, 3), (1, 1), (1, 1), (0, 0), (1, 1), False),
    ((0, 2, 4, 4), (2, 2), (2, 2), (0, 0), (1, 1), False),
    ((2, 3, 4, 4), (2, 2, 2), (1, 2, 2), (0, 1, 0), (1, 1, 1), False),
    ((1, 1, 3, 4, 3), (2, 2, 3), (2, 2, 3), (0, 0, 1), (1, 1, 1), True),
]
DILATED: list[Any] = [
    ((2, 7), (3,), (2,), (1,), (2,), False),
    ((1, 6, 7), (2, 3), (2, 1), (1, 2), (3, 2), True),
]


def shaped(pools: list[Any]) -> Iterator[tuple[Ints, Window]]:
    for shape, kernel, *rest in pools:
        sizes = shape[len(shape) - len(kernel) :]
        yield shape, make_window("pool", sizes, kernel, *rest)


@max_pool.samples
@max_pool_with_indices.samples
def _(make: Any) -> Iterator[Sample]:
    for i, (shape, window) in enumerate(shaped(POOLS + DILATED)):
        yield Sample((make.strided if i % 2 else make)(*shape), window)
    window = make_window("pool", (4, 4), 2, 2, 0, 1, False)
    ties = make.filled((1, 4, 4), [1, 2, 2, 0, 1, 3, 3], make.dtype)
    yield Sample(make.tensor(ties), window).named("ties", smooth=False)
    if make.dtype.kind == "f":
        yield Sample(make.special(2, 4, 4), window).named("special", smooth=False)


@max_pool_put.samples
def _(make: Any) -> Iterator[Sample]:
    for shape, window in shaped(POOLS + DILATED):
        x = make(*shape)
        with no_grad():
            y = max_pool(x, window) if make.dtype.kind in "iuf" else x
        yield Sample(make(*y.shape), x, y.detach(), window)


@max_pool_pick.samples
def _(make: Any) -> Iterator[Sample]:
    for shape, window in shaped(POOLS + DILATED):
        yield Sample(make(*shape), make(*shape), window)


@avg_pool.samples
def _(make: Any) -> Iterator[Sample]:
    for i, (shape, window) in enumerate(shaped(POOLS)):
        x = (make.strided if i % 2 else make)(*shape)
        for divisor in (True, False, 3):
            yield Sample(x, window, divisor)


@avg_pool_back.samples
def _(make: Any) -> Iterator[Sample]:
    for i, (shape, window) in enumerate(shaped(POOLS)):
        n = len(window[4])
        lead, sizes = shape[: len(shape) - n], shape[len(shape) - n :]
        x = (make.strided if i % 2 else make)(*lead, *window[4])
        for divisor in (True, False, -2):
            yield Sample(x, sizes, window, divisor)
