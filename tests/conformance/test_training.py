"""Whole runs of training: the losses are those on NumPy, from the same start and on the
same data, with the same draws; nothing is left over of a step; and threads do not
disturb each other."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import plugrad
from plugrad.conformance.cells import Cell
from plugrad.conformance.compared import build, make_for
from plugrad.conformance.models import MODELS

CLOSE = {"float64": 1e-9, "float32": 1e-4}  # how near losses are, relative to them
THREADS = 4
LEAK = 700  # bytes for each step: two small tensors, or numbers that are kept for later
EACH, WINDOWS = 3, 5  # steps in a window; in the first, caches fill


def trainer(cell: Cell, k: plugrad.Backend, state: Any) -> Callable[[], float]:
    """A function that takes one step of training and gives the loss before it."""
    row = MODELS[cell.case]
    model = build(cell, k, row.make)
    with plugrad.backend(k.name):
        model.load_state_dict(state)
        data = row.data(make_for(cell, k))
        optimizer = row.optimizer(model)

    def step() -> float:
        with plugrad.backend(k.name):
            optimizer.zero_grad()
            loss = row.loss(model, *data)
            loss.backward()
            optimizer.step()
            return loss.item()

    return step


def losses(cell: Cell, k: plugrad.Backend) -> list[float]:
    """The losses of a run."""
    step = trainer(cell, k, start(cell))
    plugrad.manual_seed(2)
    return [step() for _ in range(MODELS[cell.case].steps)]


def start(cell: Cell) -> Any:
    """The state that all runs start from."""
    return build(cell, cell.subject.reference, MODELS[cell.case].make).state_dict()


def far(cell: Cell, ours: list[float], theirs: list[float]) -> list[str]:
    """The steps whose losses are not near enough."""
    dtype = cell.dtype.name
    rtol = max(CLOSE[dtype], cell.subject.k.tolerances.get(dtype, (0, 0))[0])
    pairs = enumerate(zip(ours, theirs, strict=True))
    return [
        f"step {i}: {a!r}, expected {b!r}"
        for i, (a, b) in pairs
        if not abs(a - b) <= rtol * max(1, abs(b))
    ]


def test_losses(cell: Cell) -> None:
    """The curve of the loss, which has to fall."""
    theirs = losses(cell, cell.subject.reference)
    assert theirs[-1] < 0.9 * theirs[0], f"nothing is learned: {theirs}"
    wrong = far(cell, losses(cell, cell.subject.k), theirs)
    assert not wrong, "\n".join(wrong)


def test_memory(cell: Cell) -> None:
    """A step leaves nothing over: no object that is left to the garbage collector,
    because it refers in a circle, and no memory that Python knows of."""
    step = trainer(cell, cell.subject.k, start(cell))
    gc.disable()
    tracemalloc.start()
    try:
        left = [window(step) for _ in range(WINDOWS)][1:]
    finally:
        tracemalloc.stop()
        gc.enable()
    objects, sizes = zip(*left, strict=True)
    grown = [b - a for a, b in pairwise(sizes)]
    # What is no leak does not grow in each window. An object may come back into the
    # collector's sight once: dicts without containers are out of it.
    assert min(objects) < EACH, f"{EACH} steps leave {min(objects)} objects each time"
    assert min(grown) < LEAK * EACH, f"{EACH} steps leave {min(grown)} bytes each time"


def window(step: Callable[[], float]) -> tuple[int, int]:
    """How many objects some steps leave, and what all take once it is collected."""
    before = len(gc.get_objects())
    for _ in range(EACH):
        step()
    objects = len(gc.get_objects()) - before
    gc.collect()
    return objects, tracemalloc.get_traced_memory()[0]


def test_threads(cell: Cell) -> None:
    """Runs in threads beside each other are as one alone."""
    k, state, count = cell.subject.k, start(cell), MODELS[cell.case].steps

    def run(_: int) -> list[float]:
        step = trainer(cell, k, state)
        return [step() for _ in range(count)]

    alone = run(0)
    with ThreadPoolExecutor(THREADS) as pool:
        together = list(pool.map(run, range(THREADS)))
    wrong = [text for each in together for text in far(cell, each, alone)]
    assert not wrong, "\n".join(wrong[:5])
