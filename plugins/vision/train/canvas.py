"""A picture to draw on: lines, dots, letters and other pictures.

It is a tensor of colours from 0 to 1, (3, height, width), and all drawing is done by
plugrad's own functions; the letters are 5 x 7 dots, in `font.txt`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from math import ceil, floor
from pathlib import Path

import plugrad
from plugrad import Tensor

from ..utils import save_image

Colour = tuple[float, float, float]
Point = tuple[float, float]

INK: Colour = (0.13, 0.13, 0.15)
GREY: Colour = (0.45, 0.45, 0.48)
PALE: Colour = (0.88, 0.88, 0.90)
BLUE: Colour = (0.16, 0.42, 0.75)
ORANGE: Colour = (0.87, 0.42, 0.07)

ADVANCE = 6  # dots from one letter to the next
ROWS = 9  # two of them below the line
UNKNOWN = "##### #...# #...# #...# #...# #...# #####".split()


@cache
def letters() -> dict[str, list[str]]:
    """The rows of each letter."""
    text = Path(__file__).with_name("font.txt").read_text(encoding="utf-8")
    return {line[0]: line[2:].split() for line in text.splitlines()}


@cache
def glyph(letter: str) -> Tensor:
    """A letter as ones and zeros, (9, 5)."""
    rows = letters().get(letter, UNKNOWN)
    rows = rows + ["....."] * (ROWS - len(rows))
    return plugrad.tensor([[float(dot == "#") for dot in row] for row in rows])


def text_width(text: str, scale: int) -> int:
    """The pixels from the left of a text to its right."""
    return max(len(text) * ADVANCE - 1, 0) * scale


class Canvas:
    """A white sheet of so many pixels; x goes to the right, y down."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.pixels = plugrad.ones(3, height, width)

    def save(self, path: Path) -> None:
        """Write a PNG file, whole or not at all."""
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            save_image(self.pixels, part, format="png")
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)

    def blend(self, x: int, y: int, shares: Tensor, colour: Colour) -> None:
        """Put colour on a rectangle: for each pixel, the share of it that is covered.
        What lies outside of the sheet is left out."""
        left, top = max(-x, 0), max(-y, 0)
        shares = shares[top : self.height - y, left : self.width - x]
        height, width = shares.shape
        if height and width:
            x, y = x + left, y + top
            old = self.pixels[:, y : y + height, x : x + width]
            old += (plugrad.tensor(colour).view(3, 1, 1) - old) * shares

    def rectangle(
        self, x: float, y: float, width: float, height: float, colour: Colour
    ) -> None:
        """A filled rectangle, on whole pixels."""
        self.blend(
            round(x), round(y), plugrad.ones(round(height), round(width)), colour
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        colour: Colour = INK,
        scale: int = 2,
        place: float = 0.0,
    ) -> None:
        """A line of text with its top at y. Its left is at x; with `place` 0.5 its
        middle, with 1 its right."""
        left = round(x - place * text_width(text, scale))
        for i, letter in enumerate(text):
            if letter != " ":
                dots = glyph(letter).repeat_interleave(scale, 0)
                dots = dots.repeat_interleave(scale, 1)
                self.blend(left + i * ADVANCE * scale, round(y), dots, colour)

    def line(self, points: Sequence[Point], colour: Colour, width: float = 2) -> None:
        """A line through points, with smooth edges."""
        cover = plugrad.zeros(self.height, self.width)
        for start, end in zip(points, points[1:]):
            self.cover(cover, start, end, width / 2)
        self.blend(0, 0, cover, colour)

    def dot(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """A filled circle with a smooth edge."""
        cover = plugrad.zeros(self.height, self.width)
        self.cover(cover, (x, y), (x, y), radius)
        self.blend(0, 0, cover, colour)

    def cover(self, cover: Tensor, start: Point, end: Point, radius: float) -> None:
        """Note which share of each pixel lies within a radius of a straight line."""
        (x0, y0), (x1, y1) = start, end
        margin = radius + 1
        left, right = floor(min(x0, x1) - margin), ceil(max(x0, x1) + margin)
        top, bottom = floor(min(y0, y1) - margin), ceil(max(y0, y1) + margin)
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, self.width), min(bottom, self.height)
        if left >= right or top >= bottom:
            return
        x = plugrad.arange(left, right) + 0.5 - x0
        y = (plugrad.arange(top, bottom) + 0.5 - y0).unsqueeze(1)
        dx, dy = x1 - x0, y1 - y0
        along = (x * dx + y * dy) / max(dx * dx + dy * dy, 1e-9)
        along = along.clamp(0, 1)
        distance = ((x - along * dx) ** 2 + (y - along * dy) ** 2).sqrt()
        window = cover[top:bottom, left:right]
        window.copy_(plugrad.maximum(window, (radius + 0.5 - distance).clamp(0, 1)))

    def picture(self, x: int, y: int, picture: Tensor, scale: int) -> None:
        """A picture (1 or 3, height, width), each of its pixels a square."""
        large = picture.clamp(0, 1).repeat_interleave(scale, 1)
        large = large.repeat_interleave(scale, 2)
        _, height, width = large.shape
        self.pixels[:, y : y + height, x : x + width] = large
