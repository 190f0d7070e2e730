"""Every op on random samples on array-api-strict, against NumPy.

Values, dtypes, shapes and gradients. A case is one op in all dtypes. What cannot be
stands in `tests/backends/strict_differences.txt`.
"""

from __future__ import annotations

import warnings

import plugrad
from plugrad.interface import OPS
from tests.backends.compared import EXPECTED, run_op
from tests.campaigns.runner import Report, cases, dealt
from tests.expected import report

NAMES = "bool uint8 int8 int16 int32 int64 float32 float64 complex64 complex128".split()
DTYPES = [getattr(plugrad, name) for name in NAMES]
ROUNDS = 5


def run(seed: int, budget: float) -> Report:
    found, comparisons, names = Report(), 0, list(OPS)
    for case in cases("an op", ROUNDS * len(names), budget, found):
        name, salt = dealt(names, seed, case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            differences, count = run_op(name, DTYPES, salt)
        comparisons += count
        wrong = [
            f"{name}[{dtype}, {kind}]: {text}"
            for dtype, kind, text in differences
            if not EXPECTED.covers(name, dtype, kind)
        ]
        if wrong:
            found.fail(case, f"{len(wrong)} differences\n{report(wrong)}")
    found.notes.append(
        f"{comparisons:,} calls compared, of {len(names)} ops, in {', '.join(NAMES)}."
    )
    return found
