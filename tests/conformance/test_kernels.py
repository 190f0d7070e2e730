"""A backend's own kernel gives what the op's default body gives on the same arrays."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad.conformance.calls import Raised, call_op, check, difference, samples
from plugrad.conformance.cells import Cell


def test_default_body(cell: Cell) -> None:
    """Where the default body runs at all: not all libraries have all that it needs."""
    k, op = cell.subject.k, cell.op
    ours = [(each, call_op(k, op, each)) for each in samples(cell, k)]
    with plugrad.use_kernels(k.name, default_body(k, op)):
        theirs = [call_op(k, op, each) for each in samples(cell, k)]
    found = [
        (sample, difference(cell.subject, y, other))
        for (sample, y), other in zip(ours, theirs, strict=True)
        if not isinstance(other, Raised)
    ]
    check([(sample, text) for sample, text in found if text])


def default_body(k: plugrad.Backend, op: Any) -> plugrad.Overrides:
    """The default body of an op, in the place of the kernel in use."""
    found = plugrad.Overrides("default body", backend=k.name)
    found.add(op.name)(lambda *args: op.call_body(k, args, {}))
    return found
