"""Chains in tinygrad. It is lazy, so each pass ends by realizing the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tinygrad import Tensor

from . import TERM, Case
from .chains import build


def chain(case: Case) -> Callable[[], Any] | None:
    if case.parameter or case.buffer:
        return None
    c, d = Tensor(case.operand).realize(), Tensor(TERM).realize()
    forward = build(case, c, d, Tensor.tanh, axis_word="keepdim")
    x = Tensor(case.start).realize()
    ones = Tensor.ones(*forward(x).shape).contiguous().realize()

    def both_passes() -> Any:
        x.grad = None
        forward(x).backward(ones)
        assert x.grad is not None
        return x.grad.realize()

    return both_passes


def numbers(gradient: Any) -> np.ndarray:
    return gradient.numpy()
