"""Time contestants fairly on a noisy machine, and print what came out.

- All contestants of a comparison run in one process and take turns, round by round:
  A B C, A B C, ... What disturbs the machine for longer than a round disturbs all.
- What is compared is the ratio within a round; what is reported is the median of
  those ratios, with the quartiles, which tell how far to trust it.
- A turn repeats its call until it is long against the clock's resolution. Nobody pays
  for what the one before left: its garbage is collected and one call goes untimed.
- The garbage collector stays on, as it is in the user's program.
"""

from __future__ import annotations

import gc
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from statistics import quantiles

SUBJECT = "plugrad"

Times = dict[str, list[float]]
Context = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Spread:
    """Median and quartiles of a sample."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, sample: Sequence[float]) -> Spread:
        if len(sample) == 1:
            return cls(sample[0], sample[0], sample[0])
        low, median, high = quantiles(sample, n=4, method="inclusive")
        return cls(median, low, high)

    def text(self, digits: int = 2) -> str:
        low, high = f"{self.low:.{digits}f}", f"{self.high:.{digits}f}"
        return f"{self.median:.{digits}f} ({low}-{high})"


@dataclass(frozen=True)
class Plan:
    """How long to measure: rounds, the length of a turn, and the patience for one.

    A contestant that would need more than `patience` seconds for all its rounds
    stops early, after three rounds at least.
    """

    rounds: int = 41
    turn: float = 0.005
    pause: float = 0.0
    patience: float = 8.0

    def quick(self) -> Plan:
        return Plan(max(5, self.rounds // 5), self.turn / 2, self.pause, 1.0)


def _repeat(call: Callable[[], object], times: int) -> float:
    """Seconds that one call took, on the average over so many."""
    start = time.perf_counter_ns()
    for _ in range(times):
        call()
    return (time.perf_counter_ns() - start) / times / 1e9


def _calibrate(call: Callable[[], object], turn: float) -> tuple[int, float]:
    """Warm the call up; how many calls make a turn, and the seconds that takes."""
    for _ in range(3):
        once = _repeat(call, 1)
    if once < turn:
        once = min(once, _repeat(call, math.ceil(turn / once)))
    times = max(1, math.ceil(turn / once))
    return times, (times + 1) * once


def alternate(
    contestants: dict[str, Callable[[], object]],
    plan: Plan,
    around: Mapping[str, Context] | None = None,
) -> Times:
    """Seconds per call of each contestant, one figure a round; some have their turns
    inside a context, which is not timed.

    Lists of different length belong to the same rounds, counted from the first.
    """
    inside = dict.fromkeys(contestants, nullcontext) | dict(around or {})
    turns, rounds = {}, {}
    for name, call in contestants.items():
        with inside[name]():
            turns[name], seconds = _calibrate(call, plan.turn)
        affordable = max(3, int(plan.patience / seconds))
        rounds[name] = min(plan.rounds, affordable)
    times: Times = {name: [] for name in contestants}
    for number in range(max(rounds.values(), default=0)):
        for name, call in contestants.items():
            if number < rounds[name]:
                gc.collect(1)  # the young garbage of the contestant before
                time.sleep(plan.pause)
                with inside[name]():
                    call()
                    times[name].append(_repeat(call, turns[name]))
    return times


def ratio(times: Times, name: str, base: str) -> Spread:
    """`name` over `base`, by the rounds in which both ran."""
    pairs = zip(times[name], times[base], strict=False)
    return Spread.of([a / b for a, b in pairs])


@dataclass(frozen=True)
class Comparison:
    """Everyone's time, plugrad's time over theirs, and whether that is good enough.

    The bar holds against every contestant whose name begins with `against`.
    """

    times: dict[str, Spread]
    ratios: dict[str, Spread]
    bar: float
    against: str
    verdict: str


def compare(
    calls: dict[str, Callable[[], object]],
    plan: Plan,
    *,
    unit: float,
    bar: float,
    against: str,
) -> Comparison:
    """Time the calls, in units of so many seconds, and judge plugrad by the bar."""
    return judge(alternate(calls, plan), unit=unit, bar=bar, against=against)


def judge(seconds: Times, *, unit: float, bar: float, against: str) -> Comparison:
    """Compare what was measured, in units of so many seconds."""
    times = {name: Spread.of([t / unit for t in seconds[name]]) for name in seconds}
    others = [name for name in seconds if name != SUBJECT and SUBJECT in seconds]
    ratios = {name: ratio(seconds, SUBJECT, name) for name in others}
    judged = [r.median for name, r in ratios.items() if name.startswith(against)]
    outcome = verdict(max(judged, default=None), bar)
    return Comparison(times, ratios, bar, against, outcome)


def report(title: str, unit: str, comparisons: dict[str, Comparison]) -> None:
    """Print the times of all comparisons in one table, and the ratios in another."""
    every = comparisons.values()
    names = list(dict.fromkeys(name for c in every for name in c.times))
    digits = 0 if all(t.median >= 20 for c in every for t in c.times.values()) else 2
    print(f"{title}: {unit} (median, and quartiles)")
    rows = [[row, *_cells(c.times, names, digits)] for row, c in comparisons.items()]
    table(["", *names], rows)
    others = [name for name in names if name != SUBJECT]
    print(f"{title}: {SUBJECT}'s time over theirs (below 1: {SUBJECT} is faster)")
    rows = []
    for row, c in comparisons.items():
        asked = f"{c.bar:.2f} of {c.against}"
        rows.append([row, *_cells(c.ratios, others, 2), asked, c.verdict])
    table(["", *others, "asked", ""], rows)


def _cells(spreads: dict[str, Spread], names: Sequence[str], digits: int) -> list[str]:
    return [spreads[n].text(digits) if n in spreads else "-" for n in names]


def brief(error: Exception) -> str:
    """The error in a line, for a note under a table."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def print_notes(notes: Sequence[str]) -> None:
    for note in notes:
        print(f"  {note}")
    if notes:
        print(flush=True)


def verdict(value: float | None, bar: float) -> str:
    """OK when the value is within its bar; a value that is missing is a miss."""
    return "OK" if value is not None and value <= bar else "MISS"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns: the first to the left, the others to the right."""
    lines = [list(head), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))
    print(flush=True)


def progress(text: str) -> None:
    """A passing line on a terminal's standard error; nothing in a log."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
