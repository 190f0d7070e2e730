"""Gradients: those of the reference, numeric ones, and gradients of gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plugrad
from plugrad.autograd import GradcheckError, gradcheck, gradgradcheck
from plugrad.conformance.calls import (
    Raised,
    call,
    check,
    difference,
    excused,
    pairs,
    ramp,
    samples,
    spread,
    tensors_in,
    wanted_in,
)
from plugrad.conformance.cells import Cell

MOST = 8
SYMMETRIC = ("cholesky", "eigh")  # they read one triangle: the other changes with it


def test_reference(cell: Cell) -> None:
    """The same gradients as on the reference, for other numbers at each output."""
    compare(cell, gradients)


def compare(cell: Cell, found_by: Callable[..., Any], loosely: float = 1) -> None:
    """Compare what `found_by` finds for each sample on both sides."""
    found, subject = [], cell.subject
    for mine, other in pairs(cell, requires_grad=True):
        theirs = call(subject.reference, found_by, cell, subject.reference, other)
        if isinstance(theirs, Raised):
            continue  # what is refused, and how, is a test of its own
        ours = call(subject.k, found_by, cell, subject.k, mine)
        text = difference(subject, ours, theirs, loosely)
        if text and not excused(cell, mine, ours, theirs):
            found.append((mine, text))
    check(found)


def gradients(cell: Cell, k: plugrad.Backend, sample: Any) -> list[Any]:
    """The gradients of a sample's inputs, by `backward`."""
    wanted = wanted_in(sample)
    for x in wanted:
        x.grad = None  # samples may share their tensors
    roots = differentiable(cell.op.function(*sample.args, **sample.kwargs))
    if roots:
        plugrad.autograd.backward(roots, [ramp(cell, k, y) for y in roots])
    return [x.grad for x in wanted]


def second_gradients(cell: Cell, k: plugrad.Backend, sample: Any) -> list[Any]:
    """The gradients of the gradients, summed with other numbers at each element."""
    wanted = wanted_in(sample)
    roots = differentiable(cell.op.function(*sample.args, **sample.kwargs))
    if not roots:
        return []
    settings = {"create_graph": True, "allow_unused": True}
    seeds = [ramp(cell, k, y) for y in roots]
    first = plugrad.autograd.grad(roots, wanted, seeds, **settings)
    again = differentiable(first)
    if not again:
        return []
    seeds = [ramp(cell, k, g) for g in again]
    return list(plugrad.autograd.grad(again, wanted, seeds, allow_unused=True))


def differentiable(value: Any) -> list[Any]:
    """The tensors in a result that a gradient flows to."""
    return [y for y in tensors_in([value]) if y.requires_grad]


def test_numeric(cell: Cell) -> None:
    """Gradients against differences of the op's values."""
    numeric(cell, gradcheck)


def test_twice(cell: Cell) -> None:
    """Gradients of gradients, against differences of gradients; where differences of 32
    bits would be too rough, against those of the reference."""
    if cell.dtype.name == "float32":
        compare(cell, second_gradients, loosely=100)
    else:
        numeric(cell, gradgradcheck)


def numeric(cell: Cell, gradient_check: Callable[..., Any]) -> None:
    """Check the gradients of samples that are smooth: each takes many calls, and all
    samples are compared with the reference, so that MOST of them will do."""
    found = []
    made = samples(cell, cell.subject.k, requires_grad=True)
    for sample in spread([each for each in made if each.smooth], MOST):
        if takes(cell, sample):
            text = numeric_difference(cell, sample, gradient_check)
            if text:
                found.append((sample, text))
    check(found)


def takes(cell: Cell, sample: Any) -> bool:
    """Whether the op takes a sample, and gives results in double precision; what it
    should take is compared with the reference."""
    found = call(cell.subject.k, cell.op.function, *sample.args, **sample.kwargs)
    if isinstance(found, Raised):
        return False
    doubles = (plugrad.float64, plugrad.complex128)
    return all(y.dtype in doubles for y in differentiable(found))


def numeric_difference(
    cell: Cell, sample: Any, gradient_check: Callable[..., Any]
) -> str | None:
    """What is wrong with the gradients of one sample, or None.

    Random directions come first, since they need few calls; what fails by them is
    tried by the whole Jacobian, whose message says where.
    """
    function, wanted = as_function(cell.op, sample)
    if not wanted:
        return None
    settings = {"check_grad_dtypes": True}
    fast = call(
        cell.subject.k, gradient_check, function, wanted, **settings, fast_mode=True
    )
    if not isinstance(fast, Raised):
        return None
    whole = call(cell.subject.k, gradient_check, function, wanted, **settings)
    if not isinstance(whole, Raised):
        return None
    if isinstance(whole.error, GradcheckError):
        return " ".join(str(whole.error).split())
    return repr(whole)


def as_function(op: Any, sample: Any) -> tuple[Callable[..., Any], list[Any]]:
    """A sample call as a function of the tensors that want a gradient, and those."""
    wanted = wanted_in(sample)

    def function(*inputs: Any) -> Any:
        changed = {id(t): x for t, x in zip(wanted, inputs, strict=True)}
        if op.name in SYMMETRIC:
            changed = {key: (x + x.mT.conj()) / 2 for key, x in changed.items()}
        args, kwargs = replaced(sample.args, changed), replaced(sample.kwargs, changed)
        return op.function(*args, **kwargs)

    return function, wanted


def replaced(value: Any, changed: dict[int, Any]) -> Any:
    """`value` with other tensors in it: `changed` says which, by id."""
    if isinstance(value, plugrad.Tensor):
        return changed.get(id(value), value)
    if isinstance(value, dict):
        return {key: replaced(each, changed) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(replaced(each, changed) for each in value)
    return value
