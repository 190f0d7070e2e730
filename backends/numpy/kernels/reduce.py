"""Reductions over dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np


def sum(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The reduction itself, without the 700 ns of `np.sum` around it."""
    return np.add.reduce(x, dim, None, None, keepdim)
