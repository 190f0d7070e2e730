"""What NumPy's own BLAS does better than a ufunc, called by its address.

`y += alpha * x` takes NumPy a product and a sum, with a temporary between them, and
`y = alpha * x + beta * y` one product more. BLAS does either in one pass. NumPy has no
function for it, but the library that it multiplies matrices with is loaded, and its
functions have standard names.

OpenBLAS's axpy uses all its threads: an update of 784 x 400 weights takes 20 µs instead
of 50. Where several threads call it, as the steps of optimizers do, or other programs
run, its threads wait for each other: such a step of 10 million parameters took 0.5 s
instead of 8 ms. Its axpby, which is not in BLAS's standard, uses the caller's thread.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

MODULE = "numpy._core._multiarray_umath"  # the part of NumPy that is linked with BLAS
# As NumPy's wheels, 64-bit builds of OpenBLAS, and all others call it. 64-bit integers
# serve libraries of 32 bits as well: they are passed in registers.
NAMES = ("scipy_cblas_{}64_", "cblas_{}64_", "cblas_{}")
NUMBERS = {"f": (ctypes.c_float, "s"), "d": (ctypes.c_double, "d")}
BYTE = ctypes.c_char
SMALLEST = 1e-30  # far from what is zero in float32, which is below 1e-45
WORTH = 1 << 14  # elements; below, the call costs more than the pass it saves
ALONE = 1 << 17  # elements; up to this many, one thread is as good as all


def axpy(y: Any, x: Any, alpha: float) -> bool:
    """Do y += alpha * x for two arrays of one shape, and say whether it was done.

    It is not for arrays with gaps, unaligned ones, or ones that overlap; nor for an
    alpha that may be zero in their dtype, with which BLAS does not look at x, where a
    NaN might be.
    """
    calls, n = functions().get(y.dtype.char), y.size
    if calls is None or -SMALLEST < alpha < SMALLEST:
        return False
    to, start = places(y, x)
    if not to:
        return False
    if calls[1] is not None and n <= ALONE:
        calls[1](n, alpha, start, 1, 1.0, to, 1)
    else:
        calls[0](n, alpha, start, 1, to, 1)
    return True


def axpby(y: Any, x: Any, alpha: float, beta: float) -> bool:
    """The same for y = alpha * x + beta * y; it uses one thread."""
    call = functions().get(y.dtype.char, (None, None))[1]
    small = -SMALLEST < alpha < SMALLEST or -SMALLEST < beta < SMALLEST
    if call is None or small:
        return False
    to, start = places(y, x)
    if not to:
        return False
    call(y.size, alpha, start, 1, beta, to, 1)
    return True


def places(y: Any, x: Any) -> tuple[int, int]:
    """The addresses of y and x, if BLAS can write the one and read the other; else two
    zeros. A buffer gives its address in 300 ns and raises where there are gaps, or what
    is read-only; NumPy's interface takes 900."""
    if x.dtype is not y.dtype or x.shape != y.shape:
        return 0, 0
    try:
        to = ctypes.addressof(BYTE.from_buffer(y))
        start = to if x is y else ctypes.addressof(BYTE.from_buffer(x))
    except (TypeError, ValueError):
        return 0, 0
    if (to | start) % y.itemsize or 0 < abs(to - start) < y.nbytes:
        return 0, 0
    return to, start


@cache
def functions() -> dict[str, Any]:
    """BLAS's functions axpy and axpby by the character of the dtype; the second is
    None in libraries that lack it."""
    found: dict[str, Any] = {}
    for char, (number, letter) in NUMBERS.items():
        integer, place = ctypes.c_int64, ctypes.c_void_p
        x, y = (place, integer), (place, integer)
        axpy = function(letter + "axpy", integer, number, *x, *y)
        if axpy is not None:
            axpby = function(letter + "axpby", integer, number, *x, number, *y)
            found[char] = axpy, axpby
    return found


def function(routine: str, *types: Any) -> Any:
    """A function of BLAS that takes arguments of such types; None if there is none."""
    for name in NAMES:
        call = getattr(loaded(), name.format(routine), None)
        if call is not None:
            call.argtypes, call.restype = types, None
            return call
    return None


@cache
def loaded() -> Any:
    """The library of NumPy's that its BLAS is linked to; None if there is none."""
    path = getattr(sys.modules.get(MODULE), "__file__", None)
    try:
        return ctypes.CDLL(path) if path else None  # its BLAS is searched with it
    except OSError:
        return None
