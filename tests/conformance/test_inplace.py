"""What writes into a tensor writes, and other tensors see as much of it as on NumPy."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad.conformance.calls import (
    Raised,
    call,
    call_op,
    check,
    difference,
    excused,
    pairs,
)
from plugrad.conformance.cells import Cell


def test_op(cell: Cell) -> None:
    """`x.NAME_(...)` gives x, which holds the result; so does an alias made before."""
    found, subject = [], cell.subject
    for mine, other in pairs(cell):
        if not isinstance(other.args[0], plugrad.Tensor):
            continue  # a number first, and a number has no methods
        theirs = call(subject.reference, write, cell.op.name, other)
        ours = call(subject.k, write, cell.op.name, mine)
        if isinstance(theirs, Raised) or excused(cell, mine, ours, theirs):
            continue  # with what type a call is refused is a test of its own
        text = difference(subject, ours, theirs)
        if text:
            found.append((mine, text))
    check(found)


def write(name: str, sample: Any) -> list[Any]:
    """The result of the form in place, the tensor written to, and an alias of it."""
    x, *rest = sample.args
    alias = x.detach()
    y = getattr(x, f"{name}_")(*rest, **sample.kwargs)
    assert y is x, f"{name}_ returned another tensor"
    return [y, alias]


def test_view(cell: Cell) -> None:
    """Where a backend has views, a write to what shares memory on NumPy is seen in the
    tensor that it is a view of; where it has none, as little is seen as in a copy."""
    found, subject = [], cell.subject
    for mine, other in pairs(cell):
        y = call_op(subject.reference, cell.op, other)
        x = other.args[0]
        if isinstance(y, Raised) or not shares(y, x):
            continue
        theirs = call(subject.reference, write_view, cell.op, other)
        if isinstance(theirs, Raised):
            continue  # elements repeat: no such tensor is written to
        ours = call(subject.k, write_view, cell.op, mine)
        text = None
        if subject.k.views or isinstance(ours, Raised):
            text = difference(subject, ours, theirs)
        if text and not excused(cell, mine, ours, theirs):
            found.append((mine, f"after a write to the view: {text}"))
    check(found)


def shares(y: Any, x: Any) -> bool:
    """Whether results of the reference are on the memory of its input."""
    first = y[0] if isinstance(y, (tuple, list)) and y else y
    if not isinstance(first, plugrad.Tensor) or not first.numel():
        return False
    owner = x.untyped_storage().data_ptr()
    return first.untyped_storage().data_ptr() == owner


def write_view(op: Any, sample: Any) -> list[Any]:
    """The view after a write, and the tensor that it was made of."""
    y = op.function(*sample.args, **sample.kwargs)
    first = y[0] if isinstance(y, (tuple, list)) else y
    first.fill_(1)
    return [first, sample.args[0]]
