"""A picture and a table of how fast networks train, for README.md:

    python -m benchmarks training --json FILE
    python -m benchmarks.picture FILE

The first measures, the second draws docs/training-steps.svg and writes the table. Each
contestant is a mark at its time over torch's, with a line from quartile to quartile.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from .training import PLAIN, SERVED, THREADS, TORCH

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "training-steps.svg"
README = ROOT / "README.md"
START, END = "<!-- training: written by benchmarks/picture.py -->", "<!-- end -->"
BEFORE = "## State"  # where the block goes when it is not there yet

COLOURS = {SERVED: "#b3261e", PLAIN: "#e58e26"}
OTHERS = ("#33691e", "#1565c0", "#6a1b9a", "#546e7a", "#00838f")
WIDTH, LEFT, RIGHT, TOP, ROW = 760, 110, 20, 84, 30
INK, FAINT = "#222222", "#d0d0d0"

Ratios = dict[str, dict[str, dict[str, float]]]  # by network and contestant


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m benchmarks.picture FILE")
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if "training" not in results:
        raise SystemExit(f"{sys.argv[1]} has no figures of training")
    PICTURE.write_text(picture(results), encoding="utf-8")
    text = README.read_text(encoding="utf-8")
    README.write_text(placed(text, block(results)), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)} and {README.name} are written")


def contestants(ratios: Ratios) -> list[str]:
    """plugrad's first, then the peers that have figures."""
    found = dict.fromkeys(who for each in ratios.values() for who in each)
    return sorted(found, key=lambda who: (who != SERVED, who != PLAIN))


# --- the block of README.md ---------------------------------------------------------


def block(results: dict[str, Any]) -> str:
    """The picture, and the same in figures."""
    figures, ratios = results["training"], results["training"]["ratios"]
    who = contestants(ratios)
    link = PICTURE.relative_to(ROOT).as_posix()
    lines = [
        START,
        f"![Time of a training step over PyTorch's, by network]({link})",
        "",
        f"| step over {TORCH}'s | {TORCH}, ms | {' | '.join(who)} |",
        f"| --- | --: | {' | '.join('--:' for _ in who)} |",
    ]
    for name, each in ratios.items():
        own = figures["times"][name].get(TORCH, [])
        ms = f"{median(own) * 1e3:.1f}" if own else ""
        cells = [f"{each[w]['median']:.2f}" if w in each else "" for w in who]
        lines.append(f"| {name} | {ms} | {' | '.join(cells)} |")
    means = [f"{figures['means'][w]:.2f}" if w in figures["means"] else "" for w in who]
    lines.append(f"| geometric mean | | {' | '.join(means)} |")
    lines += ["", f"On {machine(results)}, with {versions(results)}.", END]
    return "\n".join(lines)


def machine(results: dict[str, Any]) -> str:
    return f"{results['machine']['processor']}; {THREADS} threads"


def versions(results: dict[str, Any]) -> str:
    every = results["machine"]["versions"].split(", ")
    return ", ".join(each for each in every if not each.endswith(" absent"))


def placed(text: str, block: str) -> str:
    """The page with the block in its place."""
    before, found, rest = text.partition(START)
    if found:
        return f"{before}{block}{rest.partition(END)[2]}"
    before, found, rest = text.partition(BEFORE)
    if not found:
        raise SystemExit(f"{README.name} has neither {START!r} nor {BEFORE!r}")
    head = "## Training on a CPU\n\n"
    link = "[How this is measured](docs/benchmarks.md).\n\n"
    return f"{before}{head}{block}\n\n{link}{BEFORE}{rest}"


# --- the picture --------------------------------------------------------------------


class Axis:
    """Ratios on a logarithmic scale, by powers of two."""

    def __init__(self, ratios: Ratios) -> None:
        every = [s for each in ratios.values() for s in each.values()]
        least = min([s["low"] for s in every] + [0.5])
        most = max([s["high"] for s in every] + [2.0])
        self.low = math.floor(math.log2(least))
        self.high = math.ceil(math.log2(most))

    def x(self, ratio: float) -> float:
        share = (math.log2(ratio) - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def ticks(self) -> Iterator[tuple[float, str]]:
        for power in range(self.low, self.high + 1):
            yield 2.0**power, f"1/{2**-power}" if power < 0 else f"{2**power}"


def picture(results: dict[str, Any]) -> str:
    """The picture as an SVG, on white: pages may be dark."""
    ratios: Ratios = results["training"]["ratios"]
    axis, who = Axis(ratios), contestants(ratios)
    colours = dict(zip([w for w in who if w not in COLOURS], OTHERS, strict=False))
    colours |= COLOURS
    bottom = TOP + ROW * len(ratios)
    height = bottom + 44
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(LEFT, 22, "Time of a training step over PyTorch's", size=15),
        *legend(who, colours),
        *grid(axis, bottom),
        text(LEFT, bottom + 36, machine(results), size=10),
    ]
    for row, (name, each) in enumerate(ratios.items()):
        y = TOP + ROW * (row + 0.5)
        parts.append(text(LEFT - 12, y + 4, name, anchor="end"))
        for w in reversed([w for w in who if w in each]):  # plugrad's on top
            parts += mark(axis, y, each[w], colours.get(w, INK), own=w in COLOURS)
    return "\n".join([*parts, "</svg>", ""])


def text(
    x: float, y: float, words: str, *, size: int = 12, anchor: str = "start"
) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"'
    return f'<text {place} fill="{INK}">{escape(words)}</text>'


def legend(who: list[str], colours: dict[str, str]) -> Iterator[str]:
    x = float(LEFT)
    for name in who:
        own = name in COLOURS
        yield dot(x + 5, 42, colours.get(name, INK), own)
        yield text(x + 15, 46, name)
        x += 30 + 6.6 * len(name)


def grid(axis: Axis, bottom: float) -> Iterator[str]:
    """Lines at powers of two; the one at 1 is PyTorch's."""
    for ratio, words in axis.ticks():
        x, one = axis.x(ratio), ratio == 1
        look = f'stroke="{INK if one else FAINT}" stroke-width="{1.5 if one else 1}"'
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}" {look}/>'
        yield text(x, bottom + 16, words, anchor="middle")
    yield text(axis.x(1), TOP - 8, "PyTorch", anchor="middle")
    yield text(axis.x(1) - 40, TOP - 8, "faster", size=10, anchor="end")
    yield text(axis.x(1) + 40, TOP - 8, "slower", size=10)


def mark(
    axis: Axis, y: float, spread: dict[str, float], colour: str, own: bool
) -> Iterator[str]:
    low, high = axis.x(spread["low"]), axis.x(spread["high"])
    look = f'stroke="{colour}" stroke-width="{3 if own else 1.5}"'
    yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" {look}/>'
    yield dot(axis.x(spread["median"]), y, colour, own)


def dot(x: float, y: float, colour: str, own: bool) -> str:
    """plugrad's are full, the others' hollow."""
    look = f'fill="{colour if own else "#ffffff"}" stroke="{colour}" stroke-width="1.5"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{6 if own else 4}" {look}/>'


if __name__ == "__main__":
    main()
