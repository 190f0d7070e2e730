"""Steps in plugrad, with nothing but NumPy."""

from __future__ import annotations

from collections.abc import Callable

import plugrad

from . import torchlike


def step(name: str) -> Callable[[], float]:
    return torchlike.step(plugrad, name)
