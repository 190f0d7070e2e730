"""Random index expressions, got and set, against torch; negative steps against NumPy.

Values, shapes, exceptions, shared memory, and gradients to second order. A case is a
batch of expressions for one of the checks.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.against_torch import index_cases as index
from tests.campaigns.generated import falsified
from tests.campaigns.runner import Report, cases, salted

CHECKS = [
    (index.check_get, {"case": index.cases()}),
    (index.check_memory, {"case": index.cases()}),
    (index.check_double, {"case": index.cases()}),
    (index.check_negative_steps, {"index": index.negative}),
    (
        index.check_set,
        {"case": index.assignments(), "integers": st.booleans(), "mode": index.modes},
    ),
]
BATCH = 100
BATCHES = 1500


def run(seed: int, budget: float) -> Report:
    found = Report()
    for case in cases(f"{BATCH} indices", BATCHES, budget, found):
        check, strategies = CHECKS[case % len(CHECKS)]
        text = falsified(check, strategies, salted(seed, case), BATCH)
        if text:
            found.fail(case, text)
    found.notes.append(f"{BATCH} indices to a case.")
    return found
