"""A case on two backends: built alike, run alike, and compared by name.

What UnsupportedOpError is raised for goes up: a case that needs an op which the backend
declares as left out is n/a.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import plugrad

from .calls import Maker, difference, ramp, tensors_in
from .cells import Cell

LOOSELY = 10  # a case has many ops, and sums of many products


def make_for(cell: Cell, k: plugrad.Backend) -> Maker:
    """What makes the inputs of a case on a backend."""
    seed = f"{cell.subject.seed}/{cell.case}"
    return Maker(cell.subject, k, cell.dtype, requires_grad=True, seed=seed)


def build(cell: Cell, k: plugrad.Backend, make: Callable[[], Any]) -> Any:
    """A module on a backend, in the dtype of the cell."""
    with plugrad.backend(k.name):
        plugrad.manual_seed(0)
        module = make().to(cell.dtype)
        device = cell.subject.device
        if device is not None and k is cell.subject.k:
            module.to(device)
    return module


def check_same(
    cell: Cell,
    ours: dict[str, Any],
    theirs: dict[str, Any],
    loosely: float = LOOSELY,
) -> None:
    """Fail unless two runs found the same, name by name."""
    __tracebackhide__ = True
    assert list(ours) == list(theirs)
    found = {
        name: difference(cell.subject, value, theirs[name], loosely)
        for name, value in ours.items()
    }
    wrong = [f"{name}: {text}" for name, text in found.items() if text]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(found)} differ", *wrong[:5]])


def gradients_of(cell: Cell, k: plugrad.Backend, outputs: Any) -> None:
    """Walk back from all outputs, with other numbers at each element."""
    roots = [y for y in tensors_in([outputs]) if y.requires_grad]
    if roots:
        plugrad.autograd.backward(roots, [ramp(cell, k, y) for y in roots])


def dense(t: Any) -> Any:
    """A gradient as a dense tensor, which can be compared."""
    return t if t is None or t.layout is plugrad.strided else t.to_dense()
