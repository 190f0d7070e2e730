"""Optimizers with random options and schedules, against torch, step by step.

A case is one run: options change on the way, groups come, and states are loaded.
"""

from __future__ import annotations

import traceback
from random import Random

from tests.against_torch.optim.random_runs import Plan, compare
from tests.campaigns.runner import Report, cases, salted

RUNS = 20_000


def run(seed: int, budget: float) -> Report:
    found = Report()
    for case in cases("runs", RUNS, budget, found):
        plan = Plan(Random(salted(seed, case)))
        try:
            compare(plan)
        except Exception:
            found.fail(case, f"{plan}\n{traceback.format_exc()}")
    return found
