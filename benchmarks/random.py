"""A million random numbers, against torch with all its threads and with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .isolation import one_torch_thread
from .timing import Plan, brief, compare, print_notes, progress, report

DRAWS = 1_000_000
BARS = {"rand": 1.25, "randint": 1.25, "randn": 2.0}


def run(quick: bool = False) -> dict[str, Any]:
    plan = Plan(rounds=41, turn=0.02)
    plan = plan.quick() if quick else plan
    results, notes = {}, []
    with one_torch_thread() as default_threads:
        for name, bar in BARS.items():
            progress(f"random: {name}")
            calls = _calls(name, default_threads, notes)
            results[name] = compare(calls, plan, unit=1e-3, bar=bar, against="torch")
    progress("")
    report("Random", f"ms for {DRAWS:,} numbers", results)
    if not default_threads:
        notes.append("torch: absent: pip install torch")
    print_notes(notes)
    return {"draws": DRAWS, "functions": results, "notes": notes}


def _calls(
    name: str, torch_threads: int, notes: list[str]
) -> dict[str, Callable[[], object]]:
    calls: dict[str, Callable[[], object]] = {}
    try:
        call = _plugrad(name)
        call()
    except Exception as error:
        notes.append(f"plugrad, {name}: {brief(error)}")
    else:
        calls["plugrad"] = call
    calls["NumPy"] = _numpy(name)
    if torch_threads:
        calls["torch, 1 thread"] = _torch(name, 1)
    if torch_threads > 1:
        calls[f"torch, {torch_threads} threads"] = _torch(name, torch_threads)
    return calls


def _draw(library: Any, name: str) -> Callable[[], object]:
    if name == "randint":
        return lambda: library.randint(0, 100, (DRAWS,))
    return lambda: getattr(library, name)(DRAWS)


def _plugrad(name: str) -> Callable[[], object]:
    import plugrad

    return _draw(plugrad, name)


def _numpy(name: str) -> Callable[[], object]:
    import numpy as np

    rng = np.random.Generator(np.random.Philox(0))
    return {
        "rand": lambda: rng.random(DRAWS, dtype=np.float32),
        "randint": lambda: rng.integers(0, 100, DRAWS),
        "randn": lambda: rng.standard_normal(DRAWS, dtype=np.float32),
    }[name]


def _torch(name: str, threads: int) -> Callable[[], object]:
    """Setting the number of threads takes a microsecond of the draw's milliseconds."""
    import torch

    draw = _draw(torch, name)

    def call() -> object:
        torch.set_num_threads(threads)
        return draw()

    return call
