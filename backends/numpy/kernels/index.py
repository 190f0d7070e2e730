"""Shapes, views, gathering and scattering."""

from __future__ import annotations

from typing import Any

import numpy as np


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """A view with steps of 0; small ones are filled instead, which is faster."""
    count = 1
    for n in shape:
        count *= n
    if count <= 256:
        y = np.empty(shape, x.dtype)
        y[...] = x
        return y
    return np.broadcast_to(x, shape)


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """A view where that is possible, else a copy."""
    return x.reshape(shape)
