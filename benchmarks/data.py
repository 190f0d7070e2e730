"""Batches per second of a DataLoader, against torch's.

60,000 x 784 float32 and a label for each, as MNIST has them, shuffled, in batches of
64: an epoch of a TensorDataset, and one of a dataset in Python that gives single
samples, loaded in the main process and by 2 workers. Starting workers is part of an
epoch. The last batches are compared before anything is timed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .isolation import ONE_THREAD, in_a_process
from .timing import Comparison, Plan, brief, compare, print_notes, progress, report

SAMPLES, FEATURES, BATCH = 60_000, 784, 64
CELLS = [(what, n) for what in ("tensors", "samples") for n in (0, 2)]
BARS = {("samples", 0): 1.5}  # torch stacks in C++; elsewhere ours is to be faster

Call = Callable[[], Any]


class Samples:
    """One sample at a time."""

    def __init__(self, images: Any, labels: Any) -> None:
        self.images = images
        self.labels = labels

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Any:
        return self.images[index], self.labels[index]


def epoch(library: Any, data: Any, what: str, workers: int, share: int) -> Call:
    """A call that loads a part of the samples once."""
    rng = np.random.default_rng(0)
    images = library.from_numpy(rng.random((SAMPLES, FEATURES), np.float32))
    labels = library.from_numpy(rng.integers(0, 10, SAMPLES))
    dataset = data.TensorDataset(images, labels)
    if what == "samples":
        dataset = Samples(images, labels)
    order = rng.permutation(SAMPLES)[: SAMPLES // share].tolist()
    # in a process that was spawned, workers would be spawned by default, too
    method = {"multiprocessing_context": "fork"} if workers else {}
    loader = data.DataLoader(
        dataset, BATCH, sampler=order, num_workers=workers, **method
    )

    def load() -> Any:
        kept: deque[Any] = deque(loader, maxlen=1)
        return kept.pop()

    return load


def run(quick: bool = False) -> dict[str, Any]:
    comparisons, notes = {}, []
    for what, workers in CELLS:
        name = f"{what}, {workers} workers"
        progress(f"data: {name}")
        asked = what, workers, quick
        comparisons[name], more = in_a_process(_measure, asked, ONE_THREAD)
        notes += [note for note in more if note not in notes]
    progress("")
    share = "a tenth of an epoch" if quick else "an epoch"
    report(
        f"{SAMPLES} x {FEATURES}, batches of {BATCH}", f"ms for {share}", comparisons
    )
    print_notes(notes)
    return {"epochs": comparisons, "notes": notes}


def _measure(asked: tuple[str, int, bool]) -> tuple[Comparison, list[str]]:
    what, workers, quick = asked
    plan = Plan(rounds=11, turn=0.02, pause=0.1, patience=30.0)
    share = 10 if quick else 1
    calls: dict[str, Call] = {}
    lasts, notes = [], []
    for name, module in (("plugrad", "plugrad"), ("torch", "torch")):
        try:
            data = import_module(f"{module}.utils.data")
            call = epoch(import_module(module), data, what, workers, share)
            lasts.append([np.asarray(each) for each in call()])
        except ModuleNotFoundError:
            notes.append(f"{name}: absent: pip install {name}")
        except Exception as error:
            notes.append(f"{name}: {brief(error)}")
        else:
            calls[name] = call
    for batch in lasts[1:]:
        for ours, theirs in zip(lasts[0], batch, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    bar = BARS.get((what, workers), 1.0)
    plan = plan.quick() if quick else plan
    return compare(calls, plan, unit=1e-3, bar=bar, against="torch"), notes
