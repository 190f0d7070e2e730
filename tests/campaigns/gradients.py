"""The rules of every op against numeric gradients, to first and second order.

A case is one op on its samples of float64 or complex128.
"""

from __future__ import annotations

import warnings

import plugrad
from plugrad.autograd import gradcheck, gradgradcheck
from tests.campaigns.runner import Report, cases, dealt
from tests.expected import report
from tests.ops.numeric import DIFFERENTIABLE, run_op

CHECKS = [
    (name, dtype, check)
    for name in DIFFERENTIABLE
    for dtype in (plugrad.float64, plugrad.complex128)
    for check in (gradcheck, gradgradcheck)
]
ROUNDS = 10


def run(seed: int, budget: float) -> Report:
    found, checked = Report(), 0
    for case in cases("an op", ROUNDS * len(CHECKS), budget, found):
        (name, dtype, check), salt = dealt(CHECKS, seed, case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrong, count = run_op(name, dtype, check, salt)
        checked += count
        if wrong:
            found.fail(case, f"{check.__name__}\n{report(wrong)}")
    found.notes.append(f"{checked:,} calls checked, of {len(DIFFERENTIABLE)} ops.")
    return found
