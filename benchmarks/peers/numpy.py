"""Chains in plain NumPy, both passes by hand: what is left when nothing is recorded.

Each backward pass does what the chain's gradient needs and no more; a sum of one
number and a view of a whole need nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from . import TERM, Case
from .chains import Forward, build

Backward = Callable[[], np.ndarray]


def chain(case: Case) -> Callable[[], np.ndarray]:
    x, c, n = case.start, case.operand, case.length
    if case.op == "tanh":
        return _tanh(x, n)
    if case.op == "mul" and case.parameter:
        return _mul_by_a_parameter(x, c, n)
    forward = build(case.half() if case.buffer else case, c, TERM, np.tanh)
    if case.buffer:
        forward = _with_a_buffer(forward)
    backward = _backward(case, x, c, n)

    def both_passes() -> np.ndarray:
        forward(x)
        return backward()

    return both_passes


def numbers(gradient: np.ndarray) -> np.ndarray:
    return gradient


def _with_a_buffer(half: Forward) -> Forward:
    running = np.ones(4, np.float32)

    def forward(x: np.ndarray) -> np.ndarray:
        y = half(x)
        np.multiply(running, 0.9, out=running)
        np.add(running, 0.1, out=running)
        return half(y)

    return forward


def _backward(case: Case, x: np.ndarray, c: np.ndarray, n: int) -> Backward:
    """The backward pass of a chain whose gradient needs nothing of the forward pass."""
    if case.op == "add" and case.parameter:
        return _add_up(x, n)
    if case.op == "index":
        return _index(x, n)
    if case.op in ("mul", "scalar mul", "matmul"):
        again = build(replace(case, buffer=False), c.T, TERM, np.tanh)
        return lambda: again(np.ones_like(x))
    if case.op == "mul and add":
        only_mul = build(replace(case, op="mul", length=n // 2), c, TERM, np.tanh)
        return lambda: only_mul(np.ones_like(x))
    return lambda: np.ones_like(x)


def _add_up(x: np.ndarray, n: int) -> Backward:
    def backward() -> np.ndarray:
        g, into_parameter = np.ones_like(x), np.zeros_like(x)
        for _ in range(n):
            into_parameter += g
        return into_parameter

    return backward


def _index(x: np.ndarray, n: int) -> Backward:
    def backward() -> np.ndarray:
        g = np.ones_like(x)
        for _ in range(n):
            whole = np.zeros_like(x)
            whole[0:4] = g
            g = whole
        return g

    return backward


def _tanh(x: np.ndarray, n: int) -> Callable[[], np.ndarray]:
    def both_passes() -> np.ndarray:
        y, outputs = x, []
        for _ in range(n):
            y = np.tanh(y)
            outputs.append(y)
        g = np.ones_like(x)
        for y in reversed(outputs):
            g = g * (1 - y * y)
        return g

    return both_passes


def _mul_by_a_parameter(
    x: np.ndarray, c: np.ndarray, n: int
) -> Callable[[], np.ndarray]:
    def both_passes() -> np.ndarray:
        y, inputs = x, []
        for _ in range(n):
            inputs.append(y)
            y = y * c
        g, into_parameter = np.ones_like(x), np.zeros_like(c)
        for y in reversed(inputs):
            into_parameter += g * y
            g = g * c
        return into_parameter

    return both_passes
