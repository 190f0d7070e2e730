"""The runner of campaigns counts, stops in time, and reports what failed."""

from __future__ import annotations

import math
import time
from types import ModuleType

from tests.campaigns.runner import Report, cases, markdown, run_one


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
