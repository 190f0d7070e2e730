"""Chains in HIPS/autograd. It has no Parameters and writes nothing in place."""

from __future__ import annotations

from collections.abc import Callable

import autograd
import autograd.numpy as anp
import numpy as np

from . import TERM, Case
from .chains import build


def chain(case: Case) -> Callable[[], np.ndarray] | None:
    if case.parameter or case.buffer:
        return None
    vjp_of = autograd.make_vjp(build(case, case.operand, TERM, anp.tanh))

    def both_passes() -> np.ndarray:
        vjp, y = vjp_of(case.start)
        return vjp(np.ones_like(y))

    return both_passes


def numbers(gradient: np.ndarray) -> np.ndarray:
    return gradient
