"""The plugin of pytest, while a backend is tried.

It makes the tests of the table for the cells of the backend, tries what the backend
leaves out, marks what is expected to fail, and notes what each test found.
"""

from __future__ import annotations

import random
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import plugrad

from .calls import Unmade
from .cells import Cell, Subject
from .known import Expected, find_expected
from .left_out import check_left_out
from .levels import TESTS, find_suite
from .reference import reference_for
from .report import NA, Results

HERE = Path(__file__).resolve().parent


class Session:
    """One run of the suite."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.option
        try:
            k = plugrad.get_backend(option.plugrad_backend)
            self.suite = find_suite(option.plugrad_suite, k.ops)
        except (plugrad.BackendError, LookupError) as error:
            raise pytest.UsageError(str(error)) from error
        if k.is_sparse:
            raise pytest.UsageError(
                f"backend {k.name!r} keeps a part of the elements, and the suite is of "
                "dense arrays; ops on sparse tensors are tested in Plugrad's own "
                "tests/backends/test_sparse_ops.py"
            )
        device = option.plugrad_device and plugrad.device(option.plugrad_device)
        self.subject = Subject(k, reference_for(k), device)
        self.tests: dict[str, list[Cell]] = {}
        for test, cell in self.suite.cells(self.subject, option.plugrad_level):
            self.tests.setdefault(test, []).append(cell)
        self.expected = self.read_expected(option)
        self.results = Results(self.subject, self.suite, option)
        self.option = option
        self.is_worker = hasattr(config, "workerinput")

    def read_expected(self, option: Any) -> Expected:
        """The failures that are expected; each line has to name a test of this run."""
        try:
            found = find_expected(self.subject.k.name, option.plugrad_xfails)
        except (OSError, ValueError) as error:
            raise pytest.UsageError(str(error)) from error
        every = {
            f"{test}[{cell.id}]": cell
            for test, cell in self.suite.cells(self.subject, None)
        }
        stale = found.stale(every, self.subject.k)
        if stale:
            lines = "\n".join(f"  {line}" for line in stale)
            raise pytest.UsageError(f"{found.path}: no longer needed:\n{lines}")
        return found

    def chosen(self, test: str) -> list[Cell]:
        """The cells of a test that this run tries."""
        option, found = self.option, self.tests.get(test, [])
        if option.plugrad_ops:
            found = [c for c in found if c.named(option.plugrad_ops.split(","))]
        if option.plugrad_sample < 1:
            seed, part = option.plugrad_seed, option.plugrad_sample
            draws = (random.Random(f"{seed}/{test}/{c.id}").random() for c in found)
            found = [c for c, draw in zip(found, draws) if draw < part]
        return found

    # --- Making the tests ---------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "cell" in metafunc.fixturenames and ours(metafunc.module.__file__):
            module = metafunc.module.__name__.rpartition(".")[2]
            found = self.chosen(f"{module}::{metafunc.function.__name__}")
            metafunc.parametrize("cell", found, ids=[cell.id for cell in found])

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what has no cell here, and mark what is expected to fail."""
        kept, dropped = [], []
        for item in items:
            cell = cell_of(item)
            if cell is None:
                (dropped if ours(item.path) else kept).append(item)
                continue
            kept.append(item)
            item.add_marker(pytest.mark.filterwarnings("ignore"))
            reason = self.expected.failures.get(test_id(item))
            if reason is not None:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
        items[:] = kept

    # --- Running them ---------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        cell = cell_of(pyfuncitem)
        if cell is None:
            return None
        note = pyfuncitem.user_properties.append
        row = TESTS[test_id(pyfuncitem).partition("[")[0]]
        op, dtype = (each and each.name for each in (cell.op, cell.dtype))
        about = {"level": row.level, "op": op, "dtype": dtype}
        note(("plugrad", about if cell.case is None else about | {"case": cell.case}))
        if cell.why is not None:
            check_left_out(cell)
            note((NA, cell.why))
            return True
        try:
            pyfuncitem.obj(cell)
        except Unmade as error:
            note((NA, f"its samples need more: {error}"))
        except plugrad.UnsupportedOpError as error:
            if cell.op is not None or not declares(cell, str(error)):
                raise
            note((NA, str(error)))
        return True

    # --- What they found ------------------------------------------------------------

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        if report.when == "call" and report.passed:
            if any(key == NA for key, _ in report.user_properties):
                return "n/a", "n", "N/A"
        return None

    def pytest_runtest_logreport(self, report: Any) -> None:
        if not self.is_worker:
            self.results.add(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        found = yield
        if not self.is_worker and self.option.plugrad_report:
            self.results.write(Path(self.option.plugrad_report))
        return found

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        terminalreporter.section(f"conformance of backend {self.subject.k.name!r}")
        for line in self.results.summary():
            terminalreporter.line(line)


def ours(path: Any) -> bool:
    """Whether a file belongs to the suite."""
    return Path(path).resolve().parent == HERE


def cell_of(item: Any) -> Cell | None:
    """The cell that a test is made for."""
    cell = getattr(getattr(item, "callspec", None), "params", {}).get("cell")
    return cell if isinstance(cell, Cell) else None


def test_id(item: pytest.Item) -> str:
    """`module::test[cell]`: node ids change with the folder that pytest starts in."""
    return f"{item.path.stem}::{item.name}"


def declares(cell: Cell, message: str) -> bool:
    """Whether an UnsupportedOpError speaks of what the backend leaves out."""
    ops = {key.partition("[")[0] for key in cell.subject.k.leaves_out}
    return any(f"{op}: backend" in message for op in ops)
