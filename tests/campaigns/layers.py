"""Random layers with random options, against torch: outputs, gradients and buffers.

A case is one layer, in use and in training. What torch refuses is not compared.
"""

from __future__ import annotations

import traceback
from random import Random

from tests.against_torch.nn.random_layers import KINDS, compare
from tests.campaigns.runner import Report, cases, dealt

ROUNDS = 2000


def run(seed: int, budget: float) -> Report:
    found, refused = Report(), 0
    for case in cases("layers", ROUNDS * len(KINDS), budget, found):
        kind, salt = dealt(list(KINDS), seed, case)
        random = Random(f"{kind}/{salt}")
        layer = KINDS[kind](random)
        dtype = random.choice(layer.dtypes)
        try:
            wrong = compare(layer, dtype)
        except Exception:
            found.fail(case, f"{layer}, {dtype}:\n{traceback.format_exc()}")
            continue
        refused += wrong is None
        if wrong:
            found.fail(case, "\n".join(wrong))
    found.notes.append(f"torch refused {refused:,} of the layers.")
    return found
