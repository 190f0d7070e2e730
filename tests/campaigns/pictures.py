"""Damaged files of pictures are read or refused, in little memory.

IDX files (plain and gzipped), pickled batches of CIFAR, PNG files and pictures that
Pillow reads get one to three faults each. A case is one file; what comes of it must be
a value or an error that says why.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from tests.campaigns.runner import Report, cases, dealt
from tests.plugins.vision_cases import KINDS, MOST_MEMORY, try_damaged

FILES = 60_000


def run(seed: int, budget: float) -> Report:
    found = Report()
    outcomes: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for case in cases("a file", FILES, budget, found):
            kind, salt = dealt(list(KINDS), seed, case)
            how, wrong = try_damaged(kind, salt, Path(folder))
            outcomes[kind, how] += 1
            if wrong:
                found.fail(case, f"{kind} {salt}: {how}, {wrong}")
    rows = ["| file | read | refused |", "| --- | --: | --: |"]
    for kind in KINDS:
        read, refused = outcomes[kind, "read"], outcomes[kind, "refused"]
        rows.append(f"| {kind} | {read:,} | {refused:,} |")
    found.notes.append("\n".join(rows))
    found.notes.append(f"At most {MOST_MEMORY >> 20} MiB of memory for each.")
    return found
