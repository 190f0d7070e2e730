"""Recurrent networks: cells, and layers on top of each other in one or two directions.

The input's product with its weight is one for all steps; what goes from step to step is
an op for each layer and direction (`recurrent_ops`).
"""

from __future__ import annotations

from collections.abc import Sequence

import plugrad
from plugrad import Tensor

from . import recurrent_samples  # noqa: F401  (gives the ops their samples)
from .dropping import dropout
from .products import linear
from .recurrent_ops import gru_scan, lstm_scan, rnn_scan

__all__ = ["gru_cell", "lstm_cell", "rnn_relu_cell", "rnn_tanh_cell"]

Weights = Sequence[Tensor | None]


# --- Cells ----------------------------------------------------------------------------


def lstm_cell(
    input: Tensor,
    hx: Sequence[Tensor],
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """One step of long short-term memory: the next output and cell.

    >>> import plugrad
    >>> from plugrad.nn.functional.recurrent import lstm_cell
    >>> x, h, c = plugrad.ones(2, 3), plugrad.zeros(2, 1), plugrad.zeros(2, 1)
    >>> h, c = lstm_cell(x, (h, c), plugrad.ones(4, 3), plugrad.ones(4, 1))
    >>> h.shape, c.shape
    (plugrad.Size([2, 1]), plugrad.Size([2, 1]))
    """
    h, c = hx
    check_cell(input, h, w_ih, w_hh, 4)
    check_cell(input, c, w_ih, w_hh, 4)
    x = linear(input, w_ih, both(b_ih, b_hh))
    y, cells = lstm_scan(x, h, c, w_hh, None, (x.shape[0],), False)
    return y, cells


def gru_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """One step of gated recurrent units: the next state.

    >>> import plugrad
    >>> from plugrad.nn.functional.recurrent import gru_cell
    >>> x, h = plugrad.ones(2, 3), plugrad.zeros(2, 1)
    >>> gru_cell(x, h, plugrad.ones(3, 3), plugrad.ones(3, 1)).shape
    plugrad.Size([2, 1])
    """
    check_cell(input, hx, w_ih, w_hh, 3)
    x = linear(input, w_ih, b_ih)
    return gru_scan(x, hx, w_hh, b_hh, (x.shape[0],), False)


def rnn_tanh_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """tanh(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh).

    >>> import plugrad
    >>> from plugrad.nn.functional.recurrent import rnn_tanh_cell
    >>> x, h = plugrad.ones(1, 2), plugrad.zeros(1, 1)
    >>> rnn_tanh_cell(x, h, plugrad.ones(1, 2), plugrad.ones(1, 1))
    tensor([[0.9640]])
    """
    check_cell(input, hx, w_ih, w_hh, 1)
    x = linear(input, w_ih, both(b_ih, b_hh))
    return rnn_scan(x, hx, w_hh, (x.shape[0],), False, False)


def rnn_relu_cell(
    input: Tensor,
    hx: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
) -> Tensor:
    """relu(input @ w_ih.T + b_ih + hx @ w_hh.T + b_hh).

    >>> import plugrad
    >>> from plugrad.nn.functional.recurrent import rnn_relu_cell
    >>> x, h = plugrad.ones(1, 2), plugrad.zeros(1, 1)
    >>> rnn_relu_cell(x, h, plugrad.ones(1, 2), plugrad.ones(1, 1))
    tensor([[2.]])
    """
    check_cell(input, hx, w_ih, w_hh, 1)
    x = linear(input, w_ih, both(b_ih, b_hh))
    return rnn_scan(x, hx, w_hh, (x.shape[0],), False, True)


def both(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    """The sum of two biases, either of which may be missing."""
    if a is None or b is None:
        return b if a is None else a
    return a + b


def check_cell(x: Tensor, h: Tensor, w_ih: Tensor, w_hh: Tensor, gates: int) -> None:
    """Raise unless an input and a state go with the weights of a cell."""
    if x.shape[-1] != w_ih.shape[1]:
        raise RuntimeError(
            f"input has inconsistent input_size: got {x.shape[-1]}, expected "
            f"{w_ih.shape[1]}, since the weight has shape {list(w_ih.shape)}"
        )
    if h.shape[-1] != w_hh.shape[1] or w_hh.shape[0] != gates * h.shape[-1]:
        raise RuntimeError(
            f"hidden has inconsistent hidden_size: got {h.shape[-1]}, expected "
            f"{w_hh.shape[1]}, since the weight has shape {list(w_hh.shape)}"
        )
    if x.shape[0] != h.shape[0]:
        raise RuntimeError(
            f"Input batch size {x.shape[0]} doesn't match hidden batch size "
            f"{h.shape[0]}"
        )


# --- Layers ---------------------------------------------------------------------------


def layers(
    mode: str,
    x: Tensor,
    states: Sequence[Tensor] | None,
    weights: Sequence[Weights],
    sizes: tuple[int, ...],
    widths: Sequence[int],
    p: float,
    bidirectional: bool,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """All layers of a recurrent network on packed rows, and the states at the end.

    `weights` are (w_ih, w_hh, b_ih, b_hh, w_hr) for each layer and direction, `widths`
    those of the states, `sizes` the number of rows of each step, and `p` the share of
    numbers that dropout takes out between layers.
    """
    directions = 2 if bidirectional else 1
    zeros = None
    if states is None:
        zeros = tuple(x.new_zeros(sizes[0], n) for n in widths)
    ends: list[tuple[Tensor, ...]] = []
    for i in range(0, len(weights), directions):
        if i and p:
            x = dropout(x, p)
        found = []
        for j in range(directions):
            first = zeros or tuple(each[i + j] for each in states or ())
            y, last = one_layer(mode, x, first, weights[i + j], sizes, j == 1)
            found.append(y)
            ends.append(last)
        x = found[0] if directions == 1 else plugrad.cat(found, 1)
    if len(ends) == 1:
        return x, tuple(each.unsqueeze(0) for each in ends[0])
    return x, tuple(plugrad.stack(each) for each in zip(*ends))


def one_layer(
    mode: str,
    x: Tensor,
    first: tuple[Tensor, ...],
    weights: Weights,
    sizes: tuple[int, ...],
    reverse: bool,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One layer in one direction: the rows of outputs, and the last states."""
    w_ih, w_hh, b_ih, b_hh, w_hr = weights
    assert w_ih is not None and w_hh is not None
    if mode == "LSTM":
        x = linear(x, w_ih, both(b_ih, b_hh))
        y, cells = lstm_scan(x, *first, w_hh, w_hr, sizes, reverse)
        return y, (last_rows(y, sizes, reverse), last_rows(cells, sizes, reverse))
    if mode == "GRU":
        y = gru_scan(linear(x, w_ih, b_ih), *first, w_hh, b_hh, sizes, reverse)
    else:
        x = linear(x, w_ih, both(b_ih, b_hh))
        y = rnn_scan(x, *first, w_hh, sizes, reverse, mode == "RNN_RELU")
    return y, (last_rows(y, sizes, reverse),)


def last_rows(y: Tensor, sizes: tuple[int, ...], reverse: bool) -> Tensor:
    """The row of each sequence that was computed last."""
    batch = sizes[0]
    if reverse or len(sizes) == 1:
        return y[:batch]
    if sizes[-1] == batch:
        return y[y.shape[0] - batch :]
    rows, start = [0] * batch, 0
    for size in sizes:
        rows[:size] = range(start, start + size)
        start += size
    return y.index_select(0, y.new_tensor(rows, dtype=plugrad.int64))
