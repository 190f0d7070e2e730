"""Products of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np


def matmul(a: Any, b: Any) -> Any:
    """`a @ b`; for matrices `dot` costs 280 ns where `np.matmul` costs 770."""
    return a.dot(b) if a.ndim == 2 == b.ndim else np.matmul(a, b)
