"""The averages of windows, and their gradients."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from plugrad import Overrides

from .library import (
    DIFF_SOURCE,
    DIFF_TARGET,
    FORWARD_TRAINING,
    SOURCE,
    TARGET,
    Unsupported,
)
from .pooling import Windows
from .programs import FLOAT32, Kept, Program, kept, library, plain

Array = Any
Sizes = tuple[int, ...]

WITH_PADDING, WITHOUT = 0x2FF, 0x3FF
SMALL = 1 << 14  # elements of the input


class Average(Windows):
    """The programs for windows over arrays of a shape; `whole` counts the padding."""

    def __init__(self, x: Sizes, window: Any, whole: bool) -> None:
        super().__init__(x, window)
        if whole and self.over:  # what lies beyond the padding is not counted
            raise Unsupported
        self.kind = WITH_PADDING if whole else WITHOUT
        numbers = 4 * prod(x)  # windows take as long as four passes
        self.forward = Kept(self.ahead, numbers)
        self.backward = Kept(self.back, numbers)
        self.forward.prepare()

    def computation(self) -> Any:
        """The averages."""
        given = self.kind, *self.layouts(), *self.steps
        return library().computation("pooling_forward", FORWARD_TRAINING, *given)

    def ahead(self) -> Program:
        """From x to the result y."""
        x, y = self.layouts()
        return Program(
            {"x": x, "Y": y}, [(self.computation(), {SOURCE: "x", TARGET: "Y"})]
        )

    def back(self) -> Program:
        """From the gradient g to the gradient X."""
        x, y = self.layouts()
        given = self.kind, x, y, *self.steps, self.computation()
        what = library().computation("pooling_backward", *given)
        roles = {DIFF_TARGET: "g", DIFF_SOURCE: "X"}
        return Program({"g": y, "X": x}, [(what, roles)])


@kept
def average(x: Sizes, window: Any, whole: bool) -> Average | None:
    """The programs for a call, None if it is not taken."""
    kernel, _, padding, _, count = window
    if min(x) < 1 or len(kernel) > 3 or len(x) <= len(kernel):
        return None
    if max(count) == 1 or any(p >= k for p, k in zip(padding, kernel)):
        return None
    try:
        return Average(x, window, whole)
    except Unsupported:
        return None


def accepts(x: Array, window: Any, divisor: Any = True) -> bool:
    """Whether the library is the faster."""
    if x.dtype is not FLOAT32 or type(divisor) is not bool or x.size < SMALL:
        return False
    return average(x.shape, window, divisor) is not None


def avg_pool(x: Array, window: Any, divisor: bool = True) -> Array:
    """The average of each window."""
    how = average(x.shape, window, divisor)
    y = np.empty(how.result, FLOAT32)
    how.forward.run(plain(x), y)
    return y


def accepts_back(x: Array, sizes: Sizes, window: Any, divisor: Any = True) -> bool:
    """Whether the library is the faster."""
    if x.dtype is not FLOAT32 or type(divisor) is not bool or x.size < 1:
        return False
    shape = (*x.shape[: x.ndim - len(sizes)], *sizes)
    return prod(shape) >= SMALL and average(shape, window, divisor) is not None


def avg_pool_back(x: Array, sizes: Sizes, window: Any, divisor: bool = True) -> Array:
    """Each element spread evenly over its window."""
    shape = (*x.shape[: x.ndim - len(sizes)], *sizes)
    found = np.empty(shape, FLOAT32)
    average(shape, window, divisor).backward.run(plain(x), found)
    return found


def give(kernels: Overrides) -> None:
    """Add the kernels of averages."""
    kernels.add("avg_pool", accepts=accepts)(avg_pool)
    kernels.add("avg_pool_back", accepts=accepts_back)(avg_pool_back)
