"""The table of tests: the level of each, and the cells that it is made for.

A level builds on those below it. A suite with a name, such as 2026.1, is a list of ops,
cases and tests that stays as it is when newer ones are added (`suite-NAME.txt`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import plugrad
import plugrad.nn  # declares its ops

from .cells import MAIN, Cell, Subject, cells, dtype_named
from .layers import LAYERS
from .models import MODELS
from .optimizers import OPTIMIZERS, SCHEDULES
from .programs import PROGRAMS

LEVELS = {
    0: "smoke: arrays come in and go out",
    1: "forward: every op gives what it gives on NumPy",
    2: "gradients: of first and second order; errors; nothing copied to the host",
    3: "nn and optim: every layer, loss, optimizer and schedule as on NumPy",
    4: "training: whole runs as on NumPy; long programs, memory, threads",
}


def once(subject: Subject, ops: list[Any]) -> list[Cell]:
    """One test for the backend."""
    return [Cell(subject, None, None)]


def each_dtype(subject: Subject, ops: list[Any]) -> list[Cell]:
    """A test for every dtype."""
    return cells(subject, [None], subject.dtypes)


def all_cells(subject: Subject, ops: list[Any]) -> list[Cell]:
    """Every op in every dtype that either is a main one or that the backend has."""
    return cells(subject, ops, subject.dtypes)


def main_cells(subject: Subject, ops: list[Any]) -> list[Cell]:
    """Every op in the main dtypes."""
    return cells(subject, ops, MAIN)


def written(subject: Subject, ops: list[Any]) -> list[Cell]:
    """The ops that have a form in place."""
    return cells(subject, [op for op in ops if op.inplace and op.method], MAIN)


def viewing(subject: Subject, ops: list[Any]) -> list[Cell]:
    """The ops whose results share memory with their input."""
    return cells(subject, [op for op in ops if op.view], MAIN)


def own_kernels(subject: Subject, ops: list[Any]) -> list[Cell]:
    """The ops for which the backend, or a kernel plugin in use, has a kernel."""
    k = subject.k
    plugins = {name for each in k.overrides for name in each.entries}
    own = [op for op in ops if hasattr(k.kernels, op.name) or op.name in plugins]
    return cells(subject, own, MAIN)


def differentiable(*dtypes: str) -> Callable[[Subject, list[Any]], list[Cell]]:
    """The ops that have a gradient, in floating dtypes."""

    def found(subject: Subject, ops: list[Any]) -> list[Cell]:
        chosen = [op for op in ops if op.has_gradient]
        made = cells(subject, chosen, dtypes)
        return [cell for cell in made if cell.dtype.kind in cell.op.kinds]

    return found


def twice_differentiable(subject: Subject, ops: list[Any]) -> list[Cell]:
    """The ops that have a gradient, in double precision if the backend has that."""
    dtypes = [name for name in ("float64", "complex128") if subject.has(name)]
    return differentiable(*(dtypes or ["float32"]))(subject, ops)


def cases(*names: str) -> Callable[[Subject, list[Any]], list[Cell]]:
    """Those cases, in both precisions that networks have."""

    def found(subject: Subject, ops: list[Any]) -> list[Cell]:
        sparse = subject.k.sparse and subject.reference.sparse
        kept = [name for name in names if sparse or name not in SPARSE]
        dtypes = [dtype_named(each) for each in ("float32", "float64")]
        return [Cell(subject, None, dtype, name) for name in kept for dtype in dtypes]

    return found


def with_state(subject: Subject, ops: list[Any]) -> list[Cell]:
    """The layers that have parameters or buffers, likewise."""
    return cases(*filter(has_state, LAYERS))(subject, ops)


@cache
def has_state(name: str) -> bool:
    """Whether there is anything to save of a layer."""
    with plugrad.backend("numpy"):
        return bool(LAYERS[name].make().state_dict())


SPARSE = [name for name, row in OPTIMIZERS.items() if row.sparse]


CASES = [*LAYERS, *OPTIMIZERS, *SCHEDULES, *MODELS, *PROGRAMS]


@dataclass(frozen=True)
class Test:
    """One row of the table."""

    level: int
    cells: Callable[[Subject, list[Any]], list[Cell]]


FLOATS = ("float32", "float64", "complex128")

TESTS = {
    "test_smoke::test_declaration": Test(0, once),
    "test_smoke::test_in_and_out": Test(0, each_dtype),
    "test_smoke::test_no_elements_and_no_dimensions": Test(0, each_dtype),
    "test_smoke::test_array_of_the_library": Test(0, each_dtype),
    "test_smoke::test_dlpack": Test(0, each_dtype),
    "test_smoke::test_to_numpy_and_back": Test(0, each_dtype),
    "test_smoke::test_casts": Test(0, each_dtype),
    "test_smoke::test_creation": Test(0, each_dtype),
    "test_smoke::test_operators": Test(0, each_dtype),
    "test_smoke::test_writing": Test(0, each_dtype),
    "test_smoke::test_views_as_declared": Test(0, each_dtype),
    "test_forward::test_op": Test(1, all_cells),
    "test_inplace::test_op": Test(1, written),
    "test_inplace::test_view": Test(1, viewing),
    "test_gradients::test_reference": Test(2, differentiable(*FLOATS)),
    "test_gradients::test_numeric": Test(2, differentiable("float64", "complex128")),
    "test_gradients::test_twice": Test(2, twice_differentiable),
    "test_kernels::test_default_body": Test(2, own_kernels),
    "test_host::test_no_copy": Test(2, main_cells),
    "test_errors::test_op": Test(2, main_cells),
    "test_layers::test_layer": Test(3, cases(*LAYERS)),
    "test_layers::test_state": Test(3, with_state),
    "test_optimizers::test_steps": Test(3, cases(*OPTIMIZERS)),
    "test_optimizers::test_state": Test(3, cases(*OPTIMIZERS)),
    "test_optimizers::test_schedule": Test(3, cases(*SCHEDULES)),
    "test_training::test_losses": Test(4, cases(*MODELS)),
    "test_training::test_memory": Test(4, cases(*MODELS)),
    "test_training::test_threads": Test(4, cases("MLP")),
    "test_programs::test_in_place": Test(4, cases(*PROGRAMS)),
}


@dataclass(frozen=True)
class Suite:
    """What is run: ops, cases and tests."""

    name: str
    ops: list[str]
    tests: list[str]
    cases: list[str]

    def cells(self, subject: Subject, level: int | None) -> Iterator[tuple[str, Cell]]:
        """(test, cell) for all of the suite up to a level."""
        ops = [subject.k.ops[name] for name in self.ops]
        for test in self.tests:
            row = TESTS[test]
            if level is None or row.level <= level:
                for cell in row.cells(subject, ops):
                    if cell.case is None or cell.case in self.cases:
                        yield test, cell


def suite_file(name: str) -> Path:
    """Where a named suite stands."""
    return Path(__file__).with_name(f"suite-{name}.txt")


def find_suite(name: str | None, ops: dict[str, Any]) -> Suite:
    """The suite of that name; without a name, all that there is."""
    if name is None:
        return Suite("current", list(ops), list(TESTS), CASES)
    path = suite_file(name)
    if not path.exists():
        known = sorted(p.stem.partition("-")[2] for p in path.parent.glob("suite-*"))
        raise LookupError(f"unknown suite {name!r}; there is {', '.join(known)}")
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    named = {"op": [], "test": [], "case": []}
    for words in lines:
        if words and words[0] in named:
            named[words[0]].append(words[1])
    return Suite(name, named["op"], named["test"], named["case"])


def as_text(suite: Suite) -> str:
    """A suite as the file that freezes it."""
    head = f"# The suite {suite.name}: frozen, so that an upgrade brings no new tests."
    named = {"test": suite.tests, "op": suite.ops, "case": suite.cases}
    lines = [f"{kind} {name}" for kind, names in named.items() for name in names]
    return "\n".join([head, *lines]) + "\n"
