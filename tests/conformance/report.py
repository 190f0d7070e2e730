"""What a run found: noted test by test, written as JSON, summed up in lines."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import plugrad

from .cells import MAIN, Subject
from .levels import LEVELS, Suite

NA = "plugrad-na"
OUTCOMES = ("passed", "failed", "expected failure", "n/a")
WORST_FIRST = ("failed", "expected failure", "n/a", "passed")
SHOWN = 600  # characters of a failure's message that a report keeps


class Results:
    """The outcomes of one run."""

    def __init__(self, subject: Subject, suite: Suite, option: Any) -> None:
        self.subject, self.suite = subject, suite
        self.whole = option.plugrad_sample >= 1 and not option.plugrad_ops
        self.part = {"part": option.plugrad_sample, "seed": option.plugrad_seed}
        self.device = str(subject.device or subject.k.device_types[0])
        self.tests: dict[str, dict[str, Any]] = {}

    def add(self, report: Any) -> None:
        """Note the outcome of one test."""
        found = dict(report.user_properties)
        cell = found.get("plugrad")
        if cell is None or (report.when != "call" and not report.failed):
            return
        module = report.nodeid.partition("::")[0].rpartition("/")[2]
        test = f"{module.removesuffix('.py')}::{report.nodeid.partition('::')[2]}"
        outcome, reason = outcome_of(report, found)
        self.tests[test] = {**cell, "outcome": outcome, "reason": reason}

    def as_json(self) -> dict[str, Any]:
        """All that was found, for pages and badges."""
        return {
            "backend": self.subject.k.name,
            "device": self.device,
            "suite": self.suite.name,
            "whole": self.whole,
            "drawn": self.part,
            "versions": versions(self.subject.k),
            "tests": self.tests,
        }

    def write(self, path: Path) -> None:
        write_whole(path, json.dumps(self.as_json(), indent=1, sort_keys=True) + "\n")

    def summary(self) -> list[str]:
        """A line for each level, and one for the cells."""
        return summary(self.as_json())


def outcome_of(report: Any, found: dict[str, Any]) -> tuple[str, str]:
    """The outcome of a test, and the reason of one that did not pass."""
    if NA in found:
        return "n/a", found[NA]
    if report.failed:
        return "failed", str(report.longrepr)[-SHOWN:]
    if hasattr(report, "wasxfail"):
        return "expected failure", report.wasxfail.removeprefix("reason: ")
    return "passed", ""


def versions(k: plugrad.Backend) -> dict[str, str]:
    """The versions that the run depends on."""
    library = k.array_type.__module__.partition(".")[0]
    names = {"plugrad", "numpy", library.replace("_", "-"), k.name.replace("_", "-")}
    found = {"python": platform.python_version()}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            pass
    return found


def write_whole(path: Path, text: str) -> None:
    """Write a file so that nobody ever sees a half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


# --- Summing up ------------------------------------------------------------------


def counts(found: dict[str, Any], level: int | None = None) -> Counter[str]:
    """How many tests ended how."""
    tests = found["tests"].values()
    return Counter(t["outcome"] for t in tests if level in (None, t["level"]))


def grid(
    found: dict[str, Any], of: str = "op"
) -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """(op, dtype) -> its tests, by name; or (case, dtype)."""
    made: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
    for name, test in found["tests"].items():
        if test.get(of) and test["dtype"]:
            made.setdefault((test[of], test["dtype"]), {})[name] = test
    return made


def outcome_of_cell(tests: dict[str, dict[str, Any]]) -> str:
    """The worst outcome of a cell's tests; n/a if one of them is and none failed."""
    outcomes = {test["outcome"] for test in tests.values()}
    return next(each for each in WORST_FIRST if each in outcomes)


def cell_counts(found: dict[str, Any], of: str = "op") -> Counter[str]:
    """How many cells of the main dtypes ended how."""
    main = {cell: tests for cell, tests in grid(found, of).items() if cell[1] in MAIN}
    return Counter(outcome_of_cell(tests) for tests in main.values())


def level_passed(found: dict[str, Any]) -> int | None:
    """The highest level up to which nothing failed, expected or not; None if none."""
    passed = None
    for level in LEVELS:
        ended = counts(found, level)
        if not ended["passed"] or ended["failed"] or ended["expected failure"]:
            break
        passed = level
    return passed


def in_words(ended: Counter[str]) -> str:
    """Counts, without those of nothing."""
    plural = {"expected failure": "expected failures"}
    parts = [
        f"{ended[each]:,} {plural.get(each, each) if ended[each] != 1 else each}"
        for each in OUTCOMES
        if ended[each]
    ]
    return ", ".join(parts) or "nothing was run"


def summary(found: dict[str, Any]) -> list[str]:
    """What was found, in lines."""
    lines = [
        f"level {level} ({text.partition(':')[0]}): {in_words(counts(found, level))}"
        for level, text in LEVELS.items()
        if counts(found, level)
    ]
    for of in ("op", "case"):
        cells = cell_counts(found, of)
        if cells:
            share = 100 * cells["passed"] / cells.total()
            lines.append(f"{of} x dtype cells: {in_words(cells)}; {share:.1f}% pass")
    return lines
