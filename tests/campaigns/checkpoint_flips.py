"""Checkpoints with one bit flipped: none loads wrong without an error.

What loads must be exactly what was saved (the bit was one that means nothing, such as
padding). A case is a batch of flips, each of a random bit of a file.
"""

from __future__ import annotations

import random

from tests.campaigns.checkpoints import outcome, sample, saved, words
from tests.campaigns.runner import Report, cases

BATCH = 100
BATCHES = 100


def run(seed: int, budget: float) -> Report:
    found = Report()
    counts = {"refused": 0, "loaded": 0}
    for case in cases(f"{BATCH} flips", BATCHES, budget, found):
        for what in wrong(f"{seed}/{case}", BATCH, counts):
            found.fail(case, what)
    found.notes.append(
        f"{BATCH} flips to a case: {counts['refused']:,} refused, "
        f"{counts['loaded']:,} loaded as they were saved."
    )
    return found


def wrong(seed: str, flips: int, counts: dict[str, int]) -> list[str]:
    """What was loaded wrong."""
    rng = random.Random(seed)
    obj = sample(rng.randrange(1000))
    data, expected = saved(obj), words(obj)
    found = []
    for _ in range(flips):
        bit = rng.randrange(8 * len(data))
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            result, value = outcome(bytes(damaged))
        except AssertionError as error:
            found.append(f"bit {bit}: {error}")
            continue
        counts[result] += 1
        if result == "loaded" and value != expected:
            found.append(f"bit {bit} of {len(data)} bytes changed what was loaded")
    return found
