"""A sparse matrix times a dense one, against torch.sparse and SciPy by hand.

20,000 x 20,000 by rows at density 1e-3, times 64 columns of float32, on two threads:
the product alone, with a gradient to the dense matrix, and with gradients to both. The
gradient to the sparse one has values where the matrix has, which torch computes by way
of the whole product. Each library has a process of its own. Results and gradients are
compared before anything is timed.

Where Intel MKL is installed, plugrad is measured with the kernels `mkl` as well, in
rows of their own. The bar of the product alone is then theirs, since torch's is MKL's.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from .isolation import threads
from .timing import (
    SUBJECT,
    Comparison,
    Plan,
    brief,
    judge,
    print_notes,
    progress,
    report,
)
from .workers import Group, group

SIZE, DENSITY, COLUMNS = 20_000, 1e-3, 64
THREADS = 2
BARS = {"forward": 1.10, "gradient to dense": 0.50, "gradients to both": 0.15}
MKL = "plugrad, mkl"
SCIPY = "SciPy by hand"

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
            return y, to_b
        to_a = np.empty_like(problem.values)
        for i in range(0, len(to_a), 2048):  # in blocks that stay in the cache
            part = slice(i, i + 2048)
            to_a[part] = np.einsum("ij,ij->i", g[rows[part]], b[columns[part]])
        return y, to_b, to_a

    return step


def arrays(problem: Problem, results: Any) -> list[Any]:
    """The results of a call as arrays; a gradient to the sparse matrix by its values,
    of torch's dense one those where the matrix has any."""
    found = []
    for each in results:
        each = each.detach()
        if str(each.layout).endswith("csr"):
            each = each.values()
        elif each.shape == (SIZE, SIZE):
            rows = np.repeat(np.arange(SIZE), np.diff(problem.starts))
            each = each.numpy()[rows, problem.columns]
        found.append(np.asarray(each))
    return found


def run(quick: bool = False) -> dict[str, Any]:
    plan = Plan(rounds=21, turn=0.2, patience=60.0)
    if quick:
        plan = Plan(rounds=5, turn=0.05, patience=5.0)
    comparisons: dict[str, Comparison] = {}
    notes = [f"{THREADS} threads; {os.cpu_count()} cores"]
    for what in BARS:
        progress(f"sparse: {what}")
        found, more = _measure(what, plan)
        comparisons |= found
        notes += [note for note in more if note not in notes]
    progress("")
    title = f"{SIZE} x {SIZE} at {DENSITY} times {COLUMNS} columns"
    report(title, "ms", comparisons)
    print_notes(notes)
    return {"products": comparisons, "notes": notes}


def _measure(what: str, plan: Plan) -> tuple[dict[str, Comparison], list[str]]:
    """What is compared, without MKL and with it, and notes."""
    with group() as contestants:
        _start(contestants, what)
        seconds, busy = contestants.alternate(plan)
        notes = contestants.notes
    best = ", ".join(
        f"{name} {min(t) * 1e3:.2f} ({busy[name]:.2f} processors busy)"
        for name, t in seconds.items()
    )
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


def _start(contestants: Group, what: str) -> None:
    """Start everyone who computes it, if the results agree with SciPy's."""
    expected: list[Any] = []
    for name in (SCIPY, "torch", SUBJECT, MKL):
        variables = threads(THREADS)
        shown = contestants.start(name, contestant, name, what, variables=variables)
        if name == SCIPY:
            expected = shown or []
        elif shown is not None:
            _check(contestants, name, shown, expected)


def _check(contestants: Group, name: str, shown: Any, expected: list[Any]) -> None:
    """Drop a contestant whose results are others than SciPy's, where that is here."""
    try:
        for ours, scipys in zip(shown, expected or shown, strict=True):
            np.testing.assert_allclose(ours, scipys, rtol=1e-3, atol=1e-3)
    except AssertionError as error:
        contestants.drop(name, brief(error))


def contestant(name: str, what: str) -> tuple[Call, list[Any]]:
    """In a process of its own: the call, and its results."""
    problem = Problem()
    if name == SCIPY:
        call = by_hand(problem, what)
        return call, list(call())
    warnings.simplefilter("ignore")  # torch's of its sparse matrices: they are in beta
    library = import_module(name.partition(",")[0])
    if name == MKL:
        library.use_kernels("sparse", "mkl")
    call = torchlike(library, problem, what)
    results = [each for each in call() if each is not None]
    return call, arrays(problem, results)
