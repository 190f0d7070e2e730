"""The windows of images: as columns, as slices, and what comes back along them."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

__all__ = ["col2im", "im2col"]

Sizes = tuple[int, ...]
BLOCK = 4 << 20  # bytes of columns at a time


def pieces(row: int, rows: int, batch: int) -> tuple[int, int]:
    """How many rows of columns make a block, and of how many of the batch: about
    equal blocks, where a row takes this many bytes."""
    most = max(1, BLOCK // row)
    if most >= rows:
        return rows, min(batch, most // rows)
    return -(-rows // -(-rows // most)), 1


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
        x = np.ascontiguousarray(x)
        batch, channels, *steps = x.strides
        inside = [step * d for step, d in zip(steps, self.dilation)]
        between = [step * s for step, s in zip(steps, self.stride)]
        shape = *x.shape[:2], *self.kernel, *self.count
        # as_strided takes 5 us for the same
        strides = batch, channels, *inside, *between
        return np.ndarray(shape, x.dtype, x, 0, strides)


class Columns(Windows):
    """The windows as matrices in blocks: of several of the batch, or of some rows."""

    def __init__(self, x: Any, groups: int, *args: Any) -> None:
        super().__init__(x, *args)
        self.groups = groups
        row = x.shape[1] * prod(self.kernel) * prod(self.count[1:]) * x.itemsize
        self.rows, self.some = pieces(row, self.count[0], x.shape[0])

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
    """Convolutions of each channel on its own, as sums of slices of the input.

    Where no step is larger than one, a slice is a run of the padded input's memory:
    what it has too much at the ends of rows is cut off at last. For 64 channels of
    32 x 32 that takes 10 ms where rows take 17.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.runs = prod(self.stride) == 1
        sizes = zip(self.x.shape[2:], self.low, self.high)
        self.sizes = tuple(n + low + high for n, low, high in sizes)
        steps = [prod(self.sizes[i + 1 :]) for i in range(len(self.sizes))]
        self.steps = [step * d for step, d in zip(steps, self.dilation)]
        self.length = 1 + sum((n - 1) * step for n, step in zip(self.count, steps))
        self.some = max(1, BLOCK // 8 // (self.x[:1].size * self.x.itemsize))

    def blocks(self) -> Any:
        """(of the batch, the padded input): flat where slices are runs."""
        for a in range(0, len(self.x), self.some):
            x = self.padded(a, min(a + self.some, len(self.x)))
            if self.runs:
                x = x.reshape(*x.shape[:2], -1)
            yield slice(a, a + len(x)), x

    def parts(self, x: Any) -> Any:
        """(element of the kernel, the slice of `x` that it sees)."""
        for at in product(*map(range, self.kernel)):
            if self.runs:
                first = sum(i * step for i, step in zip(at, self.steps))
                yield at, x[:, :, first : first + self.length]
                continue
            index = tuple(
                slice(i * d, i * d + (n - 1) * s + 1, s)
                for i, d, n, s in zip(at, self.dilation, self.count, self.stride)
            )
            yield at, x[(slice(None), slice(None), *index)]

    def sums(self, n: int) -> tuple[Any, Any]:
        """An array for sums of slices, and the view of it that is the result."""
        channels = self.x.shape[1]
        if not self.runs:
            room = np.empty((n, channels, *self.count), self.x.dtype)
            return room, room
        whole = np.zeros((n, channels, prod(self.sizes)), self.x.dtype)
        inside = tuple(slice(0, m) for m in self.count)
        shaped = whole.reshape(n, channels, *self.sizes)
        return whole[:, :, : self.length], shaped[(slice(None), slice(None), *inside)]

    def forward(self, weight: Any, bias: Any, groups: int, y: Any) -> Any:
        """Into `y`, the sums of weighted slices."""
        each = weight.shape[0] // groups
        total, result = self.sums(min(self.some, len(y)))
        ones = (1,) * (total.ndim - 2)
        once = np.empty_like(total)
        for some, x in self.blocks():
            n = len(x)
            for j in range(each):
                first = True
                for at, part in self.parts(x):
                    w = weight[(slice(j, None, each), 0, *at)].reshape(-1, *ones)
                    np.multiply(part, w, out=total[:n] if first else once[:n])
                    if not first:
                        total[:n] += once[:n]
                    first = False
                if bias is not None:
                    total[:n] += bias[j::each].reshape(-1, *ones)
                y[some, j::each] = result[:n]
        return y

    def weight(self, other: Any, found: Any) -> Any:
        """Into `found`, the gradient to the weight."""
        each = other.shape[1] // self.x.shape[1]
        found[...] = 0
        whole, inside = self.sums(min(self.some, len(other)))
        whole[...] = 0
        for some, x in self.blocks():
            n = len(x)
            for j in range(each):
                inside[:n] = other[some, j::each]
                for at, part in self.parts(x):
                    if self.runs and part.dtype.kind == "f":
                        sums = np.vecdot(part, whole[:n]).sum(0)
                    else:
                        sums = (part * whole[:n]).sum((0, *range(2, part.ndim)))
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
        walk.runs = False

        def add(g: Any, into: Any) -> None:
            walk.backward(weight, g, into)

        return self.sums(self.groups, walk.some, add)

    def columns(self, weight: Any) -> Any:
        """Where columns are a product of the weight and the gradient."""
        groups, count = self.groups, self.g.shape[2:]
        into, out = weight.shape[:2]
        rows = weight.reshape(groups, into // groups, -1).swapaxes(1, 2)
        rest, inner = count[1:], prod(count[1:])
        row = rows.shape[1] * groups * inner * self.g.itemsize
        high, some = pieces(row, count[0], len(self.g))

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
