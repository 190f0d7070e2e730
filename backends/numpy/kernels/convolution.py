"""Convolutions as products of matrices, which BLAS does at its full speed.

- The windows of the input are copied into a matrix of columns, in blocks that stay in
  the cache: 2 MB, however large the batch and the images. A kernel of one element
  needs no copy, nor does one that has a channel for itself: that is a sum of slices.
- The way back to the input is the same with the kernel turned round, or adds columns
  up in place, whichever touches fewer numbers. With a stride it is the latter.
- 16-bit floats are computed in 32 bits; BLAS has no others.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

__all__ = ["col2im", "convolution", "convolution_weight", "im2col"]

Sizes = tuple[int, ...]
BLOCK = 2 << 20  # bytes of columns at a time
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
    if into % groups:
        raise ValueError("a convolution in these groups is not possible")
    return forward(x, weight, bias, stride, padding, dilation, groups)


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


class Windows:
    """The windows of an input, with room around it, for some of its batch at a time."""

    def __init__(
        self,
        x: Any,
        padded: tuple[Sizes, Sizes],
        stride: Sizes,
        dilation: Sizes,
        kernel: Sizes,
        count: Sizes,
    ) -> None:
        self.x, self.low, self.high = x, *padded
        self.stride, self.dilation = stride, dilation
        self.kernel, self.count = kernel, count
        self.room: Any = None

    def padded(self, a: int, b: int) -> Any:
        """Some of the batch, with zeros around it."""
        x = self.x[a:b]
        if not any(self.low) and not any(self.high):
            return x
        if self.room is None:
            sizes = zip(x.shape[2:], self.low, self.high)
            shape = *x.shape[:2], *(low + n + high for n, low, high in sizes)
            self.room = np.zeros(shape, x.dtype)
        inside = [slice(low, low + n) for low, n in zip(self.low, x.shape[2:])]
        room = self.room[: b - a]
        room[(slice(None), slice(None), *inside)] = x
        return room

    def view(self, x: Any) -> Any:
        """A view of `padded`: (batch, channels, *kernel, *count)."""
        steps = x.strides[2:]
        return np.lib.stride_tricks.as_strided(
            x,
            (*x.shape[:2], *self.kernel, *self.count),
            (
                *x.strides[:2],
                *(step * d for step, d in zip(steps, self.dilation)),
                *(step * s for step, s in zip(steps, self.stride)),
            ),
        )


class Columns(Windows):
    """The windows as matrices in blocks: of several of the batch, or of some rows."""

    def __init__(self, x: Any, groups: int, *args: Any) -> None:
        super().__init__(x, *args)
        self.groups = groups
        row = x.shape[1] * prod(self.kernel) * prod(self.count[1:]) * x.itemsize
        rows = max(1, BLOCK // row)
        self.rows = min(rows, self.count[0])
        self.some = min(max(1, rows // self.count[0]), x.shape[0])

    def blocks(self) -> Any:
        """(first, last of the batch, first, last row)."""
        firsts = range(0, self.x.shape[0], self.some)
        for a, r in product(firsts, range(0, self.count[0], self.rows)):
            b = min(a + self.some, self.x.shape[0])
            yield a, b, r, min(r + self.rows, self.count[0])

    def __iter__(self) -> Any:
        """(of the batch, of the places, matrices (batch, groups, rows, places))."""
        n, inner = len(self.kernel), prod(self.count[1:])
        shape = self.some, self.x.shape[1], *self.kernel, self.rows, *self.count[1:]
        memory = np.empty(prod(shape), self.x.dtype)
        last = None
        for a, b, r, end in self.blocks():
            if a != last:
                view, last = self.view(self.padded(a, b)), a
            part = view[(slice(None),) * (2 + n) + (slice(r, end),)]
            columns = memory[: part.size].reshape(part.shape)
            columns[...] = part
            columns = columns.reshape(b - a, self.groups, -1, (end - r) * inner)
            yield slice(a, b), slice(r * inner, end * inner), columns

    def across(self) -> Any:
        """(of the batch, of the places, matrices (groups, rows, batch * places))."""
        n, inner = len(self.kernel), prod(self.count[1:])
        order = *range(1, n + 2), 0, *range(n + 2, 2 * n + 2)
        memory = np.empty(
            self.x.shape[1] * prod(self.kernel) * self.some * self.rows * inner,
            self.x.dtype,
        )
        last = None
        for a, b, r, end in self.blocks():
            if a != last:
                view, last = self.view(self.padded(a, b)).transpose(order), a
            part = view[(slice(None),) * (2 + n) + (slice(r, end),)]
            columns = memory[: part.size].reshape(part.shape)
            columns[...] = part
            columns = columns.reshape(self.groups, -1, (b - a) * (end - r) * inner)
            yield slice(a, b), slice(r * inner, end * inner), columns


class Slices(Windows):
    """Convolutions of each channel on its own, as sums of slices of the input."""

    def parts(self, x: Any) -> Any:
        """(element of the kernel, the slice of `x` that it sees)."""
        for at in product(*map(range, self.kernel)):
            index = tuple(
                slice(i * d, i * d + (n - 1) * s + 1, s)
                for i, d, n, s in zip(at, self.dilation, self.count, self.stride)
            )
            yield at, x[(slice(None), slice(None), *index)]

    def some(self) -> int:
        """How many of the batch are done at a time."""
        return max(1, BLOCK // 4 // (self.x[0].size * self.x.itemsize))

    def forward(self, weight: Any, bias: Any, groups: int, y: Any) -> Any:
        """Into `y`, the sums of weighted slices."""
        each = weight.shape[0] // groups
        ones = (1,) * len(self.count)
        step = self.some()
        for a in range(0, len(y), step):
            x = self.padded(a, min(a + step, len(y)))
            room = np.empty((len(x), groups, *self.count), y.dtype)
            for j in range(each):
                whole = y[a : a + step, j::each]
                total = whole if each == 1 else np.empty_like(room)
                first = True
                for at, part in self.parts(x):
                    w = weight[(slice(j, None, each), 0, *at)].reshape(-1, *ones)
                    if first:
                        np.multiply(part, w, out=total)
                        first = False
                    else:
                        total += np.multiply(part, w, out=room)
                if bias is not None:
                    total += bias[j::each].reshape(-1, *ones)
                if each > 1:
                    whole[...] = total
        return y

    def weight(self, other: Any, found: Any) -> Any:
        """Into `found`, the gradient to the weight."""
        groups = self.x.shape[1]
        each = other.shape[1] // groups
        axes = 0, *range(2, 2 + len(self.count))
        found[...] = 0
        step = self.some()
        for a in range(0, len(other), step):
            x = self.padded(a, min(a + step, len(other)))
            for j in range(each):
                g = other[a : a + step, j::each]
                for at, part in self.parts(x):
                    sums = np.add.reduce(part * g, axes)
                    found[(slice(j, None, each), 0, *at)] += sums
        return found

    def backward(self, weight: Any, g: Any, into: Any) -> None:
        """Add to `into` what comes back along each slice."""
        groups = into.shape[1]
        each = g.shape[1] // groups
        ones = (1,) * len(self.count)
        room = np.empty((len(g), groups, *self.count), g.dtype)
        for j in range(each):
            for at, part in self.parts(into):
                w = weight[(slice(j, None, each), 0, *at)].reshape(-1, *ones)
                part += np.multiply(g[:, j::each], w, out=room)


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
    if prod(stride) == 1 and min(low) >= 0 and min(high) >= 0 and not depthwise:
        if 2 * out * prod(count) >= into * prod(sizes):
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


class Back:
    """Adds up what columns say of an input, for some of the batch at a time."""

    def __init__(
        self,
        g: Any,
        groups: int,
        stride: Sizes,
        padding: Sizes,
        dilation: Sizes,
        kernel: Sizes,
        room: Sizes,
        sizes: Sizes,
    ) -> None:
        self.g, self.groups = g, groups
        self.stride, self.padding, self.dilation = stride, padding, dilation
        self.kernel, self.room, self.sizes = kernel, room, sizes

    def sums(self, out: int, some: int, add: Any) -> Any:
        """The result: `add` puts into its argument what belongs to a part of `g`."""
        batch = len(self.g)
        y = np.empty((batch, out, *self.sizes), self.g.dtype)
        direct = self.room == self.sizes and not any(self.padding)
        room = None if direct else np.empty((some, out, *self.room), y.dtype)
        inside = tuple(slice(p, p + n) for p, n in zip(self.padding, self.sizes))
        for a in range(0, batch, some):
            b = min(a + some, batch)
            into = y[a:b] if room is None else room[: b - a]
            into[...] = 0
            add(self.g[a:b], into)
            if room is not None:
                y[a:b] = into[(slice(None), slice(None), *inside)]
        return y

    def slices(self, weight: Any) -> Any:
        """Where each channel has a kernel for itself."""
        g = self.g
        args = (self.stride, self.dilation, self.kernel, g.shape[2:])
        walk = Slices(g, (self.padding, self.padding), *args)

        def add(g: Any, into: Any) -> None:
            walk.backward(weight, g, into)

        return self.sums(self.groups, walk.some(), add)

    def columns(self, weight: Any) -> Any:
        """Where columns are a product of the weight and the gradient."""
        groups, count = self.groups, self.g.shape[2:]
        into, out = weight.shape[:2]
        rows = weight.reshape(groups, into // groups, -1).swapaxes(1, 2)
        rest, inner = count[1:], prod(count[1:])
        row = rows.shape[1] * groups * inner * self.g.itemsize
        high = min(count[0], max(1, BLOCK // row))
        some = min(len(self.g), max(1, BLOCK // (row * count[0])))

        def add(g: Any, y: Any) -> None:
            for r in range(0, count[0], high):
                part = g[:, :, r : r + high]
                n = part.shape[2]
                columns = np.matmul(rows, part.reshape(len(g), groups, -1, n * inner))
                shape = len(g), groups * out, *self.kernel, n, *rest
                self.lay(y, columns.reshape(shape), r)

        return self.sums(groups * out, some, add)

    def lay(self, y: Any, columns: Any, r: int) -> None:
        """Add columns, (batch, channels, *kernel, *count), to `y`, from row r on."""
        n = len(self.kernel)
        firsts = r * self.stride[0], *(0,) * (n - 1)
        for at in product(*map(range, self.kernel)):
            each = zip(at, self.dilation, firsts, columns.shape[2 + n :], self.stride)
            index = tuple(
                slice(a + i * d, a + i * d + (m - 1) * s + 1, s)
                for i, d, a, m, s in each
            )
            every = slice(None), slice(None)
            y[every + index] += columns[every + at]


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


def im2col(
    x: Any, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Any:
    """All windows, copied into columns."""
    count = places(x.shape[2:], kernel, dilation, padding, stride)
    walk = Windows(x, (padding, padding), stride, dilation, kernel, count)
    view = walk.view(walk.padded(0, len(x)))
    shape = len(x), x.shape[1] * prod(kernel), prod(count)
    return np.array(view, order="C").reshape(shape)


def col2im(
    x: Any, size: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Any:
    """Columns, added up where they lie."""
    count = places(size, kernel, dilation, padding, stride)
    room = tuple(n + 2 * p for n, p in zip(size, padding))
    x = x.reshape(len(x), x.shape[1] // prod(kernel), *kernel, *count)
    back = Back(x, 1, stride, padding, dilation, kernel, room, tuple(size))
    if not x.size:
        return np.zeros((len(x), x.shape[1], *size), x.dtype)
    return back.sums(x.shape[1], len(x), lambda part, y: back.lay(y, part, 0))


def places(
    size: Sizes, kernel: Sizes, dilation: Sizes, padding: Sizes, stride: Sizes
) -> Sizes:
    """How often a kernel fits in each dimension."""
    found = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, d, p, s in zip(size, kernel, dilation, padding, stride)
    )
    if min(found) < 1:
        raise ValueError("there is no room for the kernel")
    return found
