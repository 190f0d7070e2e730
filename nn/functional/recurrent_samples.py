"""Sample calls of the ops over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plugrad.testing import Sample

from .recurrent_ops import (
    gru_scan,
    gru_scan_back,
    lstm_scan,
    lstm_scan_back,
    rnn_scan,
    rnn_scan_back,
)

# sizes of the steps: padded, packed, of one step, of one sequence, of no sequence
SIZES = ((2, 2, 2), (3, 2, 1), (2, 1, 1, 1), (2,), (1, 1, 1), (3, 3, 1), (0, 0))


def cases() -> Iterator[tuple[tuple[int, ...], bool, int]]:
    """Sizes, direction, and the width of the state."""
    for i, sizes in enumerate(SIZES):
        for reverse in (False, True):
            yield sizes, reverse, 1 + i % 3


@rnn_scan.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes, reverse, n in cases():
        x, h, w = make(sum(sizes), n), make(sizes[0], n), make(n, n, low=-1, high=1)
        yield Sample(x, h, w, sizes, reverse, False)
    x, h, w = make.strided(4, 2), make.strided(2, 2), make.strided(2, 2)
    yield Sample(x, h, w, (2, 2), False, True)
    x, h = make.expanded(3, 2), make.expanded(2, 2)
    yield Sample(x, h, w, (2, 1), True, True)
    yield Sample(x, make(3, 2), w, (2, 1), True, False)  # a state that no step changes


@lstm_scan.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes, reverse, n in cases():
        x, w = make(sum(sizes), 4 * n), make(4 * n, n, low=-1, high=1)
        h, c = make(sizes[0], n), make(sizes[0], n)
        yield Sample(x, h, c, w, None, sizes, reverse)
    for sizes in ((2, 2), (2, 1, 1)):
        x, w, p = make(sum(sizes), 12), make(12, 2), make(2, 3)
        for reverse in (False, True):
            yield Sample(x, make(2, 2), make(2, 3), w, p, sizes, reverse)
    x, h, w = make.strided(4, 8), make.strided(2, 2), make.strided(8, 2)
    yield Sample(x, h, make.expanded(2, 2), w, None, (2, 2), False)


@gru_scan.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes, reverse, n in cases():
        x, w = make(sum(sizes), 3 * n), make(3 * n, n, low=-1, high=1)
        bias = make(3 * n) if reverse or n == 1 else None
        yield Sample(x, make(sizes[0], n), w, bias, sizes, reverse)
    x, h, w = make.strided(4, 6), make.strided(2, 2), make.strided(6, 2)
    yield Sample(x, h, w, make.strided(6), (2, 2), False)
    yield Sample(make.expanded(3, 6), make.expanded(2, 2), w, None, (2, 1), True)


@rnn_scan_back.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes, reverse, n in cases():
        g, w, y = make(sum(sizes), n), make(n, n), make(sum(sizes), n, low=-1, high=1)
        yield Sample(g, w, y, sizes[0], sizes, reverse, n == 2)


@lstm_scan_back.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes, reverse, n in cases():
        rows, p = sum(sizes), 2 if n == 3 else n
        project = make(p, n) if p != n else None
        gates = make(rows, 4 * n, low=-1, high=1)
        g = None if n == 1 and reverse else make(rows, p)
        gc = None if n == 2 else make(rows, n)
        c, w = make(sizes[0], n), make(4 * n, p)
        yield Sample(gates, g, gc, c, w, project, make(rows, n), sizes, reverse)


@gru_scan_back.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes, reverse, n in cases():
        rows = sum(sizes)
        gates, w = make(rows, 4 * n, low=-1, high=1), make(3 * n, n)
        g, h = make(rows, n), make(sizes[0], n)
        y = make(rows, n, low=-1, high=1)  # as large as states are
        yield Sample(gates, g, h, w, y, sizes, reverse)
