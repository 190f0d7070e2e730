"""The kernels of the plugin `scipy` against the NumPy backend's own.

Both are called on the same arrays, as the ops' functions call them: what the plugin
asks before it accepts a call is in its time. Values are compared before anything is
timed. Of the arrays that a kernel does not accept, those of FALLING alone are: they
show what falling through costs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import plugrad

from .timing import Plan, brief, compare, print_notes, progress, report

SIZES = (100, 10_000, 1_000_000)
DTYPES = ("float32", "float64")
BAR = 1.0
FALLING = ("sigmoid", "float32", 10_000)
INSIDE = ("erfinv", "ndtri")  # the open interval (0, 1) is where these have values
POSITIVE = ("digamma", "entr", "lgamma", "xlogy", "xlog1py")
TWO = ("xlogy", "xlog1py")


def run(quick: bool = False) -> dict[str, Any]:
    plan = Plan(rounds=21, turn=0.002, patience=3.0)
    plan = plan.quick() if quick else plan
    try:
        kernels, pairs = _kernels()
    except plugrad.BackendError as error:
        print_notes([f"kernels: {brief(error)}"])
        return {"cases": {}, "notes": [str(error)]}
    results: dict[str, Any] = {}
    for name, calls in pairs.items():
        for dtype in DTYPES:
            for size in SIZES:
                args = _arguments(name, dtype, size)
                accepted = kernels.entries[name].takes(args)
                if not accepted and (name, dtype, size) != FALLING:
                    continue
                title = f"{name} {dtype} {size:,}{'' if accepted else ' (falls)'}"
                progress(f"kernels: {title}")
                bar = BAR if accepted else BAR + 0.1
                results[title] = _compare(calls, args, dtype, bar, plan)
    progress("")
    report("Kernels of SciPy", "us a call", results)
    return {"cases": results, "notes": []}


def _kernels() -> tuple[plugrad.Overrides, dict[str, dict[str, Callable[..., Any]]]]:
    """The plugin's kernels; and by op, what is called with them and without."""
    k = plugrad.get_backend("numpy")
    with plugrad.use_kernels("numpy", "scipy") as kernels:
        ops = sorted(kernels.entries)
        used = {name: k.kernel(name) for name in ops}
    calls = {name: {"plugrad": used[name], "own": k.kernel(name)} for name in ops}
    return kernels, calls


def _compare(
    calls: dict[str, Callable[..., Any]], args: Any, dtype: str, bar: float, plan: Plan
) -> Any:
    with np.errstate(all="ignore"):
        values = [call(*args) for call in calls.values()]
    rtol, atol = plugrad.testing.TOLERANCES[dtype]
    np.testing.assert_allclose(*values, rtol=4 * rtol, atol=4 * atol)
    timed = {title: _bound(call, args) for title, call in calls.items()}
    return compare(timed, plan, unit=1e-6, bar=bar, against="own")


def _bound(call: Callable[..., Any], args: Any) -> Callable[[], Any]:
    return lambda: call(*args)


def _arguments(name: str, dtype: str, size: int) -> list[Any]:
    """Random numbers where the op has values."""
    rng = np.random.default_rng(0)

    def draw() -> Any:
        if name in INSIDE:
            return rng.uniform(0.01, 0.99, size).astype(dtype)
        if name in POSITIVE:
            return rng.uniform(0.1, 10, size).astype(dtype)
        return (2 * rng.standard_normal(size)).astype(dtype)

    return [draw() for _ in range(1 + (name in TWO))]
