"""Every op on random samples on array-api-strict, against NumPy.

Values, dtypes, shapes and gradients, by the tests of the conformance suite. A case is
one op in all dtypes. What cannot be stands in
`tests/conformance/expected/array_api_strict.txt`.
"""

from __future__ import annotations

import warnings

from tests.backends.strict import run_op, strict_subject
from tests.campaigns.runner import Report, cases, dealt
from tests.expected import report

ROUNDS = 5


def run(seed: int, budget: float) -> Report:
    found, tests = Report(), 0
    subject = strict_subject()
    names = list(subject.k.ops)
    for case in cases("an op", ROUNDS * len(names), budget, found):
        name, salt = dealt(names, seed, case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrong, count = run_op(name, strict_subject(salt), subject.dtypes)
        tests += count
        if wrong:
            found.fail(case, f"{len(wrong)} tests fail\n{report(wrong)}")
    found.notes.append(
        f"{tests:,} tests of {len(names)} ops, in {', '.join(subject.dtypes)}."
    )
    return found
