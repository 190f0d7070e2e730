"""The conformance suite itself: its options, its files, and that NumPy passes.

That wrong backends fail is in test_conformance_mutants.py; whole runs of the backends
that come with plugrad are `make conformance`.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import plugrad
from plugrad.conformance import __main__ as command
from plugrad.conformance import levels, report
from plugrad.conformance.cells import MAIN, Subject, declared, is_main
from plugrad.conformance.known import FOLDER, find_expected, read
from plugrad.conformance.layers import LAYERS
from plugrad.conformance.optimizers import OPTIMIZERS, SCHEDULES
from plugrad.conformance.reference import reference_for
from tests.conformance_runs import run, run_suite

HERE = Path(levels.__file__).parent
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
SUITE = ["--pyargs", "plugrad.conformance"]
LISTED = sorted(path.stem for path in FOLDER.glob("*.txt"))


# ---- Running it


def test_a_sample_passes_on_numpy(tmp_path):
    options = ("--plugrad-sample=0.04", "--plugrad-seed=1")
    done = run_suite(tmp_path, "numpy", *options)
    assert done.code == 0, done.text
    tests = done.found["tests"]
    assert {each["outcome"] for each in tests.values()} == {"passed"}
    assert {each["level"] for each in tests.values()} == set(levels.LEVELS)
    assert 200 < len(tests) < 600 and not done.found["whole"]
    assert "conformance of backend 'numpy'" in done.text


def test_without_a_backend_it_says_what_to_give(tmp_path):
    done = run(PYTEST + SUITE, tmp_path)
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert "--plugrad-backend=numpy" in done.text
    assert "Traceback" not in done.text


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--plugrad-backend=nunpy", "unknown backend 'nunpy'"),
        ("--plugrad-backend=sparse", "the suite is of dense arrays"),
        ("--plugrad-suite=1999.1", "unknown suite '1999.1'; there is 2026.1"),
        ("--plugrad-xfails=nowhere.txt", "nowhere.txt"),
    ],
)
def test_a_wrong_option_is_named(option, message, tmp_path):
    options = [*SUITE, "--plugrad-backend=numpy", option]
    done = run(PYTEST + options, tmp_path)
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert message in done.text and "Traceback" not in done.text


def test_levels_and_ops_can_be_chosen(tmp_path):
    options = ("--plugrad-level=1", "--plugrad-ops=exp,mul")
    tests = run_suite(tmp_path, "numpy", *options).found["tests"]
    assert {each["op"] for each in tests.values()} == {"exp", "mul"}
    assert {each["level"] for each in tests.values()} == {1}
    assert "test_forward::test_op[mul-complex128]" in tests


def test_a_device_is_where_tensors_are_made(tmp_path):
    ops = "--plugrad-ops=exp"
    done = run_suite(tmp_path, "numpy", ops, "--plugrad-device=cpu")
    assert done.code == 0 and done.found["device"] == "cpu"
    done = run_suite(tmp_path, "numpy", ops, "--plugrad-device=cuda")
    assert done.code == 1, "NumPy serves no such device"


def test_pytest_loads_nothing_of_plugrad_until_asked(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n"
        "def test_it():\n"
        "    assert 'pytest_plugrad' in sys.modules\n"
        "    assert [m for m in sys.modules if m.split('.')[0] == 'plugrad'] == []\n"
        "    assert 'numpy' not in sys.modules\n"
    )
    done = run(PYTEST, tmp_path)
    assert done.code == 0, done.text


# ---- Expected failures


def with_xfails(tmp_path, backend, text, *options):
    path = tmp_path / "xfails.txt"
    path.write_text(text)
    given = (f"--plugrad-xfails={path}", "--plugrad-ops=tanh", *options)
    return run_suite(tmp_path, backend, *given, wrong=backend != "numpy")


def test_an_expected_failure_is_counted_apart(tmp_path):
    pytest.importorskip("array_api_strict", reason="wrong_host is on it")
    failing = [f"test_host::test_no_copy[tanh-{dtype}]" for dtype in MAIN]
    lines = "".join(f"{test}  # it is written so\n" for test in failing)
    done = with_xfails(tmp_path, "wrong_host", lines)
    assert done.ended("expected failure") == dict.fromkeys(failing, "it is written so")
    assert done.code == 0 and not done.ended("failed"), done.text


def test_an_expected_failure_that_passes_fails(tmp_path):
    test = "test_forward::test_op[tanh-float32]"
    done = with_xfails(tmp_path, "numpy", f"{test}  # it never did\n")
    assert done.code == 1 and list(done.ended("failed")) == [test]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("test_forward::test_op[nonesuch-float32]  # gone", "there is no such test"),
        ("n/a cholesky  # no longer", "no longer needed"),
        ("test_forward::test_op[tanh-float32]", "is neither"),
        ("test_forward::test_op[tanh-float32]  # ", "is neither"),
    ],
)
def test_a_stale_or_wrong_line_stops_the_run(line, message, tmp_path):
    done = with_xfails(tmp_path, "numpy", line + "\n")
    assert done.code == pytest.ExitCode.USAGE_ERROR
    assert message in done.text and "Traceback" not in done.text


def test_a_line_twice_is_refused(tmp_path):
    path = tmp_path / "twice.txt"
    path.write_text("n/a cholesky  # why\nn/a cholesky  # why not\n")
    with pytest.raises(ValueError, match="twice.txt:2: cholesky is listed twice"):
        read(path)


@pytest.mark.parametrize("name", LISTED)
def test_the_lists_may_only_shrink(name):
    """All that a backend declares in a main dtype is in its list, and nothing else."""
    try:
        k = plugrad.get_backend(name)
    except plugrad.BackendError as error:
        pytest.skip(f"its library is not installed: {error}")
    found = find_expected(name, None)
    wanted = {key for key in declared(k) if is_main(key)}
    assert wanted - set(found.left_out) == set(), (
        f"list them: python -m plugrad.conformance declared {name}"
    )
    subject = Subject(k, reference_for(k))
    suite = levels.find_suite(None, k.ops)
    tests = {f"{test}[{cell.id}]": cell for test, cell in suite.cells(subject, None)}
    assert found.stale(tests, k) == []


def test_declarations_are_printed_as_the_list_has_them(tmp_path, capsys):
    pytest.importorskip("array_api_strict", reason="it is the one that declares some")
    assert command.main(["declared", "array_api_strict"]) == 0
    path = tmp_path / "list.txt"
    path.write_text(capsys.readouterr().out)
    k = plugrad.get_backend("array_api_strict")
    assert read(path).left_out == declared(k) != {}


def test_numpy_has_no_list():
    assert "numpy" not in LISTED
    assert declared(plugrad.get_backend("numpy")) == {}


# ---- The table, and frozen suites


def test_every_test_of_the_modules_is_in_the_table():
    found = set()
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(f"{path.stem}::{node.name}")
    assert found == set(levels.TESTS)


def test_a_frozen_suite_has_no_newer_op():
    ops = plugrad.Backend.ops
    frozen = levels.find_suite("2026.1", ops)
    assert set(frozen.ops) <= set(ops) and set(frozen.tests) <= set(levels.TESTS)
    assert {*frozen.cases} <= {*levels.CASES} != set()
    newer = levels.find_suite(None, {**ops, "newer": None})
    assert "newer" in newer.ops and "newer" not in frozen.ops
    assert levels.find_suite("2026.1", {**ops, "newer": None}) == frozen


def test_freezing_writes_what_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(levels, "suite_file", lambda name: tmp_path / name)
    monkeypatch.setattr(command, "suite_file", lambda name: tmp_path / name)
    assert command.main(["freeze", "next"]) == 0
    frozen = levels.find_suite("next", {})
    assert set(frozen.ops) == set(plugrad.Backend.ops)
    assert set(frozen.tests) == set(levels.TESTS)
    assert frozen.cases == levels.CASES


def test_a_frozen_suite_has_no_newer_case():
    k = plugrad.get_backend("numpy")
    whole = levels.find_suite(None, k.ops)
    fewer = replace(whole, cases=["Linear", "MLP"])
    found = {cell.case for _, cell in fewer.cells(Subject(k, k), None)}
    assert found == {None, "Linear", "MLP"}


# ---- The tables of layers, optimizers and schedules

# what holds layers, and what others are made of
BASES = {
    *("Container", "Module", "ModuleDict", "ModuleList", "ParameterDict"),
    *("ParameterList", "RNNBase", "RNNCellBase", "DataParallel"),
}


def classes(module, base):
    """The names of a module's public classes that are made of a base."""
    found = {name: getattr(module, name) for name in module.__all__}
    return {
        name
        for name, each in found.items()
        if isinstance(each, type) and issubclass(each, base) and each is not base
    }


def named(table):
    return {name.partition("-")[0] for name in table}


def test_every_layer_is_in_the_table():
    """By its name; upsampling has its modes only."""
    found = classes(plugrad.nn, plugrad.nn.Module) - BASES
    assert found == named(LAYERS)


def test_every_optimizer_and_schedule_is_in_the_tables():
    optim = plugrad.optim
    assert classes(optim, optim.Optimizer) == named(OPTIMIZERS)
    schedules = classes(optim.lr_scheduler, optim.lr_scheduler.LRScheduler)
    assert schedules - {"LRScheduler"} <= named(SCHEDULES)


def test_the_suite_takes_only_what_is_public():
    """As any plugin: no private attributes of plugrad's."""
    from tests.house.imports import plugin_breaches

    sources = {path: path.read_text() for path in HERE.glob("*.py")}
    for path, text in sources.items():
        module = f"plugrad.conformance.{path.stem}"
        breaches = plugin_breaches(text, module, siblings=sources.values())
        allowed = ("import numpy", "import pytest", "import array_api_compat.numpy")
        left = [each for each in breaches if not any(a in each for a in allowed)]
        assert left == [], path.name


# ---- Reports


def some_report(**outcomes):
    """A report in which tests of one cell ended in several ways."""
    tests = {
        f"test_forward::test_op[{op}-float64]": {
            "level": 1,
            "op": op,
            "dtype": "float64",
            "outcome": outcome,
            "reason": "" if outcome == "passed" else f"why <{op}>",
        }
        for op, outcome in outcomes.items()
    }
    return {
        "backend": "mine",
        "device": "cpu",
        "suite": "current",
        "whole": True,
        "versions": {"numpy": "2"},
        "tests": tests,
    }


MIXED = {"exp": "passed", "log": "failed", "sin": "expected failure", "cos": "n/a"}


def test_pages_are_made_of_reports(tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, outcomes in zip(paths, (MIXED, {"exp": "passed"})):
        path.write_text(json.dumps(some_report(**outcomes)))
    page, table, badges = (tmp_path / name for name in ("m.html", "m.md", "badges"))
    options = ["--html", str(page), "--markdown", str(table), "--badge", str(badges)]
    assert command.main(["report", *map(str, paths), *options]) == 0
    text = page.read_text()
    for op, outcome in MIXED.items():
        assert f"<th>{op}</th>" in text
        assert outcome == "passed" or f"{outcome}: why &lt;{op}&gt;" in text
    assert not re.search(r"(src|href)=|@import|url\(", text), "it needs other files"
    assert "1 passed, 1 failed, 1 expected failure, 1 n/a" in table.read_text()
    assert "no level" in (badges / "mine.svg").read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "a.json",
        "b.json",
        "badges",
        "m.html",
        "m.md",
    ]


def test_a_cell_is_as_good_as_its_worst_test():
    ended = report.cell_counts(some_report(**MIXED))
    assert dict(ended) == dict.fromkeys(MIXED.values(), 1)
    cell = {
        name: {"outcome": outcome} for name, outcome in enumerate(report.WORST_FIRST)
    }
    for outcome in report.WORST_FIRST:
        assert report.outcome_of_cell(cell) == outcome
        cell.pop(report.WORST_FIRST.index(outcome))


def test_a_level_is_passed_if_nothing_in_it_or_below_fails():
    def found(*outcomes):
        made = some_report(**{f"op{i}": each for i, each in enumerate(outcomes)})
        for level, test in enumerate(made["tests"].values()):
            test["level"] = level
        return report.level_passed(made)

    assert found("passed", "passed", "passed") == 2
    assert found("passed", "expected failure", "passed") == 0
    assert found("failed", "passed", "passed") is None
    assert found("passed") == 0
    assert report.level_passed(some_report()) is None


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    report.write_whole(path, "before")

    def fails(source, target):
        raise OSError("disk full")

    monkeypatch.setattr(report.os, "replace", fails)
    with pytest.raises(OSError, match="disk full"):
        report.write_whole(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
