"""Random programs of views and writes leave nothing to the garbage collector.

With the collector off, every tensor and node of a program is gone when the last
reference to them is. A case is a batch of programs.
"""

from __future__ import annotations

import gc
import weakref

import plugrad
from tests.against_torch.inplace_programs import Run, programs
from tests.campaigns.generated import falsified
from tests.campaigns.runner import Report, cases, salted

BATCH = 100
BATCHES = 400


def run(seed: int, budget: float) -> Report:
    found = Report()
    for case in cases(f"{BATCH} programs", BATCHES, budget, found):
        text = falsified(check, {"steps": programs(10)}, salted(seed, case), BATCH)
        if text:
            found.fail(case, text)
    found.notes.append(f"{BATCH} programs to a case.")
    return found


def check(steps):
    """Run a program, let go of it, and see whether all of it is gone."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        ran = Run(plugrad, steps)
        ran.error = ran.refused = None  # their tracebacks refer back to `ran`
        nodes = [t.grad_fn for t in ran.tensors if t.grad_fn is not None]
        alive = [weakref.ref(each) for each in (*ran.tensors, *nodes)]
        del ran, nodes
        left = [type(ref()).__name__ for ref in alive if ref() is not None]
    finally:
        if enabled:
            gc.enable()
    assert not left, left
