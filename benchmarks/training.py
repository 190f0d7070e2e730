"""Training steps of common networks, against PyTorch's and other libraries'.

Forward, loss, backward and the optimizer's step: plugrad with nothing but NumPy,
plugrad with oneDNN's kernels, torch by the same program, and the peers that have such
a network (`trainers`). Each has a process of its own, with the same number of threads.
The losses of a few steps are compared before anything is timed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from .isolation import threads
from .networks import TASKS
from .timing import (
    Plan,
    Spread,
    Times,
    brief,
    print_notes,
    progress,
    ratio,
    table,
    verdict,
)
from .trainers import PEERS
from .workers import Group, group

THREADS = 2
PLAIN, SERVED, TORCH = "plugrad", "plugrad with onednn", "torch"
OWN = {PLAIN: "plugrad", SERVED: "onednn"}  # contestant -> its module in trainers
BARS = {PLAIN: 2.0, SERVED: 0.8}  # of torch's time, the geometric mean
WORST = 1.1  # of torch's time, with oneDNN
RTOL = 2e-3  # of losses: rounding grows from step to step
STEPS = 4  # whose losses are compared

Found = tuple[Times, dict[str, float], list[str]]  # times, processors busy, notes


def run(quick: bool = False) -> dict[str, Any]:
    plan = Plan(rounds=21, turn=0.15, patience=60.0)
    if quick:
        plan = Plan(rounds=5, turn=0.05, patience=10.0)
    results = {}
    for name in TASKS:
        progress(f"training: {name}")
        results[name] = _measure(name, plan)
    progress("")
    return show(results)


def show(results: dict[str, Found]) -> dict[str, Any]:
    """Print the times of all networks, and their ratios to torch's."""
    everyone = [*OWN, TORCH, *PEERS]
    who = [w for w in everyone if any(w in times for times, _, _ in results.values())]
    print(f"training: ms for a step, {THREADS} threads (median, and quartiles)")
    rows = []
    for name, (times, _, _) in results.items():
        spreads = {w: Spread.of([t * 1e3 for t in times[w]]) for w in times}
        rows.append([name, *cells(spreads, who)])
    table(["", *who], rows)
    print("training: processors busy in a step")
    rows = [
        [name, *(f"{busy[w]:.2f}" if w in busy else "-" for w in who)]
        for name, (_, busy, _) in results.items()
    ]
    table(["", *who], rows)
    ratios = show_ratios({name: times for name, (times, _, _) in results.items()}, who)
    for name, (_, _, notes) in results.items():
        print_notes([f"{name}: {note}" for note in notes])
    return {
        "times": {name: times for name, (times, _, _) in results.items()},
        "busy": {name: busy for name, (_, busy, _) in results.items()},
        **ratios,
    }


def show_ratios(all_times: dict[str, Times], who: list[str]) -> dict[str, Any]:
    """Print everyone's time over torch's, and what is asked of plugrad's."""
    others = [w for w in who if w != TORCH]
    found: dict[str, dict[str, Spread]] = {}
    for name, times in all_times.items():
        both = [w for w in others if {w, TORCH} <= {*times}]
        found[name] = {w: ratio(times, w, TORCH) for w in both}
    medians = {w: [each[w].median for each in found.values() if w in each] for w in OWN}
    means = {w: mean(medians[w]) for w in OWN}
    worst = max(medians[SERVED], default=math.nan)
    print("training: time over torch's (below 1: faster than torch)")
    rows = [[name, *cells(each, others)] for name, each in found.items()]
    asked = {w: f"{bar:.2f} {verdict(means[w], bar)}" for w, bar in BARS.items()}
    limit = {SERVED: f"{WORST:.2f} {verdict(worst, WORST)}"}
    for title, line in (
        ("geometric mean", {w: f"{each:.2f}" for w, each in means.items()}),
        ("asked", asked),
        ("the worst", {SERVED: f"{worst:.2f}"}),
        ("asked", limit),
    ):
        rows.append([title, *(line.get(w, "") for w in others)])
    table(["", *others], rows)
    return {"ratios": found, "means": means, "worst": worst}


def cells(spreads: dict[str, Spread], who: list[str]) -> list[str]:
    """A cell for each contestant."""
    return [spreads[w].text() if w in spreads else "-" for w in who]


def mean(ratios: list[float]) -> float:
    """The geometric mean; NaN of nothing."""
    if not ratios:
        return math.nan
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


# --- one network --------------------------------------------------------------------


def _measure(name: str, plan: Plan) -> Found:
    """All contestants that have the network, taking turns."""
    with group() as contestants:
        agree = _start(contestants, name)
        times, busy = contestants.alternate(plan)
        return times, busy, [agree, *contestants.notes]


def _start(contestants: Group, name: str) -> str:
    """Start everyone whose first losses agree with torch's, or with the first's."""
    modules = {TORCH: "torch", **OWN}
    modules |= {w: module for w, (module, having) in PEERS.items() if name in having}
    expected: list[float] = []
    for who, module in modules.items():
        progress(f"training: {name}, {who}")
        variables = threads(THREADS)
        losses = contestants.start(who, contestant, module, name, variables=variables)
        if losses is None:
            continue
        expected = expected or losses
        try:
            np.testing.assert_allclose(losses, expected, rtol=RTOL)
        except AssertionError as error:
            contestants.drop(who, brief(error))
    text = ", ".join(f"{loss:.4f}" for loss in expected)
    return f"losses agree among {', '.join(contestants.workers)}: {text}"


def contestant(module: str, name: str) -> tuple[Callable[[], float], list[float]]:
    """In a process of its own: a training step, and the losses of the first few."""
    step = import_module(f"{__package__}.trainers.{module}").step(name)
    return step, [step() for _ in range(STEPS)]
