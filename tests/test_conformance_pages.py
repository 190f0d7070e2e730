"""The committed pages of conformance: fresh, the same everywhere, and above the bar.

`make conformance` writes them: docs/conformance/ and the table in README.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import plugrad
from plugrad.conformance import levels
from plugrad.conformance.cells import MAIN
from tools.conformance import BACKENDS, END, PAGES, START

ROOT = Path(__file__).parents[1]
PAGE = (PAGES / "README.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

BAR = 95.0  # percent of the cells that pass, of every backend in the table
FRESH = 0.95  # of the cells that there are now


def table(text: str) -> list[str]:
    """The lines of the table in a page."""
    return [line for line in text.splitlines() if line.startswith("|")]


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each backend's row."""
    found = [[c.strip() for c in line.strip("|").split("|")] for line in table(text)]
    return {cells[0]: cells for cells in found[2:]}


def share(cell: str) -> tuple[float, int]:
    """(percent, of how many) in "99.1% of 1,234"."""
    percent, count = re.fullmatch(r"([\d.]+)% of ([\d,]+)", cell).groups()
    return float(percent), int(count.replace(",", ""))


ROWS = rows(PAGE)


def test_the_readme_has_the_same_table():
    assert table(README.partition(START)[2].partition(END)[0]) == table(PAGE)


def test_all_backends_are_there():
    """But CuPy's, which needs a GPU."""
    tried = [name for name in BACKENDS if name != "cupy"]
    assert [name for name in ROWS if name != "cupy"] == tried


@pytest.mark.parametrize("name", ROWS)
def test_the_bar(name):
    """Ops, and what is above them."""
    for cell in ROWS[name][3:5]:
        percent, count = share(cell)
        assert percent >= BAR and count > 0


def test_numpy_passes_all():
    _, tried, level, ops, cases, tests = ROWS["numpy"]
    assert (tried, level) == ("all", str(max(levels.LEVELS)))
    assert share(ops)[0] == share(cases)[0] == 100
    assert re.fullmatch(r"[\d,]+ passed", tests), tests


@pytest.mark.parametrize("name", ROWS)
def test_the_whole_suite_was_tried_and_is_not_much_larger_now(name):
    _, tried, _, ops, cases, _ = ROWS[name]
    assert tried == "all"
    assert share(ops)[1] >= FRESH * len(plugrad.Backend.ops) * len(MAIN)
    assert share(cases)[1] >= FRESH * 2 * len(levels.CASES)


@pytest.mark.parametrize("name", ROWS)
def test_there_are_a_badge_and_a_part_of_the_matrix(name):
    assert f"plugrad {name}" in (PAGES / f"{name}.svg").read_text(encoding="utf-8")
    matrix = (PAGES / "matrix.html").read_text(encoding="utf-8")
    assert f">{name}</th>" in matrix


# ---- The reading can fail.


def test_a_row_is_read():
    text = "| a | b |\n| --- | --- |\n| mine | 94.9% of 1,200 |\n"
    assert share(rows(text)["mine"][1]) == (94.9, 1200)
