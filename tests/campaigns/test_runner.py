"""The runner of campaigns counts, stops in time, and reports what failed."""

from __future__ import annotations

import math
import time
from types import ModuleType

import pytest
from hypothesis import strategies as st

from tests.campaigns import runner
from tests.campaigns.generated import falsified
from tests.campaigns.runner import Report, cases, dealt, markdown, run_one, salted


def campaign(run) -> ModuleType:
    module = ModuleType("fake", "Numbers against numbers.\n\nMore.")
    module.run = run
    return module


def odd_fail(seed: int, budget: float) -> Report:
    report = Report(notes=["A note."])
    for case in cases("a number", 50, budget, report):
        if case % 2:
            report.fail(case, f"seed {seed} is odd")
    return report


def test_the_whole_runs_every_case_and_counts_failures():
    outcome = run_one("numbers", campaign(odd_fail), seed=7, budget=math.inf)
    assert (outcome.report.cases, outcome.report.total) == (50, 50)
    assert len(outcome.report.failures) == 25
    assert outcome.report.failures[0] == "case 1: seed 7 is odd"


def test_a_budget_ends_it_early():
    def slow(seed, budget):
        report = Report()
        for _ in cases("a nap", 1_000_000, budget, report):
            time.sleep(0.01)
        return report

    report = run_one("slow", campaign(slow), seed=0, budget=0.1).report
    assert 0 < report.cases < report.total == 1_000_000
    assert report.failures == []


def test_breaking_off_and_doing_nothing_are_failures(capsys):
    def breaks(seed, budget):
        raise KeyError("lost")

    assert "lost" in run_one("b", campaign(breaks), 0, 1.0).report.failures[0]
    idle = run_one("i", campaign(lambda seed, budget: Report()), 0, 1.0)
    assert idle.report.failures == ["it ran no case"]
    assert "FAILED it ran no case" in capsys.readouterr().err


def test_the_page_shows_counts_notes_and_the_first_failures():
    outcome = run_one("numbers", campaign(odd_fail), seed=7, budget=math.inf)
    page = markdown([outcome], "make campaign", seed=7)
    assert "| numbers | 50 | 50 | 25 | 0 |" in page
    assert "Numbers against numbers." in page and "A note." in page
    assert "- case 1: seed 7 is odd" in page and "- and 5 more" in page
    assert "--only numbers --seed SEED --case CASE" in page


def test_a_failure_with_more_lines_is_one_entry():
    report = Report()
    report.fail(3, "two of them\n# first\n- second")
    page = markdown([runner.Outcome("numbers", "N.", report, 1.0)], "make", seed=0)
    assert "- case 3: two of them\n  ```text\n  # first\n  - second\n  ```" in page


def test_one_case_can_be_run_again(monkeypatch):
    monkeypatch.setattr(runner, "only", [7, 99])
    outcome = run_one("numbers", campaign(odd_fail), seed=7, budget=math.inf)
    assert (outcome.report.cases, outcome.report.total) == (1, 1)
    assert outcome.report.failures == ["case 7: seed 7 is odd"]


def test_each_round_deals_everything_in_an_order_of_the_seed():
    first = [dealt("abcdef", 1, case) for case in range(12)]
    assert sorted(item for item, _ in first[:6]) == list("abcdef")
    assert [item for item, _ in first[:6]] == [item for item, _ in first[6:]]
    assert {salt for _, salt in first} == {"1.0", "1.1"}
    assert first != [dealt("abcdef", 2, case) for case in range(12)]
    assert len({salted(seed, case) for seed in range(9) for case in range(9)}) == 81


def below(x, limit):
    assert x < limit, "too large"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_smallest_example_that_fails_is_shown_and_comes_back(seed):
    numbers = {"x": st.integers(0, 1000), "limit": 50}
    text = falsified(below, numbers, seed, 100)
    assert "x=50" in text and "too large" in text
    assert falsified(below, numbers, seed, 100) == text
    assert falsified(below, {"x": st.integers(0, 49), "limit": 50}, seed, 100) == ""


def test_batches_differ_by_their_seed():
    drawn = []
    for seed in (1, 1, 2):
        drawn.append([])
        falsified(lambda x: drawn[-1].append(x), {"x": st.integers()}, seed, 20)
    assert drawn[0] == drawn[1] != drawn[2]
