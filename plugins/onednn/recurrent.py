"""LSTM: the loop over time, with the library's products.

- The sums of products of a step are added to what the input brings, in place.
- A sigmoid is a tanh of half its argument; the half goes into the weight and the input
  once, and one tanh serves all four gates.
- Served are batches in which all sequences have the same length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plugrad import Overrides

from .products import calls
from .programs import FLOAT32, plain

Array = Any
Sizes = tuple[int, ...]

SMALL = 1 << 18  # multiplications in a step: below, the calls cost what they gain
ONE = np.array(1, FLOAT32)


def accepts(
    x: Array, h: Array, c: Array, weight: Array, project: Array, sizes: Sizes, *_: Any
) -> bool:
    """Whether the library is the faster."""
    return (
        x.dtype is FLOAT32
        and project is None
        and len(sizes) > 0
        and h.shape == c.shape
        and sizes[0] == sizes[-1] == h.shape[0]
        and h.shape[0] * weight.size >= SMALL
    )


def lstm(
    x: Array, h: Array, c: Array, weight: Array, _: Any, sizes: Sizes, reverse: bool
) -> tuple[Array, Array, Array]:
    """The rows of all outputs, of all cells, and of all gates."""
    sgemm, ready = calls
    ready()
    m, n, count = sizes[0], c.shape[1], len(sizes)
    factor = halves(n)
    term = ONE - factor
    gates = np.multiply(x, factor, np.empty(x.shape, FLOAT32))
    w = np.multiply(weight, factor.reshape(-1, 1), np.empty(weight.shape, FLOAT32))
    y, cells = np.empty((count * m, n), FLOAT32), np.empty((count * m, n), FLOAT32)
    t = np.empty((m, n), FLOAT32)
    h = plain(h)
    at_w, at_z, at_h = address(w), address(gates), address(h)
    at_y, row = address(y), 4 * n * m
    for i in range(count - 1, -1, -1) if reverse else range(count):
        rows = slice(i * m, i * m + m)
        z, cell = gates[rows], cells[rows]
        to = at_z + 4 * row * i
        sgemm(b"N", b"T", m, 4 * n, n, 1.0, at_h, n, at_w, n, 1.0, to, 4 * n)
        np.tanh(z, z)
        z *= factor
        z += term
        np.multiply(z[:, n : 2 * n], c, cell)
        np.multiply(z[:, :n], z[:, 2 * n : 3 * n], t)
        cell += t
        np.tanh(cell, t)
        np.multiply(t, z[:, 3 * n :], y[rows])
        c, at_h = cell, at_y + row * i
    return y, cells, gates


def halves(n: int) -> Array:
    """One half for the gates that are sigmoids, one for the tanh."""
    factor = np.full(4 * n, 0.5, FLOAT32)
    factor[2 * n : 3 * n] = 1
    return factor


def accepts_back(
    gates: Array, g: Any, gc: Any, c: Array, weight: Array, project: Any, *rest: Any
) -> bool:
    """Whether the library is the faster."""
    return accepts(gates, c, c, weight, project, rest[1]) and weight.shape[1:] == (
        c.shape[1],
    )


def lstm_back(
    gates: Array,
    g: Array,
    gc: Array,
    c: Array,
    weight: Array,
    _: Any,
    cells: Array,
    sizes: Sizes,
    reverse: bool,
) -> tuple[Array, Array, Array]:
    """The gradients to the inputs and the first state and cell."""
    sgemm, ready = calls
    ready()
    m, n, count = sizes[0], c.shape[1], len(sizes)
    out, inner = np.zeros((m, n), FLOAT32), np.zeros((m, n), FLOAT32)
    t, slopes = np.empty((m, n), FLOAT32), np.empty((m, 4 * n), FLOAT32)
    found, weight = np.empty(gates.shape, FLOAT32), plain(weight)
    at_w, at_x, at_h = address(weight), address(found), address(out)
    row = 16 * n * m
    order = range(count) if reverse else range(count - 1, -1, -1)
    for i, before in zip(order, (*order[1:], None)):
        rows = slice(i * m, i * m + m)
        last = c if before is None else cells[before * m : before * m + m]
        if g is not None:
            out += g[rows]
        if gc is not None:
            inner += gc[rows]
        step_back(gates[rows], cells[rows], last, out, inner, found[rows], t, slopes)
        at = at_x + row * i
        sgemm(b"N", b"N", m, n, 4 * n, 1.0, at, 4 * n, at_w, n, 0.0, at_h, n)
    return found, out, inner


def step_back(
    z: Array, cell: Array, last: Array, out: Array, inner: Array, to: Array,
    t: Array, slopes: Array,
) -> None:  # fmt: skip
    """One step: `to` becomes the gradient of the sums of products, and `inner`, that of
    the cell, becomes that of the cell before."""
    n = cell.shape[1]
    i, f, u, o = (z[:, j * n : (j + 1) * n] for j in range(4))
    to_i, to_f, to_u, to_o = (to[:, j * n : (j + 1) * n] for j in range(4))
    np.subtract(ONE, z, slopes)
    np.multiply(slopes, z, to)  # the slope of all sigmoids; that of the tanh is below
    np.tanh(cell, t)
    to_o *= t
    to_o *= out
    t *= t
    np.subtract(ONE, t, t)
    t *= o
    t *= out
    inner += t
    to_i *= u
    to_i *= inner
    to_f *= last
    to_f *= inner
    np.multiply(u, u, t)
    np.subtract(ONE, t, t)
    t *= i
    np.multiply(t, inner, to_u)
    inner *= f


def address(array: Array) -> int:
    """Where the first element is."""
    return array.__array_interface__["data"][0]


def give(kernels: Overrides) -> None:
    """Add the kernels of recurrent networks."""
    kernels.add("lstm_scan", accepts=accepts)(lstm)
    kernels.add("lstm_scan_back", accepts=accepts_back)(lstm_back)
