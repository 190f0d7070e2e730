"""Pages and badges of reports: HTML, Markdown and SVG that need no other file."""

from __future__ import annotations

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

MARKS = {"passed": "●", "failed": "✕", "expected failure": "◐", "n/a": "–"}
CLASSES = {"passed": "p", "failed": "f", "expected failure": "x", "n/a": "n"}
COLORS = {None: "#b0413e", 0: "#c77d1e", 1: "#8a8f1f", 2: "#2f7d32"}

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
        f"{found['backend']} on {found['device']}, suite {found['suite']} ({versions})"
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
        "<p>Each cell is one op in one dtype, and stands for all of its tests: "
        + ", ".join(
            f'<span class="{CLASSES[each]}">{MARKS[each]}</span> {each}'
            for each in OUTCOMES
        )
        + ". Point at a cell for its tests and the reasons; those that did not pass "
        "are listed below the table, too.</p>",
        html_counts(reports),
        html_grid(reports),
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


def html_grid(reports: list[dict[str, Any]]) -> str:
    """A row for each op: the dtypes of each backend."""
    grids = [grid(found) for found in reports]
    columns = [(g, dtype) for g in grids for dtype in MAIN]
    over = "".join(
        f'<th class="b" colspan="{len(MAIN)}">{escape(r["backend"])}</th>'
        for r in reports
    )
    under = "".join(
        f'<th class="{"b" if dtype == MAIN[0] else ""}">{dtype}</th>'
        for _, dtype in columns
    )
    ops = sorted({op for each in grids for op, _ in each})
    rows = [
        f"<tr><th>{escape(op)}</th>"
        + "".join(html_cell(g.get((op, dtype)), dtype) for g, dtype in columns)
        + "</tr>"
        for op in ops
    ]
    return (
        f'<h2>Ops by dtype</h2><div class="grid"><table><thead><tr><th></th>{over}</tr>'
        f"<tr><th>op</th>{under}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def html_cell(tests: dict[str, dict[str, Any]] | None, dtype: str) -> str:
    """One cell, with its tests in its title."""
    edge = " b" if dtype == MAIN[0] else ""
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
        "| backend | level passed | op x dtype cells that pass | tests |",
        "| --- | --- | --- | --- |",
    ]
    for found in reports:
        cells = cell_counts(found)
        share = f"{100 * cells['passed'] / max(cells.total(), 1):.1f}%"
        lines.append(
            f"| {found['backend']} | {level_text(found)} | {share} of "
            f"{cells.total():,} | {in_words(counts(found))} |"
        )
    return "\n".join(lines) + "\n"


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
        f'fill="{COLORS.get(level, COLORS[2])}"/>'
        '<g fill="#fff" text-anchor="middle" font-size="11" '
        'font-family="Verdana, DejaVu Sans, sans-serif">'
        f'<text x="{middles[0]}" y="14">{escape(left)}</text>'
        f'<text x="{middles[1]}" y="14">{escape(right)}</text></g></svg>\n'
    )
