"""Arithmetic, elementary functions and comparisons, element by element."""

from __future__ import annotations

from typing import Any

import numpy as np

add = np.add
sub = np.subtract
mul = np.multiply
div = np.true_divide
neg = np.negative
exp = np.exp
log = np.log
tanh = np.tanh
sin = np.sin
cos = np.cos
sqrt = np.sqrt


def add_(x: Any, b: Any, alpha: Any = 1) -> Any:
    """x += alpha * b."""
    return np.add(x, b if alpha == 1 else b * alpha, x)


def sub_(x: Any, b: Any, alpha: Any = 1) -> Any:
    """x -= alpha * b."""
    return np.subtract(x, b if alpha == 1 else b * alpha, x)
