"""A step of an optimizer, against torch's default one and its fused one.

10 million float32 parameters in one tensor, where memory is what a step waits for, and
100 tensors of 64, where it is the interpreter. All take the same steps from the same
values, which are compared before anything is timed. The temporary memory of a step is
counted beside: what it needs beyond parameters, gradients and state.

Where Numba is installed, plugrad is measured with the kernels `numba` as well, in rows
of their own; small parameters do not come to them.
"""

from __future__ import annotations

import gc
import os
import tracemalloc
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from .isolation import in_a_process
from .timing import (
    SUBJECT,
    Comparison,
    Context,
    Plan,
    alternate,
    brief,
    judge,
    print_notes,
    progress,
    report,
    table,
    verdict,
)

MiB = 2**20
SIZES = {"10 million in one": (10_000_000, 1), "100 tensors of 64": (64, 100)}
BARS = {"10 million in one": 0.7, "100 tensors of 64": 1.0}
MEMORY_BAR = 1.0  # MiB
OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD, momentum": ("SGD", {"lr": 0.01, "momentum": 0.9}),
    "Adam": ("Adam", {"lr": 0.01}),
    "AdamW": ("AdamW", {"lr": 0.01}),
}
THREADS = min(os.cpu_count() or 1, 8)


def optimizer(
    library: Any, kind: str, size: tuple[int, int], **options: Any
) -> tuple[Any, list[Any]]:
    """An optimizer and its parameters, which have gradients."""
    n, count = size
    name, given = OPTIMIZERS[kind]
    rng = np.random.default_rng(0)
    params = []
    for _ in range(count):
        p = library.tensor(rng.standard_normal(n, np.float32), requires_grad=True)
        p.grad = library.tensor(rng.standard_normal(n, np.float32))
        params.append(p)
    return getattr(library.optim, name)(params, **given, **options), params


NUMBA = "plugrad, numba"
CONTESTANTS: dict[str, tuple[str, dict[str, Any]]] = {
    SUBJECT: ("plugrad", {}),
    NUMBA: ("plugrad", {}),
    "torch default": ("torch", {}),
    "torch fused": ("torch", {"fused": True}),
}


def with_numba() -> Any:
    """A context in which plugrad uses the kernels."""
    return import_module("plugrad").use_kernels("numpy", "numba")


AROUND: dict[str, Context] = {NUMBA: with_numba}


def steps(
    kind: str, size: tuple[int, int]
) -> tuple[dict[str, Callable[[], object]], list[str]]:
    """A step for each contestant, once two steps agree with plugrad's."""
    calls: dict[str, Callable[[], object]] = {}
    notes: list[str] = []
    expected: np.ndarray | None = None
    for name, (module, options) in CONTESTANTS.items():
        if name == NUMBA and (size[1] > 1 or not has_numba()):
            continue
        try:
            library = import_module(module)
            if module == "torch":
                # for small tensors it starts none, but its threads would wait for each
                # other on a busy machine
                library.set_num_threads(THREADS if size[1] == 1 else 1)
            made, params = optimizer(library, kind, size, **options)
            with AROUND.get(name, nullcontext)():
                made.step(), made.step()
            found = params[0].detach().numpy()[:1000]
            expected = found.copy() if expected is None else expected
            np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        except ModuleNotFoundError:
            notes.append(f"{name}: absent: pip install {module}")
        except Exception as error:
            notes.append(f"{name}: {brief(error)}")
        else:
            calls[name] = made.step
    return calls, notes


def has_numba() -> bool:
    return find_spec("numba") is not None


def temporary_memory(name: str) -> float:
    """MiB that NumPy had at most, during a step, beside what stays."""
    kind = name.removesuffix(", numba")
    made, _ = optimizer(import_module("plugrad"), kind, SIZES["10 million in one"])
    with nullcontext() if kind == name else with_numba():
        made.step(), made.step()  # both of SGD's programs
        gc.collect()
        tracemalloc.start()
        try:
            made.step()
            return tracemalloc.get_traced_memory()[1] / MiB
        finally:
            tracemalloc.stop()


def _measure(what: str, quick: bool) -> tuple[dict[str, Comparison], list[str]]:
    """What is compared, without Numba and with it, and notes."""
    plan = Plan(rounds=15, turn=0.05, pause=0.05, patience=6.0)
    plan = plan.quick() if quick else plan
    found: dict[str, Comparison] = {}
    notes: list[str] = []
    unit = 1e-3 if SIZES[what][1] == 1 else 1e-6
    for kind in OPTIMIZERS:
        calls, said = steps(kind, SIZES[what])
        notes += said
        around = {name: each for name, each in AROUND.items() if name in calls}
        seconds = alternate(calls, plan, around)
        rows = {kind: seconds}
        if NUMBA in seconds:
            rows[f"{kind}, numba"] = seconds | {SUBJECT: seconds.pop(NUMBA)}
        for row, each in rows.items():
            found[row] = judge(each, unit=unit, bar=BARS[what], against="torch default")
    return found, notes


def run(quick: bool = False) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for what, (_, count) in SIZES.items():
        progress(f"optim: {what}")
        comparisons, notes = in_a_process(partial(_measure, what), quick)
        progress("")
        unit = "ms" if count == 1 else "µs"
        report(f"Optimizers, {what}", f"{unit} for a step", comparisons)
        print_notes(notes)
        results[what] = comparisons
    rows = []
    with_kernels = [f"{kind}, numba" for kind in OPTIMIZERS if has_numba()]
    for name in (*OPTIMIZERS, *with_kernels):
        most = in_a_process(temporary_memory, name)
        results[f"memory, {name}"] = most
        outcome = verdict(most, MEMORY_BAR)
        rows.append([name, f"{MEMORY_BAR:.1f} MiB", f"{most:.2f} MiB", outcome])
    print("Temporary memory of a step, 10 million in one")
    table(["", "asked", "measured", ""], rows)
    return results
