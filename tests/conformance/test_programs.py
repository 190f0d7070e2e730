"""Long programs of writes end as they do on NumPy, and so do their gradients."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad.conformance import programs
from plugrad.conformance.calls import Unmade
from plugrad.conformance.cells import Cell
from plugrad.conformance.compared import check_same, make_for


def test_in_place(cell: Cell) -> None:
    k = cell.subject.k
    if programs.needs_views(cell.case) and not k.views:
        raise Unmade("the backend declares that its arrays are no views of each other")
    for grad in (True, False):
        expected = run(cell, cell.subject.reference, grad)
        check_same(cell, run(cell, k, grad), expected)


def run(cell: Cell, k: plugrad.Backend, grad: bool) -> dict[str, Any]:
    """What a program leaves on one backend, with gradients or without."""
    make = make_for(cell, k)
    x, u = (make(*programs.SHAPE, requires_grad=grad) for _ in range(2))
    with plugrad.backend(k.name):
        found = programs.run(cell.case, x, u)
    names = ("tensor", "part", "gradient of x", "gradient of u")
    return dict(zip(names, found))
