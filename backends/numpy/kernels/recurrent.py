"""Recurrent networks over time: one buffer for all steps, filled in place.

A step is a product of the state with the weight, and some ten calls on a block of rows
that stays in the cache. A sigmoid is 0.5 + 0.5 * tanh(x / 2), so that all gates of an
LSTM are one call of tanh.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .activation import ONE, ZERO


def _spans(sizes: Any, reverse: bool) -> Any:
    """The first row and the end of each step, in the order of computing."""
    found, start = [], 0
    for size in sizes:
        found.append((start, start + size))
        start += size
    return found[::-1] if reverse else found


def _first(state: Any, last: Any, first: Any, m: int) -> Any:
    """The `m` rows of the state that a step begins from: those of the step before,
    and, where sequences begin, those of the first state."""
    if last is None:
        return first[:m]
    n = state.shape[0]
    return state[:m] if m <= n else np.concatenate((state, first[n:m]))


def _small(x: Any) -> bool:
    """Whether it is a dtype of 16 bits, which is computed in float32."""
    return x.itemsize == 2


def _wide(*arrays: Any) -> Any:
    """Arrays as float32; what is none stays."""
    return [a.astype(np.float32) if hasattr(a, "itemsize") else a for a in arrays]


def _narrow(arrays: Any, dtype: Any) -> Any:
    """Results in the dtype that was asked for."""
    return tuple([a.astype(dtype) for a in arrays])


# --- Tanh or relu ---------------------------------------------------------------------


def rnn_scan(x: Any, h: Any, weight: Any, sizes: Any, reverse: bool, relu: bool) -> Any:
    """The rows of all states."""
    if _small(x):
        y = rnn_scan(*_wide(x, h, weight), sizes, reverse, relu)
        return y.astype(x.dtype)
    y = np.empty((x.shape[0], h.shape[1]), x.dtype)
    w, rows, last = weight.T, None, None
    for start, stop in _spans(sizes, reverse):
        state = _first(rows, last, h, stop - start)
        rows = last = y[start:stop]
        np.dot(state, w, rows)
        rows += x[start:stop]
        if relu:
            np.maximum(rows, ZERO[x.dtype], out=rows)
        else:
            np.tanh(rows, rows)
    return y


def rnn_scan_back(
    g: Any, weight: Any, y: Any, batch: int, sizes: Any, reverse: bool, relu: bool
) -> Any:
    """The gradients to the inputs and to the first state."""
    if _small(y):
        found = rnn_scan_back(*_wide(g, weight, y), batch, sizes, reverse, relu)
        return _narrow(found, y.dtype)
    gh = np.zeros((batch, y.shape[1]), y.dtype)
    gx = np.empty(y.shape, y.dtype)
    for start, stop in _spans(sizes, not reverse):
        part, at, rows = gh[: stop - start], y[start:stop], gx[start:stop]
        part += g[start:stop]
        if relu:
            np.multiply(part, at > ZERO[y.dtype], rows)
        else:
            np.multiply(at, at, rows)
            np.subtract(ONE[y.dtype], rows, rows)
            rows *= part
        np.dot(rows, weight, part)
    return gx, gh


# --- LSTM -----------------------------------------------------------------------------


def _halves(n: int, dtype: Any) -> tuple[Any, Any]:
    """What turns a tanh of all gates into the sigmoid of three of them: factors, before
    and after, and what is added."""
    factor, term = np.full(4 * n, 0.5, dtype), np.full(4 * n, 0.5, dtype)
    factor[2 * n : 3 * n] = 1
    term[2 * n : 3 * n] = 0
    return factor, term


def lstm_scan(
    x: Any,
    h: Any,
    c: Any,
    weight: Any,
    project: Any,
    sizes: Any,
    reverse: bool,
) -> Any:
    """The rows of all outputs, of all cells, and of all gates."""
    if _small(x):
        found = lstm_scan(*_wide(x, h, c, weight, project), sizes, reverse)
        return _narrow(found, x.dtype)
    n = c.shape[1]
    count, dtype = x.shape[0], x.dtype
    y = np.empty((count, h.shape[1]), dtype)
    cells, gates = np.empty((count, n), dtype), np.empty((count, 4 * n), dtype)
    factor, term = _halves(n, dtype)
    w = weight.T
    out = cell = last = None
    for start, stop in _spans(sizes, reverse):
        m = stop - start
        state, before = _first(out, last, h, m), _first(cell, last, c, m)
        out, cell, z = y[start:stop], cells[start:stop], gates[start:stop]
        last = out
        np.dot(state, w, z)
        z += x[start:stop]
        z *= factor
        np.tanh(z, z)
        z *= factor
        z += term
        np.multiply(z[:, n : 2 * n], before, cell)
        cell += z[:, :n] * z[:, 2 * n : 3 * n]
        t = np.tanh(cell)
        if project is None:
            np.multiply(t, z[:, 3 * n :], out)
        else:
            t *= z[:, 3 * n :]
            np.dot(t, project.T, out)
    return y, cells, gates


def lstm_scan_back(
    gates: Any,
    g: Any,
    gc: Any,
    c: Any,
    weight: Any,
    project: Any,
    cells: Any,
    sizes: Any,
    reverse: bool,
) -> Any:
    """The gradients to the inputs and the first state and cell; where there is a
    projection, also those of the outputs."""
    if _small(cells):
        wide = _wide(gates, g, gc, c, weight, project, cells)
        return _narrow(lstm_scan_back(*wide, sizes, reverse), cells.dtype)
    dtype = c.dtype
    gh = np.zeros((c.shape[0], weight.shape[1]), dtype)
    gs = np.zeros(c.shape, dtype)
    gx = np.empty(gates.shape, dtype)
    outs = None if project is None else np.empty((gx.shape[0], gh.shape[1]), dtype)
    steps = _spans(sizes, not reverse)
    for i, (start, stop) in enumerate(steps):
        m = stop - start
        if i + 1 < len(steps):
            a, b = steps[i + 1]
            before = _first(cells[a:b], cells, c, m)
        else:
            before = c[:m]
        to, inner, out = gx[start:stop], gs[:m], gh[:m]
        if g is not None:
            out += g[start:stop]
        if gc is not None:
            inner += gc[start:stop]
        if outs is not None:
            outs[start:stop] = out
            out = np.dot(out, project)
        _lstm_step(gates[start:stop], cells[start:stop], before, out, inner, to)
        np.dot(to, weight, gh[:m])
    return (gx, gh, gs) if outs is None else (gx, gh, gs, outs)


def _lstm_step(z: Any, cell: Any, before: Any, out: Any, inner: Any, to: Any) -> None:
    """One step back: `to` becomes the gradient of the sums of products, and `inner`,
    that of the cell, becomes that of the cell before."""
    n = cell.shape[1]
    one = ONE[z.dtype]
    i, f, u, o = (z[:, j * n : (j + 1) * n] for j in range(4))
    to_i, to_f, to_u, to_o = (to[:, j * n : (j + 1) * n] for j in range(4))
    np.subtract(one, z, to)
    to *= z  # the slope of all sigmoids; that of the tanh comes below
    t = np.tanh(cell)
    to_o *= t
    to_o *= out
    t *= t
    np.subtract(one, t, t)
    t *= o
    t *= out
    inner += t
    to_i *= u
    to_i *= inner
    to_f *= before
    to_f *= inner
    np.multiply(u, u, t)
    np.subtract(one, t, t)
    t *= i
    np.multiply(t, inner, to_u)
    inner *= f


# --- GRU ------------------------------------------------------------------------------


def gru_scan(x: Any, h: Any, weight: Any, bias: Any, sizes: Any, reverse: bool) -> Any:
    """The rows of all states, and of all gates, with what states bring to the new."""
    if _small(x):
        found = gru_scan(*_wide(x, h, weight, bias), sizes, reverse)
        return _narrow(found, x.dtype)
    n, dtype = h.shape[1], x.dtype
    y, gates = np.empty((x.shape[0], n), dtype), np.empty((x.shape[0], 4 * n), dtype)
    half = np.array(0.5, dtype)
    w, rows, last = weight.T, None, None
    for start, stop in _spans(sizes, reverse):
        state = _first(rows, last, h, stop - start)
        rows, z, at = y[start:stop], gates[start:stop], x[start:stop]
        last = rows
        inner = np.dot(state, w)
        if bias is not None:
            inner += bias
        first, u, kept = z[:, : 2 * n], z[:, 2 * n : 3 * n], z[:, 3 * n :]
        kept[...] = inner[:, 2 * n :]
        np.add(at[:, : 2 * n], inner[:, : 2 * n], first)
        first *= half
        np.tanh(first, first)
        first *= half
        first += half
        np.multiply(z[:, :n], kept, u)
        u += at[:, 2 * n :]
        np.tanh(u, u)
        np.subtract(state, u, rows)
        rows *= z[:, n : 2 * n]
        rows += u
    return y, gates


def gru_scan_back(
    gates: Any, g: Any, h: Any, weight: Any, y: Any, sizes: Any, reverse: bool
) -> Any:
    """The gradients to the inputs, to the products with the states, and to the first
    state."""
    if _small(y):
        found = gru_scan_back(*_wide(gates, g, h, weight, y), sizes, reverse)
        return _narrow(found, y.dtype)
    n, dtype = h.shape[1], y.dtype
    gh = np.zeros(h.shape, dtype)
    gx, inner = (np.empty((y.shape[0], 3 * n), dtype) for _ in range(2))
    one = ONE[dtype]
    steps = _spans(sizes, not reverse)
    for i, (start, stop) in enumerate(steps):
        m = stop - start
        if i + 1 < len(steps):
            a, b = steps[i + 1]
            before = _first(y[a:b], y, h, m)
        else:
            before = h[:m]
        at, to, out = gates[start:stop], gx[start:stop], gh[:m]
        out += g[start:stop]
        r, z, u, kept = (at[:, j * n : (j + 1) * n] for j in range(4))
        first, to_u = to[:, : 2 * n], to[:, 2 * n :]
        np.subtract(one, at[:, : 2 * n], first)
        np.multiply(u, u, to_u)
        np.subtract(one, to_u, to_u)
        to_u *= first[:, n:]  # 1 - z
        to_u *= out
        first *= at[:, : 2 * n]
        first[:, :n] *= kept
        first[:, :n] *= to_u
        first[:, n:] *= out
        first[:, n:] *= before - u
        from_state = inner[start:stop]
        from_state[:, : 2 * n] = first
        np.multiply(to_u, r, from_state[:, 2 * n :])
        out *= z
        out += np.dot(from_state, weight)
    return gx, inner, gh
