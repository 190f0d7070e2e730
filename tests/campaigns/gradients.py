"""The rules of every op against numeric gradients, to first and second order.

A case is one op on its samples of float64 or complex128.
"""

from __future__ import annotations

import warnings

import plugrad
from plugrad.autograd import GradcheckError, gradcheck, gradgradcheck
from tests.campaigns.runner import Report, cases, dealt
from tests.expected import report
from tests.ops.numeric import DIFFERENTIABLE, run_op

CHECKS = [
    (name, dtype, check)
    for name in DIFFERENTIABLE
    for dtype in (plugrad.float64, plugrad.complex128)
    for check in (gradcheck, gradgradcheck)
]
ROUNDS = 8


def by_two_steps(check):
    """The check, again by a much smaller step where it fails: random numbers come so
    near to a kink or jump (`1 % x` jumps at 1/2, 1/3, ...) that a step crosses it."""

    def twice(function, inputs, **settings):
        try:
            check(function, inputs, **settings)
        except GradcheckError:
            check(function, inputs, eps=1e-8, **settings)

    return twice


def run(seed: int, budget: float) -> Report:
    found, checked = Report(), 0
    for case in cases("an op", ROUNDS * len(CHECKS), budget, found):
        (name, dtype, check), salt = dealt(CHECKS, seed, case)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrong, count = run_op(name, dtype, by_two_steps(check), salt)
        checked += count
        if wrong:
            found.fail(case, f"{check.__name__}\n{report(wrong)}")
    found.notes.append(f"{checked:,} calls checked, of {len(DIFFERENTIABLE)} ops.")
    return found
