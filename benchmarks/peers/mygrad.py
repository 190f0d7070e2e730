"""Chains in MyGrad. A tensor that wants a gradient is its Parameter."""

from __future__ import annotations

from collections.abc import Callable

import mygrad
import numpy as np

from . import TERM, Case
from .chains import build


def chain(case: Case) -> Callable[[], np.ndarray] | None:
    if case.buffer:
        return None
    x = mygrad.tensor(case.start)
    c = mygrad.tensor(case.operand, constant=not case.parameter)
    forward = build(case, c, mygrad.tensor(TERM, constant=True), mygrad.tanh)
    ones = np.ones_like(forward(x).data)

    def both_passes() -> np.ndarray:
        forward(x).backward(ones)
        return c.grad if case.parameter else x.grad

    return both_passes


def numbers(gradient: np.ndarray) -> np.ndarray:
    return gradient
