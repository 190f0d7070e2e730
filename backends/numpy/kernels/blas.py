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
NAMED = ("scipy_openblas_get_corename64_", "openblas_get_corename64_")
NAMED += ("scipy_openblas_get_corename", "openblas_get_corename")
BEFORE_AVX512 = ("Haswell", "Zen", "Sandybridge", "Nehalem", "Prescott", "Core2")
NUMBERS = {"f": (ctypes.c_float, "s"), "d": (ctypes.c_double, "d")}
WORTH = 1 << 15  # elements; below, the call costs more than the pass it saves


def axpy(y: Any, x: Any, alpha: float) -> bool:
    """Do y += alpha * x for two arrays of one shape, and say whether it was done.

    It is not for arrays with gaps, unaligned ones, or ones that overlap; nor for an
    alpha that is zero in their dtype, with which BLAS does not look at x, where a NaN
    might be.
    """
    call = functions().get(y.dtype.char)
    if call is None or x.dtype is not y.dtype or x.shape != y.shape:
        return False
    if not call.argtypes[1](alpha).value:
        return False
    if not (y.flags.carray and x.flags.c_contiguous and x.flags.aligned):
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
    library = loaded()
    if library is None:
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


@cache
def loaded() -> Any:
    """The library of NumPy's that its BLAS is linked to; None if there is none."""
    path = getattr(sys.modules.get(MODULE), "__file__", None)
    try:
        return ctypes.CDLL(path) if path else None  # its BLAS is searched with it
    except OSError:
        return None


def notes() -> list[str]:
    """Which BLAS it is and, where it takes the processor for an older one, how to tell
    it."""
    for name in NAMED:
        call = getattr(loaded(), name, None)
        if call is not None:
            call.restype = ctypes.c_char_p
            core = call().decode()
            break
    else:
        return []
    found = [f"OpenBLAS, for {core}"]
    if core in BEFORE_AVX512 and "avx512bw" in processor_flags():
        found.append(
            "This processor has AVX-512, which OpenBLAS does not use; products of "
            "matrices may take half the time with OPENBLAS_CORETYPE=SkylakeX in the "
            "environment"
        )
    return found


def processor_flags() -> list[str]:
    """What the processor can do, where the system says so in a file."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return []
    return line.split()
