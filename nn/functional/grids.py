"""Arrays of shape (batch, channels, *sizes): room around them, steps in them.

All in functions of the array API, on raw arrays and, for the rules of ops, on Tensors.
"""

from __future__ import annotations

from itertools import product
from typing import Any

Sizes = tuple[int, ...]


def size_of(sizes: Any) -> int:
    """The product of some sizes."""
    n = 1
    for each in sizes:
        n *= each
    return n


def per_dim(n: int, sizes: Sizes) -> Sizes:
    """A number for each of n dimensions, of which one was given for all."""
    return sizes * n if len(sizes) == 1 else sizes


def reach(kernel: Sizes, dilation: Sizes) -> Sizes:
    """How many positions a kernel spans."""
    return tuple(d * (size - 1) + 1 for size, d in zip(kernel, dilation))


def counts(sizes: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Sizes:
    """How often a kernel fits into padded sizes; 0 or less where it does not."""
    each = zip(sizes, reach(kernel, dilation), stride, padding)
    return tuple((size + 2 * p - span) // s + 1 for size, span, s, p in each)


def missing(x: Any, sizes: Any, stride: Any, padding: Any, kernel: Any) -> Sizes:
    """What a transposed convolution of `x` lacks to give `sizes`; `kernel` is what a
    kernel spans."""
    each = zip(sizes, x.shape[2:], stride, padding, kernel)
    return tuple(n - ((m - 1) * s - 2 * p + span) for n, m, s, p, span in each)


def offsets(kernel: Sizes, dilation: Sizes) -> list[Sizes]:
    """Where the elements of a kernel lie, in the order of its memory."""
    ranges = [range(0, size * d, d) for size, d in zip(kernel, dilation)]
    return list(product(*ranges))


def steps(x: Any, start: Sizes, stride: Sizes, count: Sizes) -> Any:
    """Every `stride`-th element of the last dimensions, from `start`."""
    index = tuple(
        slice(a, a + (n - 1) * s + 1, s) for a, s, n in zip(start, stride, count)
    )
    return x[(slice(None), slice(None), *index)]


def cropped(x: Any, sizes: Any) -> Any:
    """The first elements of the last dimensions, where there are more."""
    sizes = tuple(sizes)
    if x.shape[2:] == sizes:
        return x
    index = tuple(slice(0, n) for n in sizes)
    return x[(slice(None), slice(None), *index)]


def widened(k: Any, x: Any, low: Sizes, high: Sizes) -> Any:
    """`x` with zeros around; where a number is negative, less of it."""
    for i, (before, after) in enumerate(zip(low, high)):
        axis = i + 2
        if before < 0 or after < 0:
            index = [slice(None)] * x.ndim
            index[axis] = slice(max(-before, 0), x.shape[axis] + min(after, 0))
            x = x[tuple(index)]
        parts = [x]
        for at, n in ((0, before), (1, after)):
            if n > 0:
                shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
                parts.insert(len(parts) * at, k.zeros(shape, dtype=x.dtype))
        x = k.concat(parts, axis=axis) if len(parts) > 1 else x
    return x


def spaced(k: Any, x: Any, stride: Sizes) -> Any:
    """`x` with stride - 1 zeros between any two neighbours."""
    for i, s in enumerate(stride):
        axis = i + 2
        n = x.shape[axis]
        if s == 1 or n < 2:
            continue
        room = k.zeros(
            (*x.shape[: axis + 1], s - 1, *x.shape[axis + 1 :]), dtype=x.dtype
        )
        x = k.concat([k.expand_dims(x, axis=axis + 1), room], axis=axis + 1)
        x = k.reshape(x, (*x.shape[:axis], n * s, *x.shape[axis + 2 :]))
        index = [slice(None)] * x.ndim
        index[axis] = slice(0, (n - 1) * s + 1)
        x = x[tuple(index)]
    return x
