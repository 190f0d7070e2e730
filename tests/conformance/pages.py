"""Pages and badges of reports: HTML, Markdown and SVG that need no other file."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from .cells import MAIN
from .levels import LEVELS
from .report import (
    OUTCOMES,
    cell_counts,
    counts,
    grid,
    in_words,
    level_passed,
    outcome_of_cell,
)

FLOATS = ("float32", "float64")
MARKS = {"passed": "●", "failed": "✕", "expected failure": "◐", "n/a": "–"}
CLASSES = {"passed": "p", "failed": "f", "expected failure": "x", "n/a": "n"}
COLORS = {None: "#b0413e", 0: "#c77d1e", 1: "#a08a1a", 2: "#7f8f1f", 3: "#5a8a2a"}
BEST = "#2f7d32"

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem;
       padding: 0 1rem; color: #1d2229; background: #fff; }
h1, h2 { line-height: 1.2; }
.grid { overflow-x: auto; max-height: 80vh; border: 1px solid #d5d9df; }
table { border-collapse: collapse; }
th, td { padding: .15rem .5rem; text-align: center; white-space: nowrap; }
.grid thead th { position: sticky; top: 0; background: #f2f4f7; }
.grid tbody th, .grid thead th:first-child { text-align: left; font-weight: 400; }
.grid tbody th { font-family: ui-monospace, monospace; }
.grid thead th.b, .grid td.b { border-left: 2px solid #d5d9df; }
.counts td, .counts th { border-bottom: 1px solid #d5d9df; }
.p { color: #2f7d32; } .f { color: #fff; background: #b0413e; }
.x { color: #8a5a00; background: #fdf0d0; } .n { color: #8a929c; }
code { font-family: ui-monospace, monospace; }
"""


def title_of(found: dict[str, Any]) -> str:
    """A backend with the versions of what it ran on."""
    versions = ", ".join(f"{name} {v}" for name, v in found["versions"].items())
    return (
        f"{found['backend']} on {found['device']}, suite {found['suite']}, "
        f"{tried(found)} ({versions})"
    )


def level_text(found: dict[str, Any]) -> str:
    """The highest level passed, in words."""
    level = level_passed(found)
    return "none" if level is None else str(level)


# --- HTML ------------------------------------------------------------------------


def html(reports: list[dict[str, Any]]) -> str:
    """The matrix of all ops, dtypes and backends."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width">',
        "<title>Plugrad: conformance of backends</title>",
        f"<style>{STYLE}</style></head><body>",
        "<h1>What works on which backend</h1>",
        "<p>Each cell is one op in one dtype (or one layer, optimizer, schedule or "
        "model), and stands for all of its tests: "
        + ", ".join(
            f'<span class="{CLASSES[each]}">{MARKS[each]}</span> {each}'
            for each in OUTCOMES
        )
        + ". Point at a cell for its tests and the reasons; those that did not pass "
        "are listed below the table, too.</p>",
        html_counts(reports),
        html_grid(reports, "op", "Ops by dtype", MAIN),
        html_grid(reports, "case", "nn, optim and training by dtype", FLOATS),
        *(html_reasons(each) for each in reports),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def html_counts(reports: list[dict[str, Any]]) -> str:
    """A row of counts for each backend."""
    head = "".join(
        f"<th>{escape(name)}</th>" for name in ("backend", "level", *OUTCOMES)
    )
    rows = []
    for found in reports:
        ended = counts(found)
        cells = "".join(f"<td>{ended[each]:,}</td>" for each in OUTCOMES)
        rows.append(
            f"<tr><td>{escape(title_of(found))}</td><td>{level_text(found)}</td>"
            f"{cells}</tr>"
        )
    return (
        f'<h2>Tests</h2><table class="counts"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def html_grid(
    reports: list[dict[str, Any]], of: str, title: str, dtypes: Sequence[str]
) -> str:
    """A row for each op, or for each case: the dtypes of each backend."""
    grids = [grid(found, of) for found in reports]
    columns = [(g, dtype) for g in grids for dtype in dtypes]
    over = "".join(
        f'<th class="b" colspan="{len(dtypes)}">{escape(r["backend"])}</th>'
        for r in reports
    )
    under = "".join(
        f'<th class="{"b" if dtype == dtypes[0] else ""}">{dtype}</th>'
        for _, dtype in columns
    )
    names = sorted({name for each in grids for name, _ in each})
    rows = [
        f"<tr><th>{escape(name)}</th>"
        + "".join(
            html_cell(g.get((name, dtype)), dtype == dtypes[0]) for g, dtype in columns
        )
        + "</tr>"
        for name in names
    ]
    head = f"<tr><th></th>{over}</tr><tr><th>{of}</th>{under}</tr>"
    body = "".join(rows)
    return (
        f'<h2>{escape(title)}</h2><div class="grid"><table><thead>{head}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def html_cell(tests: dict[str, dict[str, Any]] | None, first: bool) -> str:
    """One cell, with its tests in its title; the first of a backend has an edge."""
    edge = " b" if first else ""
    if not tests:
        return f'<td class="{edge}"></td>'
    outcome = outcome_of_cell(tests)
    lines = [
        f"{name}: {test['outcome']}{': ' if test['reason'] else ''}{test['reason']}"
        for name, test in sorted(tests.items())
    ]
    title = escape("\n".join(lines) if outcome != "passed" else f"{len(tests)} tests")
    return f'<td class="{CLASSES[outcome]}{edge}" title="{title}">{MARKS[outcome]}</td>'


def html_reasons(found: dict[str, Any]) -> str:
    """The tests of a backend that did not pass, by reason."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for name, test in sorted(found["tests"].items()):
        if test["outcome"] != "passed":
            key = (test["outcome"], test["reason"])
            by_reason.setdefault(key, []).append(name)
    if not by_reason:
        return ""
    items = "".join(
        f"<li>{escape(outcome)}: {escape(reason)}<br>"
        + ", ".join(f"<code>{escape(name)}</code>" for name in names)
        + "</li>"
        for (outcome, reason), names in by_reason.items()
    )
    return f"<h2>{escape(found['backend'])}: what did not pass</h2><ul>{items}</ul>"


# --- Markdown and badges ---------------------------------------------------------


def markdown(reports: list[dict[str, Any]]) -> str:
    """A table with a row for each backend."""
    lines = [
        "| backend | tried | level passed | ops x dtypes that pass "
        "| layers, optimizers and models that pass | tests |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for found in reports:
        shares = " | ".join(share(found, of) for of in ("op", "case"))
        lines.append(
            f"| {found['backend']} | {tried(found)} | {level_text(found)} | {shares} | "
            f"{in_words(counts(found))} |"
        )
    return "\n".join(lines) + "\n"


def share(found: dict[str, Any], of: str) -> str:
    """How much of a backend's cells pass, and of how many."""
    cells = cell_counts(found, of)
    return f"{100 * cells['passed'] / max(cells.total(), 1):.1f}% of {cells.total():,}"


def tried(found: dict[str, Any]) -> str:
    """How much of the suite a run was: all, or a part."""
    drawn = found.get("drawn", {"part": 1.0, "seed": 0})
    if found["whole"]:
        return "all"
    if drawn["part"] >= 1:
        return "some ops"
    return f"{100 * drawn['part']:g}%, seed {drawn['seed']}"


def badge(found: dict[str, Any]) -> str:
    """The highest level that a backend passes, as a small picture."""
    level = level_passed(found)
    left = f"plugrad {found['backend']}"
    right = "no level" if level is None else f"level {level} of {max(LEVELS)}"
    widths = [7 * len(text) + 12 for text in (left, right)]
    total = sum(widths)
    alt = escape(f"{left}: {right}")
    middles = widths[0] / 2, widths[0] + widths[1] / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="20" '
        f'role="img" aria-label="{alt}"><title>{alt}</title>'
        f'<rect width="{total}" height="20" rx="3" fill="#444b54"/>'
        f'<rect x="{widths[0]}" width="{widths[1]}" height="20" rx="3" '
        f'fill="{COLORS.get(level, BEST)}"/>'
        '<g fill="#fff" text-anchor="middle" font-size="11" '
        'font-family="Verdana, DejaVu Sans, sans-serif">'
        f'<text x="{middles[0]}" y="14">{escape(left)}</text>'
        f'<text x="{middles[1]}" y="14">{escape(right)}</text></g></svg>\n'
    )
