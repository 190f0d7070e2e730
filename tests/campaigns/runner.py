"""Runs campaigns, says how far they are, and writes down what they found.

- `cases` counts out case numbers until the campaign is done or its time is up, and
  shows progress. `dealt` and `salted` make a case from the seed and its number.
- `run_all` runs campaigns one after the other. An exception that leaves a campaign is
  a failure of that campaign, and the next one still runs.
- `markdown` makes the page of results.
"""

from __future__ import annotations

import importlib
import platform
import random
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")

SAMPLE_SECONDS = 30.0
PROGRESS_SECONDS = 2.0
SHOWN = 20  # failures listed for each campaign; all are counted
LIBRARIES = "plugrad numpy torch array-api-strict ml_dtypes hypothesis".split()


@dataclass
class Report:
    """What a campaign found. `notes` are paragraphs or tables in Markdown."""

    cases: int = 0
    total: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fail(self, case: object, what: str) -> None:
        self.failures.append(f"case {case}: {what}")


@dataclass
class Outcome:
    """A campaign that was run. `text` is its docstring."""

    name: str
    text: str
    report: Report
    seconds: float


only: list[int] = []  # where not empty, the cases that are run; for --case


def cases(what: str, total: int, budget: float, report: Report) -> Iterator[int]:
    """0, 1, ... below `total`, while the budget lasts; counted in the report."""
    begin = shown = time.monotonic()
    numbers = [n for n in only if n < total] if only else range(total)
    report.total += len(numbers)
    for number in numbers:
        now = time.monotonic()
        if now - begin > budget:
            break
        if now - shown > PROGRESS_SECONDS:
            shown = now
            failed = f", {len(report.failures)} failed" if report.failures else ""
            print(
                f"  {what} {number:,} of {total:,}{failed}, {now - begin:.0f} s",
                file=sys.stderr,
                flush=True,
            )
        yield number
        report.cases += 1


def dealt(items: Sequence[T], seed: int, case: int) -> tuple[T, str]:
    """The item whose turn it is, and the seed of its numbers. All have their turn in
    each round, in an order that the seed says, so that samples differ in what they
    reach."""
    round_, place = divmod(case, len(items))
    order = random.Random(seed).sample(range(len(items)), len(items))
    return items[order[place]], f"{seed}.{round_}"


def salted(seed: int, case: int) -> int:
    """A seed that belongs to a case."""
    return random.Random(f"{seed}/{case}").getrandbits(64)


def load(name: str) -> ModuleType:
    return importlib.import_module(f"tests.campaigns.{name}")


def run_one(name: str, campaign: ModuleType, seed: int, budget: float) -> Outcome:
    text = (campaign.__doc__ or "").strip()
    print(f"{name}: {text.partition('.')[0]}", file=sys.stderr, flush=True)
    begin = time.monotonic()
    try:
        report = campaign.run(seed, budget)
    except Exception:
        report = Report(failures=["it broke off:\n" + traceback.format_exc()])
    if not report.cases and not report.failures:
        report.failures.append("it ran no case")
    seconds = time.monotonic() - begin
    print(
        f"  {report.cases:,} cases, {len(report.failures)} failed, {seconds:.1f} s",
        file=sys.stderr,
        flush=True,
    )
    for failure in report.failures[:SHOWN]:
        print(f"  FAILED {failure}", file=sys.stderr, flush=True)
    return Outcome(name, text, report, seconds)


def run_all(names: list[str], seed: int, budget: float) -> list[Outcome]:
    return [run_one(name, load(name), seed, budget) for name in names]


AGAIN = "python -m tests.campaigns --full --only {} --seed SEED --case CASE"


def installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"


def item(text: str) -> str:
    """A failure as an entry of a list; its further lines are shown as they are."""
    first, _, rest = text.partition("\n")
    lines = ["", "  ```text", *(f"  {line}" for line in rest.split("\n")), "  ```"]
    return f"- {first}" + ("\n".join(lines) if rest else "")


def section(outcome: Outcome) -> str:
    report = outcome.report
    parts = [f"## {outcome.name}", outcome.text, *report.notes]
    if report.failures:
        shown = "\n".join(map(item, report.failures[:SHOWN]))
        hidden = len(report.failures) - SHOWN
        parts.append(shown + (f"\n- and {hidden:,} more" if hidden > 0 else ""))
        parts.append(f"To run one again: `{AGAIN.format(outcome.name)}`.")
    return "\n\n".join(parts)


def markdown(outcomes: list[Outcome], command: str, seed: int) -> str:
    libraries = ", ".join(map(installed, LIBRARIES))
    rows = [
        "| campaign | cases | of | failed | seconds |",
        "| --- | --: | --: | --: | --: |",
    ]
    for outcome in outcomes:
        report = outcome.report
        rows.append(
            f"| {outcome.name} | {report.cases:,} | {report.total:,} "
            f"| {len(report.failures):,} | {outcome.seconds:,.0f} |"
        )
    head = (
        "# Campaigns\n\n"
        "Long random comparisons; how they are made is said in `tests/campaigns/`.\n\n"
        f"Written by `{command}` on {date.today()}, seed {seed}. "
        f"Python {platform.python_version()}, {libraries}, "
        f"{platform.system()} {platform.machine()}.\n\n" + "\n".join(rows)
    )
    return "\n\n".join([head, *map(section, outcomes)]) + "\n"
