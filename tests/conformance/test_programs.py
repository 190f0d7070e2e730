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
    check_same(cell, run(cell, k), run(cell, cell.subject.reference))


def run(cell: Cell, k: plugrad.Backend) -> dict[str, Any]:
    """What a program leaves, on one backend."""
    make = make_for(cell, k)
    x, u = make(*programs.SHAPE), make(*programs.SHAPE)
    with plugrad.backend(k.name):
        found = programs.run(cell.case, x, u)
    names = ("tensor", "part", "gradient of x", "gradient of u")
    return dict(zip(names, found, strict=True))
