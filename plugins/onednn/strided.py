"""Arrays as they lie in memory, described to the library by their steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from .programs import library, row_major

Array = Any
Sizes = tuple[int, ...]
Seen = tuple[Sizes, Sizes]  # the sizes of an array, and its steps in elements


def seen(array: Array) -> Seen:
    """What the library has to know of an array."""
    return array.shape, tuple([step // 4 for step in array.strides])


def matrices(array: Array) -> Array:
    """The same matrices, with rows or columns whose numbers lie side by side."""
    steps = array.strides
    if 4 in steps[-2:] and all(step >= 4 and not step % 4 for step in steps):
        return array
    return np.ascontiguousarray(array)


def layout(seen: Seen) -> Any:
    """The library's description of an array."""
    return library().layout(*seen)


def compact(sizes: Sizes) -> Seen:
    """A contiguous array."""
    return sizes, tuple(row_major(sizes))


def turned(seen: Seen) -> Seen:
    """The transposes of matrices."""
    sizes, steps = ((*each[:-2], each[-1], each[-2]) for each in seen)
    return sizes, steps
