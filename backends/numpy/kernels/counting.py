"""How often elements occur."""

from __future__ import annotations

from typing import Any

import numpy as np


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each integer occurs, or the sums of its weights."""
    if x.dtype.kind not in "iu" or minlength < 0:
        raise RuntimeError(
            f"expected integers and minlength >= 0, not {x.dtype} and {minlength}"
        )
    if x.ndim != 1 or (x.size and x.min() < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    if weights is None or not x.size:
        return np.bincount(x, None, minlength)
    dtype = np.float32 if weights.dtype == np.float32 else np.float64
    return np.bincount(x, weights, minlength).astype(dtype)
