"""What an operation costs when its arrays are tiny: forward and backward, per op.

Each figure is a chain of operations on four float32 numbers (4x4 for matmul) and the
backward pass from its end with a gradient of ones, over the number of operations.
Every contestant's gradient is compared with NumPy's before anything is timed. torch
runs on one thread, which is its best at this size.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import peers
from .isolation import one_torch_thread
from .peers import Case
from .timing import Plan, brief, compare, print_notes, progress, report

ONE_OP_BAR = 0.75
LONG_CHAIN_BAR = 0.70

CASES = {
    "add": Case("add"),
    "add a Parameter": Case("add", parameter=True),
    "add, buffer written": Case("add", buffer=True),
    "add a Python number": Case("scalar add"),
    "mul": Case("mul"),
    "mul by a Parameter": Case("mul", parameter=True),
    "mul, buffer written": Case("mul", buffer=True),
    "mul by a Python number": Case("scalar mul"),
    "tanh": Case("tanh"),
    "matmul 4x4": Case("matmul"),
    "sum": Case("sum"),
    "index [0:4]": Case("index"),
    "reshape": Case("reshape"),
    "1000 of mul and add": Case("mul and add", length=1000),
}


def bar(case: Case) -> float:
    return LONG_CHAIN_BAR if case.length >= 1000 else ONE_OP_BAR


def run(quick: bool = False) -> dict[str, Any]:
    plan = Plan().quick() if quick else Plan()
    with one_torch_thread():
        adapters, notes = _contestants()
        results = {}
        for number, (title, case) in enumerate(CASES.items(), 1):
            progress(f"overhead {number}/{len(CASES)}: {title}")
            calls = _calls(title, case, adapters, notes)
            results[title] = compare(
                calls, plan, unit=case.length * 1e-9, bar=bar(case), against="torch"
            )
    progress("")
    report("Overhead", "ns per op, forward and backward", results)
    print_notes(notes)
    return {"cases": results, "notes": notes}


def _contestants() -> tuple[dict[str, ModuleType], list[str]]:
    """The adapters that load and run the smallest case, and a note on each other."""
    adapters, notes = {}, []
    for name in peers.PIP_NAMES:
        adapter = peers.load(name)
        if isinstance(adapter, str):
            notes.append(f"{name}: {adapter}")
            continue
        try:
            adapter.chain(Case("mul", length=2))()
        except Exception as error:
            notes.append(f"{name}: cannot run here: {brief(error)}")
        else:
            adapters[name] = adapter
    return adapters, notes


def _calls(
    title: str, case: Case, adapters: dict[str, ModuleType], notes: list[str]
) -> dict[str, Callable[[], object]]:
    """One call per contestant that can say the case and gets NumPy's gradient."""
    calls: dict[str, Callable[[], object]] = {}
    expected = adapters["numpy"].chain(case)()
    for name, adapter in adapters.items():
        try:
            call = adapter.chain(case)
            if call is None:
                continue
            gradient = adapter.numbers(call())
            np.testing.assert_allclose(gradient, expected, rtol=1e-4)
        except Exception as error:
            notes.append(f"{name}, {title}: {brief(error)}")
        else:
            calls[name] = call
    return calls
