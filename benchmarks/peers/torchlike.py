"""The chains in torch's API. torch and plugrad run this very code; `t` is either."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from . import TERM, Case
from .chains import Forward, build


def chain(t: ModuleType, case: Case) -> Callable[[], Any]:
    x = t.tensor(case.start.tolist(), requires_grad=True)
    c = t.tensor(case.operand.tolist())
    if case.parameter:
        c = importlib.import_module(f"{t.__name__}.nn").Parameter(c)
    forward = (_with_a_buffer if case.buffer else _forward)(t, case, c)
    ones = t.ones(*forward(x).shape)

    def both_passes() -> Any:
        x.grad = c.grad = None
        forward(x).backward(ones)
        return c.grad if case.parameter else x.grad

    return both_passes


def numbers(gradient: Any) -> np.ndarray:
    return np.asarray(gradient.tolist(), np.float32)


def _forward(t: ModuleType, case: Case, c: Any) -> Forward:
    return build(case, c, t.tensor(TERM.tolist()), t.tanh, axis_word="keepdim")


def _with_a_buffer(t: ModuleType, case: Case, c: Any) -> Forward:
    half = _forward(t, case.half(), c)
    running = t.ones(4)

    def forward(x: Any) -> Any:
        y = half(x)
        with t.no_grad():
            running.mul_(0.9).add_(0.1)
        return half(y)

    return forward
