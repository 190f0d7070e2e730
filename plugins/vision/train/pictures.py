"""What a training draws: its curves, and the pictures that were misread.

Both are drawn without a plotting library, by `canvas.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10
from pathlib import Path
from typing import Any

from plugrad import Tensor

from .canvas import BLUE, GREY, INK, ORANGE, PALE, Canvas, Colour, Point, text_width
from .confusion import short

# --- Curves -------------------------------------------------------------------------

MOST_POINTS = 120  # of a line; more steps than that are averaged


@dataclass
class Axis:
    """Numbers along a side of a panel: where they lie, and which are written."""

    low: float
    high: float
    ticks: list[float]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Where a number lies: 0 at the low end, 1 at the high one."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = log10(low), log10(high), log10(max(value, self.low))
        return (value - low) / (high - low)


def round_step(span: float, count: int) -> float:
    """1, 2 or 5 times a power of ten, so that about `count` of it make up the span."""
    rough = span / count
    power = 10.0 ** floor(log10(rough))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= rough * 0.999)


def linear(low: float, high: float, count: int) -> Axis:
    """An axis with ticks at round numbers."""
    step = round_step(high - low, count)
    first = floor(low / step + 0.999)
    ticks = [step * i for i in range(first, floor(high / step + 0.001) + 1)]
    return Axis(low, high, ticks)


def logarithmic(low: float, high: float) -> Axis:
    """An axis on which each ten times takes the same room."""
    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    digits = (1, 2, 5) if high / low < 300 else (1,)
    ticks = [n * 10.0**p for p in powers for n in digits]
    return Axis(low, high, [t for t in ticks if low <= t <= high], True)


@dataclass
class Panel:
    """A rectangle of a canvas with two axes."""

    canvas: Canvas
    left: int
    top: int
    width: int
    height: int
    x: Axis
    y: Axis

    def place(self, x: float, y: float) -> Point:
        """The pixel of a point."""
        return (
            self.left + self.x.share(x) * self.width,
            self.top + (1 - self.y.share(y)) * self.height,
        )

    def frame(self, title: str, below: str, unit: str = "") -> None:
        """Title, axes, and the lines that numbers stand beside."""
        canvas, bottom = self.canvas, self.top + self.height
        canvas.text(self.left, self.top - 30, title)
        for tick in self.y.ticks:
            _, y = self.place(self.x.low, tick)
            canvas.rectangle(self.left, y, self.width, 1, PALE)
            text = f"{tick:g}{unit}"
            canvas.text(self.left - 10, y - 7, text, GREY, place=1)
        for tick in self.x.ticks:
            x, _ = self.place(tick, self.y.low)
            canvas.rectangle(x, bottom, 1, 5, GREY)
            canvas.text(x + 1, bottom + 11, f"{tick:g}", GREY, place=0.5)
        canvas.rectangle(self.left, self.top, 1, self.height, GREY)
        canvas.rectangle(self.left, bottom, self.width + 1, 1, GREY)
        canvas.text(self.left + self.width, bottom + 32, below, GREY, place=1)

    def curve(self, points: Sequence[Point], colour: Colour, dots: bool) -> None:
        """A line, and where asked a dot at each of its points."""
        places = [self.place(*point) for point in points]
        self.canvas.line(places, colour, 2)
        for x, y in places if dots else ():
            self.canvas.dot(x, y, 4, colour)

    def legend(self, names: dict[str, Colour], top: bool) -> None:
        """Which colour is what, at the right, where the curves are not."""
        width = max(text_width(name, 2) for name in names) + 22
        x = self.left + self.width - width - 10
        y = self.top + 12 if top else self.top + self.height - 22 * len(names) - 8
        for name, colour in names.items():
            self.canvas.dot(x + 6, y + 7, 5, colour)
            self.canvas.text(x + 22, y, name, colour)
            y += 22


def averaged(values: Sequence[float], per_epoch: float) -> list[Point]:
    """Means of neighbouring steps, over the epochs, few enough for a line."""
    size = -(-len(values) // MOST_POINTS)
    groups = [values[i : i + size] for i in range(0, len(values), size)]
    return [
        ((i * size + (len(each) + 1) / 2) / per_epoch, sum(each) / len(each))
        for i, each in enumerate(groups)
    ]


def draw_curves(history: dict[str, Any], title: str, path: Path) -> None:
    """Write loss and accuracy over the epochs as a PNG file."""
    steps, epochs = history["steps"], history["epochs"]
    names = {"training": BLUE, "test": ORANGE}
    canvas = Canvas(1080, 440)
    canvas.text(24, 16, title)
    last = len(epochs)
    x = linear(0, last, 6)
    x.ticks = [tick for tick in x.ticks if tick == int(tick)]

    line = averaged(steps, len(steps) / last)
    test = [(i, each["test_loss"]) for i, each in enumerate(epochs, 1)]
    values = [max(y, 1e-6) for _, y in line + test]
    y = logarithmic(min(values) / 1.3, max(values) * 1.3)
    panel = Panel(canvas, 100, 88, 410, 280, x, y)
    panel.frame("loss", "epoch")
    panel.curve(line, BLUE, False)
    panel.curve(test, ORANGE, True)
    panel.legend(names, top=True)

    both = {
        colour: [(i, each[key] * 100) for i, each in enumerate(epochs, 1)]
        for key, colour in (("accuracy", BLUE), ("test_accuracy", ORANGE))
    }
    least = min(y for points in both.values() for _, y in points)
    low = max(min(least - (100 - least) / 10, 99), 0)
    panel = Panel(canvas, 640, 88, 410, 280, x, linear(low, 100, 5))
    panel.frame("accuracy", "epoch", "%")
    for colour, points in both.items():
        panel.curve(points, colour, True)
    panel.legend(names, top=False)
    canvas.save(path)


# --- Misread pictures ---------------------------------------------------------------

SIDE = 112  # pixels that a picture is enlarged to, about
COLUMNS, MOST = 8, 24
LINE = 20  # pixels from one line of text to the next


def draw_misread(
    pictures: Sequence[Tensor],
    truths: Sequence[str],
    reads: Sequence[str],
    shares: Sequence[float],
    title: str,
    path: Path,
) -> None:
    """Write pictures, enlarged, with what each is and what it was read as, as a PNG
    file. Pictures are numbers from 0 to 1; grey ones are drawn as ink on paper."""
    labels = [label(*each) for each in zip(truths, reads, shares)]
    scale = max(SIDE // max(pictures[0].shape[1:]), 1)
    _, height, width = (scale * size for size in pictures[0].shape)
    words = max(text_width(line, 2) for lines in labels for line in lines)
    wide, high = max(width, words) + 24, height + LINE * len(labels[0]) + 34
    columns = min(COLUMNS, len(pictures), 1080 // wide or 1)
    rows = -(-len(pictures) // columns)
    across = max(columns * wide, text_width(title, 2) + 24)
    canvas = Canvas(across + 24, rows * high + 60)
    canvas.text(24, 20, title)
    for i, picture in enumerate(pictures):
        x = 12 + i % columns * wide + wide // 2
        y = 60 + i // columns * high
        left = x - width // 2
        canvas.rectangle(left - 1, y - 1, width + 2, height + 2, PALE)
        shown = 1 - picture if len(picture) == 1 else picture
        canvas.picture(left, y, shown, scale)
        y += height + 10
        *names, share = labels[i]
        for name in names:
            canvas.text(x, y, name, INK, place=0.5)
            y += LINE
        canvas.text(x, y, share, GREY, place=0.5)
    canvas.save(path)


def label(truth: str, read: str, share: float) -> list[str]:
    """The lines below a picture: short names on one, long ones on two."""
    truth, read = short(truth), short(read)
    percent = f"{share:.0%}"
    if len(truth) + len(read) <= 6:
        return [f"{truth}→{read}", percent]
    return [f"{truth}→", read, percent]
