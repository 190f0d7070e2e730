"""Recurrent networks over time: one op for one layer in one direction.

- Rows are packed: those of the first step, then those of the second, and so on; `sizes`
  says how many each step has, never more than the step before. A padded batch has the
  same number in each.
- `x` is what the input brings to the gates, so that its product with the weight is one
  for all steps; the ops add what the state before brings.
- The state has a row for each sequence. A step changes its first rows; the rest have
  ended or, in reverse, not begun.
- On the way back, arrays have the gates from the way forth. Tensors (for gradients of
  gradients) compute them again, from what the graph knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugrad import Tensor, op

__all__: list[str] = []

STEP = "a step of ops that have rules"


def spans(sizes: Any, reverse: Any) -> Any:
    """The first row and the end of each step, in the order of computing."""
    found, start = [], 0
    for size in sizes:
        found.append((start, start + size))
        start = start + size
    return found[::-1] if reverse else found


def in_time(k: Any, found: Any, reverse: Any) -> Any:
    """Rows of steps, in the order of computing, as one array in the order of time."""
    return k.concat(found[::-1] if reverse else found, axis=0)


def grown(k: Any, rows: Any, state: Any) -> Any:
    """The state with other first rows."""
    m = rows.shape[0]
    return rows if m == state.shape[0] else k.concat([rows, state[m:, :]], axis=0)


def before(k: Any, first: Any, y: Any, sizes: Any, reverse: Any) -> Any:
    """The state before each step, for rows `y` after each step."""
    found, last = [], y[:0, :]
    for start, stop in spans(sizes, reverse):
        m, n = stop - start, last.shape[0]
        if m > n:
            found.append(k.concat([last, first[n:m, :]], axis=0))
        else:
            found.append(last[:m, :])
        last = y[start:stop, :]
    return in_time(k, found, reverse)


def product_of_rows(k: Any, g: Any, x: Any) -> Any:
    """The gradient of a weight, from that of the products and the rows."""
    return k.matmul(k.matrix_transpose(g), x)


# --- Tanh or relu ---------------------------------------------------------------------


@op(promote="equal", kinds="f", method=False, oracle=None)
def rnn_scan(
    k: Any,
    x: Tensor,
    h: Tensor,
    weight: Tensor,
    sizes: Sequence[int],
    reverse: bool,
    relu: bool,
) -> Tensor:
    """tanh(x + h @ weight.T), or its relu, for each step: the rows of all states.

    >>> import plugrad
    >>> from plugrad.nn.functional.recurrent_ops import rnn_scan
    >>> x, h, weight = plugrad.ones(3, 1), plugrad.zeros(1, 1), plugrad.ones(1, 1)
    >>> rnn_scan(x, h, weight, (1, 1, 1), False, True)
    tensor([[1.],
            [2.],
            [3.]])
    """
    found, w = [], k.matrix_transpose(weight)
    for start, stop in spans(sizes, reverse):
        y = x[start:stop, :] + k.matmul(h[: stop - start, :], w)
        y = k.relu(y) if relu else k.tanh(y)
        found.append(y)
        h = grown(k, y, h)
    return in_time(k, found, reverse)


@op(
    promote="equal",
    kinds="f",
    outputs=("to_x", "to_h"),
    method=False,
    oracle=None,
    no_grad_reason=STEP,
)
def rnn_scan_back(
    k: Any,
    g: Tensor,
    weight: Tensor,
    y: Tensor,
    batch: int,
    sizes: Sequence[int],
    reverse: bool,
    relu: bool,
) -> Any:
    """The gradients of `rnn_scan` to `x` and `h`, from the one that comes in."""
    return rnn_back(k, g, weight, y, batch, sizes, reverse, relu)


def rnn_back(
    k: Any,
    g: Any,
    weight: Any,
    y: Any,
    batch: Any,
    sizes: Any,
    reverse: Any,
    relu: Any,
) -> Any:
    """The gradients to `x` and the first state."""
    found = []
    slope = k.astype(y > 0, y.dtype) if relu else 1 - y * y
    gh = k.zeros((batch, y.shape[1]), dtype=y.dtype)
    for start, stop in spans(sizes, not reverse):
        gx = (g[start:stop, :] + gh[: stop - start, :]) * slope[start:stop, :]
        found.append(gx)
        gh = grown(k, k.matmul(gx, weight), gh)
    return in_time(k, found, not reverse), gh


@rnn_scan.joint
def _rnn_rule(
    k: Any,
    g: Any,
    h: Any,
    weight: Any,
    y: Any,
    sizes: Any,
    reverse: Any,
    relu: Any,
    need: Any,
) -> Any:
    back = rnn_back if isinstance(y, Tensor) else called_rnn_back
    gx, gh = back(k, g, weight, y, h.shape[0], sizes, reverse, relu)
    gw = None
    if need[2]:
        gw = product_of_rows(k, gx, before(k, h, y, sizes, reverse))
    return gx, gh, gw


def called_rnn_back(k: Any, *args: Any) -> Any:
    """The backend's kernel for `rnn_back`."""
    return k.rnn_scan_back(*args)


# --- LSTM -----------------------------------------------------------------------------


@op(
    promote="equal",
    kinds="f",
    outputs=("y", "cells"),
    differentiable=("y", "cells"),
    extras=("gates",),
    method=False,
    oracle=None,
)
def lstm_scan(
    k: Any,
    x: Tensor,
    h: Tensor,
    c: Tensor,
    weight: Tensor,
    project: Tensor | None,
    sizes: Sequence[int],
    reverse: bool,
) -> Any:
    """Long short-term memory: the rows of all outputs, and of all cells.

    The gates stand in the order in, forget, cell, out. `project` is the weight by which
    outputs become smaller, if there is one.

    >>> import plugrad
    >>> from plugrad.nn.functional.recurrent_ops import lstm_scan
    >>> x, h, c = plugrad.ones(2, 4), plugrad.zeros(1, 1), plugrad.zeros(1, 1)
    >>> lstm_scan(x, h, c, plugrad.zeros(4, 1), None, (1, 1), False).cells
    tensor([[0.5568],
            [0.9638]])
    """
    ys, cells, parts = [], [], []
    w = k.matrix_transpose(weight)
    for start, stop in spans(sizes, reverse):
        m = stop - start
        gates = lstm_gates(k, x[start:stop, :] + k.matmul(h[:m, :], w))
        i, f, u, o = quarters(gates)
        cell = f * c[:m, :] + i * u
        y = o * k.tanh(cell)
        if project is not None:
            y = k.matmul(y, k.matrix_transpose(project))
        h, c = grown(k, y, h), grown(k, cell, c)
        ys.append(y)
        cells.append(cell)
        parts.append(gates)
    return (
        in_time(k, ys, reverse),
        in_time(k, cells, reverse),
        in_time(k, parts, reverse),
    )


def quarters(gates: Any) -> Any:
    """Four gates side by side, each by itself."""
    n = gates.shape[1] // 4
    return gates[:, :n], gates[:, n : 2 * n], gates[:, 2 * n : 3 * n], gates[:, 3 * n :]


def lstm_gates(k: Any, x: Any) -> Any:
    """The gates, from sums of products."""
    n = x.shape[1] // 4
    first, u, o = x[:, : 2 * n], x[:, 2 * n : 3 * n], x[:, 3 * n :]
    return k.concat([k.sigmoid(first), k.tanh(u), k.sigmoid(o)], axis=1)


@op(
    promote="equal",
    kinds="f",
    multiple="tuple",
    method=False,
    oracle=None,
    no_grad_reason=STEP,
)
def lstm_scan_back(
    k: Any,
    gates: Tensor,
    g: Tensor | None,
    gc: Tensor | None,
    c: Tensor,
    weight: Tensor,
    project: Tensor | None,
    cells: Tensor,
    sizes: Sequence[int],
    reverse: bool,
) -> Any:
    """The gradients of `lstm_scan` to `x`, `h` and `c`, from those that come in for the
    outputs and the cells; where there is a projection, also that of each output."""
    return lstm_back(k, gates, g, gc, c, weight, project, cells, sizes, reverse)


def lstm_back(
    k: Any,
    gates: Any,
    g: Any,
    gc: Any,
    c: Any,
    weight: Any,
    project: Any,
    cells: Any,
    sizes: Any,
    reverse: Any,
) -> Any:
    """The gradients to `x`, the first state and cell, and each output."""
    i, f, u, o = quarters(gates)
    t = k.tanh(cells)
    to_c, to_o = o * (1 - t * t), t * o * (1 - o)
    to_i, to_u = u * i * (1 - i), i * (1 - u * u)
    to_f = before(k, c, cells, sizes, reverse) * f * (1 - f)
    batch = c.shape[0]
    gh = k.zeros((batch, weight.shape[1]), dtype=c.dtype)
    gs = k.zeros((batch, c.shape[1]), dtype=c.dtype)
    found, outs = [], []
    for a, b in spans(sizes, not reverse):
        out, inner = gh[: b - a, :], gs[: b - a, :]
        if g is not None:
            out = out + g[a:b, :]
        if gc is not None:
            inner = inner + gc[a:b, :]
        outs.append(out)
        if project is not None:
            out = k.matmul(out, project)
        inner = inner + out * to_c[a:b, :]
        own = (inner * to_i[a:b, :], inner * to_f[a:b, :], inner * to_u[a:b, :])
        gx = k.concat([*own, out * to_o[a:b, :]], axis=1)
        found.append(gx)
        gh = grown(k, k.matmul(gx, weight), gh)
        gs = grown(k, inner * f[a:b, :], gs)
    gx = in_time(k, found, not reverse)
    if project is None:
        return gx, gh, gs
    return gx, gh, gs, in_time(k, outs, not reverse)


@lstm_scan.joint
def _lstm_rule(
    k: Any,
    g: Any,
    x: Any,
    h: Any,
    c: Any,
    weight: Any,
    project: Any,
    y: Any,
    cells: Any,
    gates: Any,
    sizes: Any,
    reverse: Any,
    need: Any,
) -> Any:
    back, states = called_lstm_back, None
    if isinstance(y, Tensor):
        back, states = lstm_back, before(k, h, y, sizes, reverse)
        gates = lstm_gates(k, x + k.matmul(states, k.matrix_transpose(weight)))
    gx, gh, gc, *outs = back(
        k, gates, g[0], g[1], c, weight, project, cells, sizes, reverse
    )
    gw = gp = None
    if need[3]:
        states = before(k, h, y, sizes, reverse) if states is None else states
        gw = product_of_rows(k, gx, states)
    if need[4]:
        gp = product_of_rows(k, outs[0], quarters(gates)[3] * k.tanh(cells))
    return gx, gh, gc, gw, gp


def called_lstm_back(k: Any, *args: Any) -> Any:
    """The backend's kernel for `lstm_back`."""
    return k.lstm_scan_back(*args)


# --- GRU ------------------------------------------------------------------------------


@op(
    promote="equal",
    kinds="f",
    extras=("gates",),
    method=False,
    oracle=None,
)
def gru_scan(
    k: Any,
    x: Tensor,
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    sizes: Sequence[int],
    reverse: bool,
) -> Tensor:
    """Gated recurrent units: the rows of all states.

    The gates stand in the order reset, update, new. `bias` is added to the products
    with the state, of which the reset gate passes a part to the new one.

    >>> import plugrad
    >>> from plugrad.nn.functional.recurrent_ops import gru_scan
    >>> x, h = plugrad.ones(2, 3), plugrad.zeros(1, 1)
    >>> gru_scan(x, h, plugrad.zeros(3, 1), None, (1, 1), False)
    tensor([[0.2048],
            [0.3546]])
    """
    found, parts = [], []
    w, n = k.matrix_transpose(weight), h.shape[1]
    for start, stop in spans(sizes, reverse):
        last = h[: stop - start, :]
        inner = k.matmul(last, w)
        inner = inner if bias is None else inner + bias
        gates = gru_gates(k, x[start:stop, :], inner, n)
        _, z, u, _ = quarters(gates)
        y = u + z * (last - u)
        h = grown(k, y, h)
        found.append(y)
        parts.append(gates)
    return in_time(k, found, reverse), in_time(k, parts, reverse)


def gru_gates(k: Any, x: Any, inner: Any, n: Any) -> Any:
    """The gates, and beside them what the state brings to the new one."""
    first = k.sigmoid(x[:, : 2 * n] + inner[:, : 2 * n])
    kept = inner[:, 2 * n :]
    u = k.tanh(x[:, 2 * n :] + first[:, :n] * kept)
    return k.concat([first, u, kept], axis=1)


@op(
    promote="equal",
    kinds="f",
    outputs=("to_x", "to_inner", "to_h"),
    method=False,
    oracle=None,
    no_grad_reason=STEP,
)
def gru_scan_back(
    k: Any,
    gates: Tensor,
    g: Tensor,
    h: Tensor,
    weight: Tensor,
    y: Tensor,
    sizes: Sequence[int],
    reverse: bool,
) -> Any:
    """The gradients of `gru_scan` to `x`, to the products with the state, and to `h`,
    from the one that comes in."""
    states = before(k, h, y, sizes, reverse)
    return gru_back(k, gates, g, h, weight, states, sizes, reverse)


def gru_back(
    k: Any,
    gates: Any,
    g: Any,
    h: Any,
    weight: Any,
    states: Any,
    sizes: Any,
    reverse: Any,
) -> Any:
    """The gradients to `x`, to the products with the states, and to the first state."""
    r, z, u, kept = quarters(gates)
    to_u = (1 - z) * (1 - u * u)
    to_z = (states - u) * z * (1 - z)
    to_r = kept * r * (1 - r)
    gh = k.zeros((h.shape[0], h.shape[1]), dtype=h.dtype)
    found, parts = [], []
    for a, b in spans(sizes, not reverse):
        out = g[a:b, :] + gh[: b - a, :]
        gu = out * to_u[a:b, :]
        own = [gu * to_r[a:b, :], out * to_z[a:b, :]]
        inner = k.concat([*own, gu * r[a:b, :]], axis=1)
        found.append(k.concat([*own, gu], axis=1))
        parts.append(inner)
        gh = grown(k, out * z[a:b, :] + k.matmul(inner, weight), gh)
    return in_time(k, found, not reverse), in_time(k, parts, not reverse), gh


@gru_scan.joint
def _gru_rule(
    k: Any,
    g: Any,
    x: Any,
    h: Any,
    weight: Any,
    bias: Any,
    y: Any,
    gates: Any,
    sizes: Any,
    reverse: Any,
    need: Any,
) -> Any:
    states = None
    if isinstance(y, Tensor):
        states = before(k, h, y, sizes, reverse)
        inner = k.matmul(states, k.matrix_transpose(weight))
        inner = inner if bias is None else inner + bias
        gates = gru_gates(k, x, inner, h.shape[1])
        found = gru_back(k, gates, g, h, weight, states, sizes, reverse)
    else:
        found = k.gru_scan_back(gates, g, h, weight, y, sizes, reverse)
    gx, inner, gh = found
    gw = gb = None
    if need[2]:
        states = before(k, h, y, sizes, reverse) if states is None else states
        gw = product_of_rows(k, inner, states)
    if need[3]:
        gb = k.sum(inner, axis=0)
    return gx, gh, gw, gb
