"""Recurrent networks: the loops over time of plain ones and of LSTMs.

- A step is a product of the state with the weight, what can be fused into it, and a few
  calls of NumPy.
- A sigmoid is a tanh of half its argument. In an LSTM the half goes into the weight and
  the input, and one tanh serves all four gates.
- On the way back the gates of a step are first laid one after the other: NumPy takes 2
  to 3 µs for a quarter of 32 rows of 1024, and 0.7 where it lies together.
- Served are batches in which all sequences have the same length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from plugrad import Overrides

from .library import ADD, MULTIPLY, SUM, TANH, Unsupported
from .programs import FLOAT32, Kept, address, kept, plain
from .steps import product, started

Array = Any
Sizes = tuple[int, ...]
Order = Sequence[int]
Ahead = Callable[[int, int], Kept]  # rows, and their length

SMALL = 1 << 17  # multiplications in a step: below, the calls cost what they gain
SMALL_BATCH = 4  # sequences: a product with one row is as fast as memory anywhere
ZERO, ONE = np.array(0, FLOAT32), np.array(1, FLOAT32)


def even(x: Array, state: Array, weight: Array, sizes: Sizes, gates: int) -> bool:
    """Whether each step has a row for each sequence, and enough to do."""
    m, n = state.shape
    return (
        x.dtype is FLOAT32
        and len(sizes) > 0
        and sizes[0] == sizes[-1] == m
        and len(x) == m * len(sizes)
        and weight.shape == (gates * n, n)
        and m >= SMALL_BATCH
        and m * weight.size >= SMALL
    )


@kept
def fast(ahead: Ahead, batch: int, n: int) -> bool:
    """Whether the library has what begins a step, for a batch and a width."""
    try:
        ahead(batch, n).prepare()
    except Unsupported:
        return False
    return True


def ordered(sizes: Sizes, reverse: bool) -> Order:
    """The steps in the order of computing."""
    return range(len(sizes) - 1, -1, -1) if reverse else range(len(sizes))


def new(sizes: Sizes, width: int) -> Array:
    """Rows to be filled."""
    return np.empty((sum(sizes), width), FLOAT32)


def apart(sizes: Sizes, width: int) -> Array:
    """Rows to be filled, a little apart from one another. Where rows begin at multiples
    of 4096 bytes, products with their columns take a quarter longer: what the cache
    keeps of one takes the place of another."""
    gap = 16 if width % 256 == 0 else 0
    return new(sizes, width + gap)[:, :width]


def in_steps(array: Array, sizes: Sizes) -> Array:
    """The rows of each step; a view, unless they are scattered."""
    return array.reshape(len(sizes), sizes[0], -1)


def row(array: Array) -> int:
    """How many elements there are from one row to the next."""
    return array.strides[-2] // array.itemsize


def lie(array: Array) -> tuple[int, int]:
    """Where the rows of the first step begin, and how far those of the next are."""
    return address(array), array.strides[0]


def gate_by_gate(array: Array, width: int) -> Array:
    """A view of rows of several gates, with those of a gate one after the other."""
    return array.reshape(array.shape[0], -1, width).transpose(1, 0, 2)


# --- Tanh or relu ---------------------------------------------------------------------


def accepts_rnn(x: Array, h: Array, weight: Array, sizes: Sizes, *_: Any) -> bool:
    """Whether the library is the faster."""
    return even(x, h, weight, sizes, 1) and fast(rnn_ahead, *h.shape)


def rnn_ahead(m: int, n: int) -> Kept:
    """The product of a step, and its tanh."""
    return product((m, n, n), (n, n), True, then=(SUM, TANH))


def relu_ahead(m: int, n: int) -> Kept:
    """The product of a step; the library's relu makes 0 of NaN."""
    return product((m, n, n), (n, n), True, then=(SUM,))


def rnn(
    x: Array, h: Array, weight: Array, sizes: Sizes, reverse: bool, relu: bool
) -> Array:
    """The rows of all states."""
    h, found = plain(h), new(sizes, h.shape[1])
    x, y = in_steps(x, sizes), in_steps(found, sizes)
    ahead = relu_ahead if relu else rnn_ahead
    (at, far), last = lie(y), address(h)
    with started(ahead(*h.shape), weight) as step:
        for i in ordered(sizes, reverse):
            np.copyto(y[i], x[i])
            step(last, at + far * i)
            if relu:
                np.maximum(y[i], ZERO, out=y[i])
            last = at + far * i
    return found


def accepts_rnn_back(
    g: Array, weight: Array, y: Array, batch: int, sizes: Sizes, *_: Any
) -> bool:
    """Whether the library is the faster."""
    return len(y) > 0 and even(g, y[:batch], weight, sizes, 1)


def rnn_back(
    g: Array, weight: Array, y: Array, batch: int, sizes: Sizes, reverse: bool,
    relu: bool,
) -> tuple[Array, Array]:  # fmt: skip
    """The gradients to the inputs and the first state."""
    n = y.shape[1]
    found, gh = apart(sizes, n), np.zeros((batch, n), FLOAT32)
    g, y, gx = (in_steps(each, sizes) for each in (g, y, found))
    slope = np.empty((batch, n), FLOAT32)
    (at, far), into = lie(gx), address(gh)
    with started(product((batch, n, n), (row(gx), n), False), weight) as step:
        for i in ordered(sizes, not reverse):
            to, state = gx[i], y[i]
            np.add(g[i], gh, to)
            if relu:
                np.multiply(to, state > ZERO, to)
            else:
                np.multiply(state, state, slope)
                np.subtract(ONE, slope, slope)
                np.multiply(to, slope, to)
            step(at + far * i, into)
    return found, gh


# --- LSTM -----------------------------------------------------------------------------


def accepts_lstm(
    x: Array, h: Array, c: Array, weight: Array, project: Array, sizes: Sizes, *_: Any
) -> bool:
    """Whether the library is the faster."""
    return (
        project is None
        and h.shape == c.shape
        and even(x, h, weight, sizes, 4)
        and fast(lstm_ahead, *h.shape)
    )


def lstm_ahead(m: int, n: int) -> Kept:
    """The gates of a step, where the input's part is already."""
    then = SUM, TANH, MULTIPLY, ADD
    return product((m, n, 4 * n), (n, 4 * n), True, then=then)


def lstm(
    x: Array, h: Array, c: Array, weight: Array, _: Any, sizes: Sizes, reverse: bool
) -> tuple[Array, Array, Array]:
    """The rows of all outputs, of all cells, and of all gates."""
    m, n = c.shape
    factor = np.full(4 * n, 0.5, FLOAT32)
    factor[2 * n : 3 * n] = 1  # of the gate that is a tanh
    scaled = np.multiply(weight, factor.reshape(-1, 1))
    found = [new(sizes, width) for width in (n, n, 4 * n)]
    x, y, cells, gates = (in_steps(each, sizes) for each in (x, *found))
    h, cell, t = plain(h), c, np.empty((m, n), FLOAT32)
    (at_y, far_y), (at_z, far_z), last = lie(y), lie(gates), address(h)
    with started(lstm_ahead(m, n), scaled, factor, ONE - factor) as step:
        for i in ordered(sizes, reverse):
            z, before, cell = gates[i], cell, cells[i]
            np.multiply(x[i], factor, z)
            step(last, at_z + far_z * i)
            np.multiply(z[:, n : 2 * n], before, cell)
            np.multiply(z[:, :n], z[:, 2 * n : 3 * n], t)
            np.add(cell, t, cell)
            np.tanh(cell, t)
            np.multiply(t, z[:, 3 * n :], y[i])
            last = at_y + far_y * i
    return found[0], found[1], found[2]


def accepts_lstm_back(
    gates: Array, g: Any, gc: Any, c: Array, weight: Array, project: Any, cells: Array,
    sizes: Sizes, *_: Any,
) -> bool:  # fmt: skip
    """Whether the library is the faster."""
    return project is None and even(gates, c, weight, sizes, 4)


def lstm_back(
    gates: Array, g: Any, gc: Any, c: Array, weight: Array, _: Any, cells: Array,
    sizes: Sizes, reverse: bool,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The gradients to the inputs and the first state and cell."""
    m, n = c.shape
    found = apart(sizes, 4 * n)
    gates, cells, gx = (in_steps(each, sizes) for each in (gates, cells, found))
    g = None if g is None else in_steps(g, sizes)
    gc = None if gc is None else in_steps(gc, sizes)
    gh, gs = np.zeros((m, n), FLOAT32), np.zeros((m, n), FLOAT32)
    (at, far), into = lie(gx), address(gh)
    order, beside = ordered(sizes, not reverse), lstm_step(m, n)
    with started(product((m, 4 * n, n), (row(gx), n), False), weight) as step:
        for i, before in zip(order, (*order[1:], None)):
            last = c if before is None else cells[before]
            if g is not None:
                gh += g[i]
            if gc is not None:
                gs += gc[i]
            beside(gates[i], cells[i], last, gh, gs, gx[i])
            step(at + far * i, into)
    return found, gh, gs


def lstm_step(m: int, n: int) -> Callable[..., None]:
    """What one step back does. Of the arguments, `to` becomes the gradient of the sums
    of products, and `inner`, that of the cell, becomes that of the cell before."""
    z, s = np.empty((5, m, n), FLOAT32), np.empty((5, m, n), FLOAT32)
    # Forget, out, in, tanh of the cell, new: what is computed alike lies together.
    forget, tanh, squared = z[0], z[3], z[3:]
    sigmoids, slopes, rest = z[:3], s[:3], s[3:]
    f_o, o_i, i_u = z[:2], z[1:3], z[2::2]
    to_f, to_c, to_o_i = s[0], s[3], s[1:3]
    by_out, by_inner, to_f_o, to_i_u = s[1:4:2], s[0::2], s[:2], s[2::2]

    def step(
        gates: Array, cell: Array, last: Array, out: Array, inner: Array, to: Array
    ) -> None:
        view = gate_by_gate(gates, n)
        f_o[...] = view[1::2]
        i_u[...] = view[0::2]
        np.tanh(cell, tanh)
        np.subtract(ONE, sigmoids, slopes)
        np.multiply(slopes, sigmoids, slopes)
        np.multiply(squared, squared, rest)
        np.subtract(ONE, rest, rest)
        np.multiply(rest, o_i, rest)
        np.multiply(to_o_i, squared, to_o_i)
        np.multiply(to_f, last, to_f)
        np.multiply(by_out, out, by_out)
        np.add(inner, to_c, inner)
        np.multiply(by_inner, inner, by_inner)
        np.multiply(inner, forget, inner)
        view = gate_by_gate(to, n)
        view[1::2] = to_f_o
        view[0::2] = to_i_u

    return step


def give(kernels: Overrides) -> None:
    """Add the kernels of recurrent networks."""
    kernels.add("rnn_scan", accepts=accepts_rnn)(rnn)
    kernels.add("rnn_scan_back", accepts=accepts_rnn_back)(rnn_back)
    kernels.add("lstm_scan", accepts=accepts_lstm)(lstm)
    kernels.add("lstm_scan_back", accepts=accepts_lstm_back)(lstm_back)
