"""Every op that torch has too, on random samples of all dtypes, against torch.

Values, dtypes, shapes, exceptions and gradients, in every form of the call. A case is
one op in all dtypes. What differs on purpose stands in
`tests/against_torch/differences.txt`, and for the dtypes that only this campaign tries
in `tests/campaigns/differences.txt`.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import plugrad
from plugrad.interface import OPS
from tests.against_torch.forms import COMPARED, EXPECTED, run_op
from tests.campaigns.runner import Report, cases, dealt
from tests.expected import Expected, report

DTYPES = plugrad.get_backend("numpy").by_dtype
MORE = Expected(Path(__file__).with_name("differences.txt"))
ROUNDS = 7


def unexpected(name, differences):
    """Those that no list has."""
    return [
        f"{name}[{dtype}, {kind}]: {text}"
        for dtype, kind, text in differences
        if not any(known.covers(name, dtype, kind) for known in (EXPECTED, MORE))
    ]


def run(seed: int, budget: float) -> Report:
    found, comparisons = Report(), 0
    for case in cases("an op", ROUNDS * len(COMPARED), budget, found):
        name, salt = dealt(COMPARED, seed, case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns of resized outputs and more
            differences, count = run_op(name, DTYPES, salt)
        comparisons += count
        wrong = unexpected(name, differences)
        if wrong:
            found.fail(case, f"{len(wrong)} differences\n{report(wrong)}")
    found.notes.append(
        f"{comparisons:,} calls compared, of {len(COMPARED)} of {len(OPS)} ops, in "
        + ", ".join(each.name for each in DTYPES)
        + "."
    )
    return found
