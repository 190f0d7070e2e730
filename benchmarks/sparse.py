"""A sparse matrix times a dense one, against torch.sparse and SciPy by hand.

20,000 x 20,000 by rows at density 1e-3, times 64 columns of float32, on two threads:
the product alone, with a gradient to the dense matrix, and with gradients to both. The
gradient to the sparse one has values where the matrix has, which torch computes by way
of the whole product. Results and gradients are compared before anything is timed.

Where Intel MKL is installed, plugrad is measured with the kernels `mkl` as well, in
rows of their own. The bar of the product alone is then theirs, since torch's is MKL's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from .isolation import in_a_process
from .timing import (
    SUBJECT,
    Comparison,
    Plan,
    alternate,
    brief,
    judge,
    print_notes,
    progress,
    report,
)

SIZE, DENSITY, COLUMNS = 20_000, 1e-3, 64
THREADS = 2
BARS = {"forward": 1.10, "gradient to dense": 0.50, "gradients to both": 0.15}
MKL = "plugrad, mkl"

Call = Callable[[], Any]


class Problem:
    """A random matrix by rows, and what it is multiplied with."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        counts = rng.binomial(SIZE, DENSITY, SIZE)
        self.starts = np.concatenate(([0], np.cumsum(counts)))
        columns = [np.sort(rng.choice(SIZE, n, replace=False)) for n in counts]
        self.columns = np.concatenate(columns)
        self.values = rng.standard_normal(self.starts[-1]).astype(np.float32)
        self.b = rng.standard_normal((SIZE, COLUMNS)).astype(np.float32)
        self.g = rng.standard_normal((SIZE, COLUMNS)).astype(np.float32)


def torchlike(t: Any, problem: Problem, what: str) -> Call:
    """The calls in torch's API; torch and plugrad run this very code."""
    a = t.sparse_csr_tensor(
        t.tensor(problem.starts),
        t.tensor(problem.columns),
        t.tensor(problem.values),
        (SIZE, SIZE),
    )
    b, g = t.tensor(problem.b), t.tensor(problem.g)
    if what == "forward":
        return lambda: (a @ b,)
    b.requires_grad_()
    if what == "gradients to both":
        a.requires_grad_()

    def step() -> Any:
        a.grad = b.grad = None
        y = a @ b
        y.backward(g)
        return y, b.grad, a.grad

    return step


def with_kernels(plugrad: Any, call: Call) -> Call:
    """The call, served by MKL; to switch takes some 20 us of it."""
    with plugrad.use_kernels("sparse", "mkl") as kernels:
        pass

    def step() -> Any:
        with plugrad.use_kernels("sparse", kernels):
            return call()

    return step


def by_hand(problem: Problem, what: str) -> Call:
    """The same in SciPy, on one thread."""
    from scipy.sparse import csr_array

    starts, columns = problem.starts.astype("i4"), problem.columns.astype("i4")
    a = csr_array((problem.values, columns, starts), shape=(SIZE, SIZE))
    rows = np.repeat(np.arange(SIZE), np.diff(starts))
    b, g = problem.b, problem.g

    def step() -> Any:
        y = a @ b
        if what == "forward":
            return (y,)
        to_b = a.T @ g
        if what == "gradient to dense":
            return y, to_b, None
        to_a = np.empty_like(problem.values)
        for i in range(0, len(to_a), 2048):  # in blocks that stay in the cache
            part = slice(i, i + 2048)
            to_a[part] = np.einsum("ij,ij->i", g[rows[part]], b[columns[part]])
        return y, to_b, to_a

    return step


def arrays(results: Any) -> list[Any]:
    """The results of a call as dense arrays of numbers."""
    found = []
    for each in results:
        if each is not None and not isinstance(each, np.ndarray):
            each = each.detach()
            if str(each.layout).endswith("csr"):
                each = each.values()
            each = each.numpy()
        found.append(each)
    return found


def run(quick: bool = False) -> dict[str, Any]:
    comparisons, notes = {}, []
    environment = {
        name: str(THREADS) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    }
    for what in BARS:
        progress(f"sparse: {what}")
        found, more = in_a_process(_measure, (what, quick), environment)
        comparisons |= found
        notes += [note for note in more if note not in notes]
    progress("")
    title = f"{SIZE} x {SIZE} at {DENSITY} times {COLUMNS} columns"
    report(title, "ms", comparisons)
    print_notes(notes)
    return {"products": comparisons, "notes": notes}


def _measure(asked: tuple[str, bool]) -> tuple[dict[str, Comparison], list[str]]:
    """What is compared, without MKL and with it, and notes."""
    what, quick = asked
    # OpenMP threads spin for up to 0.2 s after their work, and disturb the next turn.
    plan = Plan(rounds=21, turn=0.05, pause=0.3, patience=60.0)
    calls, notes = _contestants(what)
    plan = plan.quick() if quick else plan
    seconds = alternate(calls, plan)
    best = ", ".join(f"{name} {min(t) * 1e3:.2f}" for name, t in seconds.items())
    notes.append(f"{what}, the best in ms: {best}")
    with_mkl = seconds.pop(MKL, None)

    def judged() -> Comparison:
        return judge(seconds, unit=1e-3, bar=BARS[what], against="torch")

    found = {what: judged()}
    if with_mkl is not None:
        seconds[SUBJECT] = with_mkl
        found[f"{what}, mkl"] = judged()
        if what == "forward":
            found[what] = replace(found[what], verdict="see mkl")
    return found, notes


def _contestants(what: str) -> tuple[dict[str, Call], list[str]]:
    """Everyone who computes it, once results agree with SciPy's."""
    problem, notes = Problem(), [f"{THREADS} threads; {os.cpu_count()} cores"]
    calls: dict[str, Call] = {"SciPy by hand": by_hand(problem, what)}
    expected = calls["SciPy by hand"]()
    for name in ("torch", "plugrad", MKL):
        try:
            library = import_module(name.partition(",")[0])
            call = torchlike(library, problem, what)
            if name == MKL:
                call = with_kernels(library, call)
            elif name == "torch":
                library.set_num_threads(THREADS)
            if not (name == "torch" and what == "gradients to both"):
                for ours, scipys in zip(arrays(call()), expected, strict=True):
                    if scipys is not None:
                        np.testing.assert_allclose(ours, scipys, rtol=1e-3, atol=1e-3)
        except ModuleNotFoundError:
            notes.append(f"{name}: absent: pip install {name}")
        except Exception as error:
            notes.append(f"{name}: {brief(error)}")
        else:
            calls[name] = call
    return calls, notes
