"""Convolutions as products of matrices, which BLAS does at its full speed.

- The windows of the input are copied into a matrix of columns, in blocks that stay in
  the cache: 4 MB, however large the batch and the images. A kernel of one element
  needs no copy, nor does one that has a channel for itself: that is a sum of slices.
- The way back to the input is the same with the kernel turned round, or adds columns
  up in place, whichever touches fewer numbers. With a stride it is the latter.
- 16-bit floats are computed in 32 bits; BLAS has no others.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .columns import Back, Columns, Sizes, Slices

__all__ = ["convolution", "convolution_weight"]

SMALL = 16  # elements in rows that are shorter than a batch
FEW = 4  # results for a channel of its own that are quicker as a sum of slices


def convolution(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Sizes = (1,),
    padding: Sizes = (0,),
    dilation: Sizes = (1,),
    transposed: bool = False,
    output_padding: Sizes = (0,),
    groups: int = 1,
) -> Any:
    """The sums of products with all windows; or, transposed, the way back."""
    n = x.ndim - 2
    if x.itemsize == 2 and x.dtype.kind in "fV":
        wide = [None if a is None else a.astype(np.float32) for a in (x, weight, bias)]
        rest = stride, padding, dilation, transposed, output_padding, groups
        return convolution(*wide, *rest).astype(x.dtype)
    if len(stride) != n:
        stride *= n
    if len(padding) != n:
        padding *= n
    if len(dilation) != n:
        dilation *= n
    if len(output_padding) != n:
        output_padding *= n
    into, out = weight.shape[:2]
    channels = into if transposed else out * groups
    empty = 0 in (into, *weight.shape[2:])
    if empty or x.ndim != weight.ndim or x.shape[1] != channels:
        raise ValueError("a convolution of these shapes is not possible")
    if bias is not None and bias.shape != (out * groups if transposed else into,):
        raise ValueError("a bias of this shape is not possible")
    if not transposed and into % groups:
        raise ValueError("a convolution in these groups is not possible")
    if short_rows(x, weight.shape, groups):
        args = batch_last(x, weight, stride, padding, dilation)
        extra = *output_padding, 0
        return batch_first(
            convolution(*args[:2], bias, *args[2:], transposed, extra, groups)
        )
    if transposed:
        sizes = tuple(
            (m - 1) * s - 2 * p + d * (k - 1) + 1 + more
            for m, s, p, d, k, more in zip(
                x.shape[2:], stride, padding, dilation, weight.shape[2:], output_padding
            )
        )
        y = backward(x, weight, sizes, stride, padding, dilation, groups)
        if bias is not None:
            y += bias.reshape(-1, *(1,) * n)
        return y
    return forward(x, weight, bias, stride, padding, dilation, groups)


def short_rows(x: Any, shape: Sizes, groups: int) -> bool:
    """Whether copies of rows are quicker with the batch in them."""
    if len(x) < SMALL or x.shape[-1] > SMALL:
        return False
    return prod(shape[2:]) > 1 and groups < x.shape[1]


def batch_last(x: Any, weight: Any, *sizes: Sizes) -> Any:
    """The same convolution with the batch as its last dimension, over which the kernel
    has one element."""
    usual = (1,), (0,), (1,)
    steps = (each + one for each, one in zip(sizes, usual))
    return turned_last(x), weight[..., None], *steps


def turned_last(x: Any) -> Any:
    """(batch, channels, *sizes) as (1, channels, *sizes, batch)."""
    flat = x.reshape(len(x), -1)
    return np.ascontiguousarray(flat.T).reshape(1, *x.shape[1:], len(x))


def batch_first(y: Any) -> Any:
    """The way back of `turned_last`."""
    shape = y.shape[-1], *y.shape[1:-1]
    return np.ascontiguousarray(y.reshape(-1, y.shape[-1]).T).reshape(shape)


def forward(
    x: Any,
    weight: Any,
    bias: Any,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
    high: Sizes | None = None,
) -> Any:
    """An ordinary convolution; `high` is the padding at the end, if it is another."""
    kernel, padded = weight.shape[2:], (padding, padding if high is None else high)
    count = tuple(
        (size + low + high - d * (k - 1) - 1) // s + 1
        for size, low, high, d, k, s in zip(
            x.shape[2:], *padded, dilation, kernel, stride
        )
    )
    if min(count) < 1 or not x.size and x.shape[0] and x.shape[1]:
        raise ValueError("there is no room for the kernel")
    batch, out, inner = x.shape[0], weight.shape[0], weight.shape[1]
    y = np.empty((batch, out, *count), x.dtype)
    if not x.size or not weight.size:
        y[...] = 0 if bias is None else bias.reshape(-1, *(1,) * len(count))
        return y
    if inner == 1 and out <= FEW * groups:
        slices = Slices(x, padded, stride, dilation, kernel, count)
        return slices.forward(weight, bias, groups, y)
    rows = weight.reshape(groups, out // groups, -1)
    if bias is not None:
        bias = bias.reshape(groups, -1, 1)
    flat = y.reshape(batch, groups, out // groups, -1)
    if prod(kernel) == prod(stride) == 1 and not any(padded[0]) and not any(padded[1]):
        np.matmul(rows, x.reshape(batch, groups, inner, -1), out=flat)
        if bias is not None:
            flat += bias
        return y
    columns = Columns(x, groups, padded, stride, dilation, kernel, count)
    for some, places, block in columns:
        part = flat[some, :, :, places]
        np.matmul(rows, block, out=part)
        if bias is not None:
            part += bias
    return y


def backward(
    x: Any,
    weight: Any,
    sizes: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """A transposed convolution: of `x`, the gradient, to an input of some sizes."""
    if min(sizes) < 1 or min(x.shape[2:]) < 1 or x.shape[1] % groups:
        raise ValueError("a transposed convolution of these shapes is not possible")
    batch, into = x.shape[:2]
    out, kernel, count = weight.shape[1] * groups, weight.shape[2:], x.shape[2:]
    if not x.size or not weight.size:
        return np.zeros((batch, out, *sizes), x.dtype)
    spans = tuple(d * (k - 1) for d, k in zip(dilation, kernel))
    low = tuple(span - p for span, p in zip(spans, padding))
    high = tuple(n + span - m - a for n, span, m, a in zip(sizes, spans, count, low))
    depthwise = weight.shape[1] == 1 and into <= FEW * groups
    if prod(stride) == 1 and min(low) >= 0 and min(high) >= 0:
        few = into == groups if depthwise else None
        if few or (few is None and 2 * out * prod(count) >= into * prod(sizes)):
            return forward(
                x, turned(weight, groups), None, stride, low, dilation, groups, high
            )
    room = tuple(
        max(p + n, (m - 1) * s + span + 1)
        for p, n, m, s, span in zip(padding, sizes, count, stride, spans)
    )
    back = Back(x, groups, stride, padding, dilation, kernel, room, sizes)
    return back.slices(weight) if depthwise else back.columns(weight)


def turned(weight: Any, groups: int) -> Any:
    """The weight with which an ordinary convolution is the transposed one."""
    into, out, *kernel = weight.shape
    weight = weight.reshape(groups, into // groups, out, *kernel).swapaxes(1, 2)
    weight = weight[(slice(None),) * 3 + (slice(None, None, -1),) * len(kernel)]
    return weight.reshape(groups * out, into // groups, *kernel)


def convolution_weight(
    x: Any,
    other: Any,
    kernel: Sizes,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> Any:
    """The gradient of a convolution to its weight."""
    if x.itemsize == 2 and x.dtype.kind in "fV":
        a, b = x.astype(np.float32), other.astype(np.float32)
        found = convolution_weight(a, b, kernel, stride, padding, dilation, groups)
        return found.astype(x.dtype)
    batch, out, *sizes = other.shape
    count, inner = tuple(sizes), x.shape[1] // groups
    if not x.size or not other.size:
        return np.zeros((out, inner, *kernel), x.dtype)
    shape = out, inner, *kernel
    if short_rows(x, shape, groups):
        sizes = zip((kernel, stride, padding, dilation), (1, 1, 0, 1))
        args = [(*each, one) for each, one in sizes]
        found = convolution_weight(turned_last(x), turned_last(other), *args, groups)
        return found.reshape(shape)
    args = (padding, padding), stride, dilation, tuple(kernel), count
    if inner == 1 and out <= FEW * groups:
        found = np.empty((out, 1, *kernel), x.dtype)
        return Slices(x, *args).weight(other, found)
    g = other.reshape(batch, groups, out // groups, -1)
    total: Any = 0
    for some, places, columns in Columns(x, groups, *args).across():
        part = g[some, :, :, places].transpose(1, 2, 0, 3)
        part = part.reshape(groups, out // groups, -1)
        total = total + np.matmul(part, columns.swapaxes(1, 2))
    return total.reshape(out, inner, *kernel)
