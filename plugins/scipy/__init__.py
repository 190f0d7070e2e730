"""SciPy's special functions as kernels for NumPy's arrays.

    plugrad.use_kernels("numpy", "scipy")

A default body takes a dozen calls of NumPy for what SciPy does in one, so small arrays
gain most. On large ones a body's calls may use vector instructions that SciPy's loops
do not: where that is faster, the kernel accepts small arrays alone. The limits are
those that `python -m benchmarks kernels` shows; docs/kernels.md has its table.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

import plugrad.nn.functional  # noqa: F401  (declares logsigmoid)
from plugrad import Overrides, hookimpl

kernels = Overrides("scipy", backend="numpy")

FLOAT32, FLOAT64 = np.dtype("float32"), np.dtype("float64")
LOWEST = {each: np.finfo(each).min for each in (FLOAT32, FLOAT64)}


def lgamma(x: Any) -> Any:
    """log(|gamma(x)|); SciPy's is -inf at -inf, where PyTorch and C have inf."""
    return special.gammaln(np.maximum(x, LOWEST[x.dtype]))


# op -> SciPy's function, and up to how many elements of float32 and float64 it wins
ANY = 1 << 62
FUNCTIONS = {
    "digamma": (special.digamma, 4000, ANY),
    "entr": (special.entr, 1000, 1000),
    "erf": (special.erf, 1000, ANY),
    "erfc": (special.erfc, ANY, ANY),
    "erfcx": (special.erfcx, 1000, 1000),
    "erfinv": (special.erfinv, ANY, ANY),
    "i0": (special.i0, 4000, ANY),
    "i0e": (special.i0e, 4000, ANY),
    "i1": (special.i1, 4000, ANY),
    "i1e": (special.i1e, 4000, ANY),
    "lgamma": (lgamma, 4000, ANY),
    "log_ndtr": (special.log_ndtr, ANY, ANY),
    "logsigmoid": (special.log_expit, 200, 200),
    "ndtr": (special.ndtr, ANY, ANY),
    "ndtri": (special.ndtri, ANY, ANY),
    "sigmoid": (special.expit, 200, 200),
    "xlog1py": (special.xlog1py, 500, 500),
    "xlogy": (special.xlogy, 1000, 1000),
}


def give(op: str, function: Any, few: int, many: int) -> None:
    """Add the kernel of an op for arrays of the two dtypes that SciPy computes in."""

    def small(x: Any, *_: Any) -> bool:
        dtype = x.dtype
        return x.size <= (few if dtype is FLOAT32 else many if dtype is FLOAT64 else -1)

    def whole(x: Any, *_: Any) -> bool:
        return x.dtype is FLOAT64 or x.dtype is FLOAT32

    kernels.add(op, accepts=whole if few == many == ANY else small)(function)


for name, (function, few, many) in FUNCTIONS.items():
    give(name, function, few, many)


@hookimpl
def plugrad_kernels(name: str) -> Overrides | None:
    """The kernels, for plugrad's plugin manager."""
    return kernels if name == "scipy" else None
