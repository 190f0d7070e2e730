"""Every op gives what it gives on NumPy: values, shapes and dtypes.

The samples are of all layouts: without dimensions, without elements, with gaps and
repeats in memory, broadcast. What NumPy refuses, the backend has to refuse.
"""

from __future__ import annotations

from plugrad.conformance.calls import check, compared, difference
from plugrad.conformance.cells import Cell


def test_op(cell: Cell) -> None:
    differences = [
        (sample, difference(cell.subject, ours, theirs))
        for sample, ours, _, theirs in compared(cell)
    ]
    check([(sample, text) for sample, text in differences if text])
