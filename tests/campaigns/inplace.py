"""Random programs of views, writes and pure steps, against torch.

Values, gradients to second order, `requires_grad` and `is_leaf` after every step, and
exceptions. A case is a batch of programs. What differs on purpose is listed in
`tests/against_torch/test_inplace.py`.
"""

from __future__ import annotations

from tests.against_torch.inplace_programs import check, programs
from tests.campaigns.generated import falsified
from tests.campaigns.runner import Report, cases, salted

LENGTHS = [2, 4, 8, 14]  # of the programs, at most
BATCH = 100
BATCHES = 300


def run(seed: int, budget: float) -> Report:
    found = Report()
    for case in cases(f"{BATCH} programs", BATCHES, budget, found):
        steps = programs(LENGTHS[case % len(LENGTHS)])
        text = falsified(check, {"steps": steps}, salted(seed, case), BATCH)
        if text:
            found.fail(case, text)
    found.notes.append(f"{BATCH} programs to a case, of up to {LENGTHS[-1]} steps.")
    return found
