"""The bar that shows how far an epoch is: on a terminal, and nowhere else."""

from __future__ import annotations

import shutil
import sys
import time

WIDTH = 30
PAUSE = 0.1  # seconds between two drawings


class Bar:
    """A line on standard error that is written again and again, then wiped out."""

    def __init__(self, head: str, steps: int, batch_size: int) -> None:
        self.head, self.steps, self.batch_size = head, steps, batch_size
        self.shown = sys.stderr.isatty()
        self.begin = self.last = time.monotonic()

    def show(self, step: int, loss: float) -> None:
        """Draw the line after so many steps, unless it was just drawn."""
        now = time.monotonic()
        if not self.shown or (now - self.last < PAUSE and step < self.steps):
            return
        self.last = now
        rate = step / max(now - self.begin, 1e-9)
        bar = "#" * (WIDTH * step // self.steps)
        left = (self.steps - step) / rate
        text = (
            f"{self.head} [{bar:.<{WIDTH}}] {step / self.steps:4.0%}  loss {loss:.4f}  "
            f"{rate * self.batch_size:,.0f} pictures/s  {left:.0f} s left"
        )
        columns = shutil.get_terminal_size().columns
        print(f"\r\033[K{text[: columns - 1]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave an empty line."""
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
