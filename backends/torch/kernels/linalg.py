"""Products of matrices, and equations."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from .default import default

linear = functional.linear


def matmul(a: Any, b: Any) -> Any:
    """The matrix product."""
    if a.dtype != b.dtype:
        return default("matmul", a, b)
    return torch.matmul(a, b)


def solve(a: Any, b: Any) -> Any:
    """x with a @ x = b, by PyTorch's rule of what is a vector."""
    return default("solve", a, b)
