"""Training steps of common networks, against PyTorch's.

Forward, loss, backward and the optimizer's step, by the same program in each library:
plugrad with nothing but NumPy, plugrad with oneDNN's kernels, and torch, all on the
same number of threads. The losses of a few steps are compared before anything is timed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from statistics import median
from time import perf_counter, sleep
from typing import Any

import numpy as np

from .isolation import in_a_process
from .networks import TASKS, Task
from .timing import Spread, Times, brief, print_notes, progress, ratio, table, verdict

THREADS = 2
CHOSEN = "PLUGRAD_BENCHMARK_TASK"  # tells the process which network
PLAIN, SERVED, TORCH = "plugrad", "plugrad with onednn", "torch"
BARS = {PLAIN: 2.0, SERVED: 0.8}  # of torch's time, the geometric mean
WORST = 1.1  # of torch's time, with oneDNN
RTOL = 2e-3  # of losses: rounding grows from step to step

Step = Callable[[], float]


def run(quick: bool = False) -> dict[str, Any]:
    count = {"OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}
    names = list(TASKS)
    results = {}
    for name in names:
        progress(f"training: {name}")
        results[name] = in_a_process(_measure, quick, {**count, CHOSEN: name})
    progress("")
    return show(results)


def show(results: dict[str, Any]) -> dict[str, Any]:
    """Print the times of all networks, and their ratios to torch's."""
    who, own = [PLAIN, SERVED, TORCH], [PLAIN, SERVED]
    print(f"training: ms for a step, {THREADS} threads (median, and quartiles)")
    rows = []
    for name, (times, _) in results.items():
        spreads = {w: Spread.of([t * 1e3 for t in times[w]]) for w in times}
        rows.append([name, *cells(spreads, who)])
    table(["", *who], rows)
    found: dict[str, dict[str, Spread]] = {}
    for name, (times, _) in results.items():
        found[name] = {w: ratio(times, w, TORCH) for w in own if {w, TORCH} <= {*times}}
    medians = {w: [each[w].median for each in found.values() if w in each] for w in own}
    means = {w: mean(medians[w]) for w in own}
    worst = max(medians[SERVED], default=math.nan)
    print("training: time over torch's (below 1: plugrad is faster)")
    rows = [[name, *cells(each, own)] for name, each in found.items()]
    rows.append(["geometric mean", *(f"{means[w]:.2f}" for w in own)])
    rows.append(
        ["asked", *(f"{BARS[w]:.2f} {verdict(means[w], BARS[w])}" for w in own)]
    )
    rows.append(["the worst", "", f"{worst:.2f}"])
    rows.append(["asked", "", f"{WORST:.2f} {verdict(worst, WORST)}"])
    table(["", *own], rows)
    for name, (_, notes) in results.items():
        print_notes([f"{name}: {note}" for note in notes])
    times = {name: t for name, (t, _) in results.items()}
    return {"times": times, "ratios": found, "means": means, "worst": worst}


def cells(spreads: dict[str, Spread], who: list[str]) -> list[str]:
    """A cell for each contestant."""
    return [spreads[w].text() if w in spreads else "-" for w in who]


def mean(ratios: list[float]) -> float:
    """The geometric mean; NaN of nothing."""
    if not ratios:
        return math.nan
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


# --- one network, in a process of its own -------------------------------------------


def _measure(quick: bool) -> tuple[Times, list[str]]:
    task = TASKS[os.environ[CHOSEN]]
    steps, notes = _contestants(task)
    rounds, each = (5, 3) if quick else (21, 5)
    times: Times = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            with using(name):
                sleep(0.1)  # until the threads of the one before sleep
                times[name].append(turn(step, each))
    return times, notes


def _contestants(task: Callable[[Any], Task]) -> tuple[dict[str, Step], list[str]]:
    """A step for each library that has one, once a few losses agree."""
    steps: dict[str, Step] = {}
    losses: dict[str, list[float]] = {}
    notes: list[str] = []
    for name in (TORCH, PLAIN, SERVED):
        try:
            library = import_module(name.split()[0])
            if name == TORCH:
                library.set_num_threads(THREADS)
            with using(name):
                step = training(library, task)
                losses[name] = [step() for _ in range(4)]
            expected = next(iter(losses.values()))
            np.testing.assert_allclose(losses[name], expected, rtol=RTOL)
            steps[name] = step
        except Exception as error:
            notes.append(f"{name}: {brief(error)}")
    text = ", ".join(f"{loss:.4f}" for loss in next(iter(losses.values())))
    return steps, [f"losses agree among {', '.join(steps)}: {text}", *notes]


def using(name: str) -> Any:
    """oneDNN's kernels in use, for the contestant that is called after them."""
    if name != SERVED:
        return nullcontext()
    from plugrad import use_kernels

    return use_kernels("numpy", "onednn")


def training(t: Any, task: Callable[[Any], Task]) -> Step:
    """A training step that returns the loss."""
    import_module(f"{t.__name__}.nn")
    optim = import_module(f"{t.__name__}.optim")
    made = task(t)
    network = made.network
    state = network.state_dict()
    start = {name: t.tensor(weights(name, each)) for name, each in state.items()}
    network.load_state_dict(start)
    x, y = t.tensor(made.inputs), t.tensor(made.targets)
    optimizer = getattr(optim, made.optimizer)(network.parameters(), **made.options)

    def step() -> float:
        optimizer.zero_grad()
        loss = made.loss(network(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def weights(name: str, like: Any) -> Any:
    """Weights of a shape: small random ones; in one dimension, ones and zeros."""
    shape = tuple(like.shape)
    if len(shape) > 1:
        scale = math.sqrt(2 / math.prod(shape[1:]))
        found = np.random.default_rng(len(name)).standard_normal(shape) * scale
    else:
        found = np.full(shape, name.endswith(("weight", "var")))
    return found.astype(str(like.dtype).rpartition(".")[2])


def turn(step: Step, times: int) -> float:
    """The median time of a step, after one that is not counted."""
    step()
    found = []
    for _ in range(times):
        start = perf_counter()
        step()
        found.append(perf_counter() - start)
    return median(found)
