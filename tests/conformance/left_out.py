"""What a backend declares that it cannot do, tried."""

from __future__ import annotations

import plugrad

from .calls import Raised, Unmade, call, call_op, difference, pairs
from .cells import Cell


def check_left_out(cell: Cell) -> None:
    """Fail unless a cell that is n/a raises UnsupportedOpError. A call that needs no
    kernel (nothing to do) may succeed, and then has to be right."""
    __tracebackhide__ = True
    k, why = cell.subject.k, f"{cell.declared} is declared as left out"
    if not cell.subject.has(cell.dtype.name):
        found = call(k, plugrad.zeros, 1, dtype=cell.dtype)
        assert isinstance(found, Raised) and found.unsupported, (
            f"{why}; expected UnsupportedOpError, but got {found!r}"
        )
        return
    assert why_given(cell), f"{why} without a reason"
    if cell.op is None:
        return
    refused = tried = 0
    try:
        samples = pairs(cell)
    except Unmade:
        return
    for mine, other in samples:
        theirs = call_op(cell.subject.reference, cell.op, other)
        if isinstance(theirs, Raised):
            continue
        ours = call_op(k, cell.op, mine)
        tried += 1
        if isinstance(ours, Raised) and ours.unsupported:
            refused += 1
            continue
        text = difference(cell.subject, ours, theirs)
        assert text is None, (
            f"{why}; {mine.kind!r}, {mine}: expected UnsupportedOpError, but got {text}"
        )
    assert refused or not tried, f"{why}, but all of its {tried} samples work"


def why_given(cell: Cell) -> bool:
    """Whether the declaration says why."""
    return bool(cell.why and cell.why.strip())
