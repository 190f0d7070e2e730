"""What NumPy refuses is refused, with an exception of the same type."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad.conformance.calls import Raised, call, call_op, check, compared, samples
from plugrad.conformance.cells import Cell


def test_op(cell: Cell) -> None:
    found = [
        (sample, refusal(ours, theirs))
        for sample, ours, _, theirs in compared(cell)
        if isinstance(theirs, Raised)
    ]
    for wrong in WRONG if cell.op.oracle is not None else ():  # what users call
        found += [(wrong.__doc__, text) for text in [both(cell, wrong)] if text]
    wrong_calls = [f"{what} {text}" for what, text in found if isinstance(what, str)]
    assert not wrong_calls, "\n".join(wrong_calls)
    check([(sample, text) for sample, text in found if text])


def refusal(ours: Any, theirs: Raised) -> str | None:
    """What is wrong with how a call is refused, or None."""
    if not isinstance(ours, Raised):
        return f"no error; expected {theirs!r}"
    if isinstance(ours.error, type(theirs.error)):
        return None
    return f"{ours!r}; expected {theirs!r}"


def both(cell: Cell, wrong: Any) -> str | None:
    """What differs where both sides are called wrongly, or None."""
    subject, results = cell.subject, []
    for k in (subject.reference, subject.k):
        sample = first_that_works(cell, k)
        if sample is None:
            return None
        changed = wrong(cell.op, sample)
        if changed is None:
            return None
        results.append(call(k, cell.op.function, *changed[0], **changed[1]))
    theirs, ours = results
    return refusal(ours, theirs) if isinstance(theirs, Raised) else None


def first_that_works(cell: Cell, k: plugrad.Backend) -> Any:
    """A sample that the backend takes."""
    for sample in samples(cell, k):
        if not isinstance(call_op(k, cell.op, sample), Raised):
            return sample
    return None


def no_tensor(op: Any, sample: Any) -> Any:
    """Called with an object in the place of its first argument:"""
    return (object(), *sample.args[1:]), sample.kwargs


def no_arguments(op: Any, sample: Any) -> Any:
    """Called with an argument that there is not:"""
    return sample.args, {**sample.kwargs, "no_such_argument": 1}


def far_dim(op: Any, sample: Any) -> Any:
    """Called with a dimension that there is not:"""
    names = [p.name for p in op.params]
    if "dim" not in names:
        return None
    place = names.index("dim")
    given = sample.args[:place] + (99,) + sample.args[place + 1 :]
    if place < len(sample.args):
        return given, sample.kwargs
    return sample.args, {**sample.kwargs, "dim": 99}


WRONG = (no_tensor, no_arguments, far_dim)
