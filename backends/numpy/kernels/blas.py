"""What NumPy's own BLAS does better than a ufunc, called by its address.

`y += alpha * x` takes NumPy a product and a sum, with a temporary between them. BLAS
does it in one pass, on all its threads: an update of 784 x 400 weights takes 20 µs
instead of 50. NumPy has no function for it, but the library that it multiplies matrices
with is loaded, and its functions have standard names.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

import numpy as np

MODULE = "numpy._core._multiarray_umath"  # the part of NumPy that is linked with BLAS
# As NumPy's wheels, 64-bit builds of OpenBLAS, and all others call it. 64-bit integers
# serve libraries of 32 bits as well: they are passed in registers.
NAMES = ("scipy_cblas_{}axpy64_", "cblas_{}axpy64_", "cblas_{}axpy")
NUMBERS = {"f": (ctypes.c_float, "s"), "d": (ctypes.c_double, "d")}
WORTH = 1 << 15  # elements; below, the call costs more than the pass it saves


def axpy(y: Any, x: Any, alpha: float) -> bool:
    """Do y += alpha * x for two arrays of one shape, and say whether it was done.

    It is not for arrays with gaps, or that overlap, nor for an alpha of zero, with
    which BLAS does not look at x, where a NaN might be.
    """
    call = functions().get(y.dtype.char)
    if call is None or not alpha or x.dtype is not y.dtype or x.shape != y.shape:
        return False
    if not (x.flags.c_contiguous and y.flags.c_contiguous and y.flags.writeable):
        return False
    if x is not y and np.may_share_memory(x, y):
        return False
    from_, to = x.__array_interface__["data"][0], y.__array_interface__["data"][0]
    call(y.size, alpha, from_, 1, to, 1)
    return True


@cache
def functions() -> dict[str, Any]:
    """BLAS's functions for y += alpha * x, by the character of the dtype."""
    found: dict[str, Any] = {}
    path = getattr(sys.modules.get(MODULE), "__file__", None)
    if path is None:
        return found
    try:
        library = ctypes.CDLL(path)  # loaded already; its BLAS is searched with it
    except OSError:
        return found
    for char, (number, letter) in NUMBERS.items():
        for name in NAMES:
            call = getattr(library, name.format(letter), None)
            if call is not None:
                integer, address = ctypes.c_int64, ctypes.c_void_p
                call.argtypes = [integer, number, address, integer, address, integer]
                call.restype = None
                found[char] = call
                break
    return found
