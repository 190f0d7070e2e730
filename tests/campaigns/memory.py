"""What plugrad keeps in memory, at full length.

The measurements of `python -m benchmarks memory`, each in a process of its own, with
their bars: 10,000,000 numbers, 100,000 training steps without garbage collection, and
1,000,000 nodes; a tenth of each in samples.
"""

from __future__ import annotations

import math

from benchmarks.isolation import in_a_process
from benchmarks.memory import MEASUREMENTS
from tests.campaigns.runner import Report, cases


def run(seed: int, budget: float) -> Report:
    found, names = Report(), list(MEASUREMENTS)
    lines = ["| measured | asked | found |", "| --- | --- | --- |"]
    for case in cases("a measurement", len(names), budget, found):
        for row in in_a_process(MEASUREMENTS[names[case]], budget < math.inf):
            lines.append(f"| {row.what} | {row.asked} | {row.measured} |")
            if row.verdict == "MISS":
                found.fail(case, f"{row.what}: {row.measured}, not {row.asked}")
    found.notes.append("\n".join(lines))
    return found
