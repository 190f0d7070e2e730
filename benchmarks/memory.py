"""What plugrad keeps in memory, and for how long: counts that must hold, not timings.

- A tensor that nobody needs any more is freed at once, by reference counts alone.
- The graph saves what a rule names and nothing else.
- Training does not grow, even with the garbage collector switched off.
- A graph of a million nodes is built, walked and freed without recursion.

The functions return numbers, for the table here and for the tests. Sizes of arrays
come from tracemalloc, to which NumPy reports its data, in units of one array; so they
are exact, and Python's own objects are small beside them. Sizes of the process come
from the operating system, and each is measured in a process of its own.
"""

from __future__ import annotations

import gc
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from types import ModuleType
from typing import Any

from .isolation import in_a_process
from .timing import brief, progress, table, verdict

MiB = 2**20
ROUGHLY = 0.01  # of an array: Python objects beside the arrays


@dataclass
class Arrays:
    """Traced memory in units of one float32 array of `n` numbers."""

    n: int

    def alive(self) -> float:
        return tracemalloc.get_traced_memory()[0] / (4 * self.n)

    def peak(self) -> float:
        return tracemalloc.get_traced_memory()[1] / (4 * self.n)


@contextmanager
def _arrays(t: ModuleType, n: int) -> Iterator[Arrays]:
    """Count from zero; what a library sets up on first use is done before."""
    x = t.ones(2, requires_grad=True)
    t.relu(x * t.ones(2) + 1.0).sum().backward()
    gc.collect()
    tracemalloc.start()
    try:
        yield Arrays(n)
    finally:
        tracemalloc.stop()


def _plugrad() -> ModuleType:
    import plugrad

    return plugrad


def peak_of_add_chain(n: int = 10_000_000, steps: int = 100) -> tuple[float, float]:
    """The most arrays alive in `y = y + 1.0` repeated: forward, and with backward."""
    t = _plugrad()
    with _arrays(t, n) as arrays:
        x = t.ones(n, requires_grad=True)
        y = x
        for _ in range(steps):
            y = y + 1.0
        forward = arrays.peak()
        y.sum().backward()
        return forward, arrays.peak()


def arrays_of_relu_chain(n: int = 1_000_000, steps: int = 50) -> tuple[float, float]:
    """What `steps` relus keep beside their input, and how far backward goes beyond."""
    t = _plugrad()
    with _arrays(t, n) as arrays:
        x = t.ones(n, requires_grad=True)
        y, before = x, arrays.alive()
        for _ in range(steps):
            y = t.relu(y)
        after = arrays.alive()
        tracemalloc.reset_peak()
        y.sum().backward()
        return after - before, arrays.peak() - after


def kept_by_mul(n: int = 10_000_000, leaf: bool = True) -> float:
    """What stays of `y = x * constant` beside y, once its operands are let go of.

    x is a leaf, or else the result of an op on a leaf that lives on.
    """
    t = _plugrad()
    with _arrays(t, n) as arrays:
        origin = t.ones(n, requires_grad=True)
        x = origin if leaf else origin + 1.0
        constant = t.ones(n)
        y = x * constant
        others = 1 if leaf else 2  # y; origin
        if leaf:
            del origin
        del x, constant
        kept = arrays.alive() - others
        del y
        return kept


def growth_of_training(steps: int = 100_000, warm_up: int = 10_000) -> float:
    """MiB by which the process grows in so many steps without garbage collection."""
    step = _tiny_step(_plugrad())
    gc.collect()
    gc.disable()
    try:
        for _ in range(warm_up):
            step()
        before = resident()
        for number in range(steps):
            if number % 5000 == 0:
                progress(f"memory: training step {number:,} of {steps:,}")
            step()
        return (resident() - before) / MiB
    finally:
        gc.enable()


def _tiny_step(t: ModuleType) -> Callable[[], None]:
    x = t.tensor([[0.5, -1.0, 1.5, 2.0], [1.0, 0.0, -0.5, 1.0]])
    target = t.tensor([[0.1, 0.2], [0.3, -0.4]])
    w = t.tensor([[0.1, -0.2], [0.3, 0.1], [-0.1, 0.2], [0.2, 0.1]], requires_grad=True)
    b = t.tensor([0.0, 0.1], requires_grad=True)

    def step() -> None:
        difference = t.tanh(x @ w + b) - target
        (difference * difference).sum().backward()
        with t.no_grad():
            for p in (w, b):
                p.sub_(p.grad, alpha=0.01)
                p.grad = None

    return step


@dataclass(frozen=True)
class Chain:
    """What a long chain took, and the Python objects left behind when it was gone.

    (Not MiB left: what the allocator gives back to the system is its own affair.)
    """

    build_s: float
    backward_s: float
    free_s: float
    peak_mib: float
    left: int


def long_chain(nodes: int = 1_000_000, backward: bool = True) -> Chain:
    """Build a chain of so many nodes, go back through it if asked to, and drop it."""
    t = _plugrad()
    _one_chain(t, 1000, backward)  # for what is set up once and stays
    return _one_chain(t, nodes, backward)


def _one_chain(t: ModuleType, nodes: int, backward: bool) -> Chain:
    x = t.ones(4, requires_grad=True)
    before, blocks = resident(), sys.getallocatedblocks()
    times = [time.perf_counter()]
    y = x
    for _ in range(nodes):
        y = y + 1.0
    times.append(time.perf_counter())
    built = resident()
    if backward:
        y.sum().backward()
    times.append(time.perf_counter())
    walked = resident()
    del y
    times.append(time.perf_counter())
    left = sys.getallocatedblocks() - blocks
    spans = [end - start for start, end in pairwise(times)]
    return Chain(*spans, peak_mib=(max(built, walked) - before) / MiB, left=left)


def resident() -> int:
    """Bytes of this process in memory; where /proc is missing, the most there were."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    what: str
    asked: str
    measured: str
    verdict: str

    @classmethod
    def of(cls, what: str, asked: float, measured: float, unit: str = "arrays") -> Row:
        bar = asked + (ROUGHLY if unit == "arrays" else 0.0)
        outcome = verdict(measured, bar)
        return cls(what, f"{asked} {unit}", f"{measured:.2f} {unit}", outcome)


def _add_rows(quick: bool) -> list[Row]:
    forward, both = peak_of_add_chain(1_000_000 if quick else 10_000_000)
    return [
        Row.of("y = y + 1.0, 100 times: peak of forward", 4, forward),
        Row.of("... with backward", 4, both),
    ]


def _relu_rows(quick: bool) -> list[Row]:
    kept, beyond = arrays_of_relu_chain()
    return [
        Row.of("50 relus: kept by forward", 50, kept),
        Row.of("... backward's peak above that", 3, beyond),
    ]


def _mul_rows(quick: bool) -> list[Row]:
    n = 1_000_000 if quick else 10_000_000
    return [
        Row.of("y = leaf * constant: kept beside y", 1, kept_by_mul(n, leaf=True)),
        Row.of("y = result * constant: kept beside y", 1, kept_by_mul(n, leaf=False)),
    ]


def _training_rows(quick: bool) -> list[Row]:
    steps = 10_000 if quick else 100_000
    growth = growth_of_training(steps)
    return [Row.of(f"{steps:,} training steps, no gc: growth", 1, growth, "MiB")]


def _chain_rows(quick: bool) -> list[Row]:
    return [_chain_row(quick, backward) for backward in (True, False)]


def _chain_row(quick: bool, backward: bool) -> Row:
    """No bar on time and size: what fails is an error, a crash, or objects left."""
    nodes = 100_000 if quick else 1_000_000
    c = long_chain(nodes, backward)
    took = f"built {c.build_s:.2f} s, "
    took += f"back {c.backward_s:.2f} s, " if backward else ""
    took += f"freed {c.free_s:.2f} s; {c.peak_mib:.0f} MiB, {c.left} objects left"
    end = "back-propagated and freed" if backward else "freed without backward"
    outcome = verdict(c.left, nodes // 1000)
    return Row(f"{nodes:,} nodes, {end}", "no error, none left", took, outcome)


MEASUREMENTS: dict[str, Callable[[bool], list[Row]]] = {
    "chain of additions": _add_rows,
    "chain of relus": _relu_rows,
    "product with a constant": _mul_rows,
    "training without gc": _training_rows,
    "long chain": _chain_rows,
}


def run(quick: bool = False) -> dict[str, Any]:
    rows: list[Row] = []
    for name, measure in MEASUREMENTS.items():
        progress(f"memory: {name}")
        try:
            rows += in_a_process(measure, quick)
        except Exception as error:  # a crash of the process arrives here too
            rows.append(Row(name, "-", brief(error), "MISS"))
    progress("")
    print("Memory: in arrays of float32 where nothing else is said")
    lines = [[r.what, r.asked, r.measured, r.verdict] for r in rows]
    table(["", "asked", "measured", ""], lines)
    return {"rows": rows}
