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
NAMES = ("scipy_cblas_{}64_", "cblas_{}64_", "cblas_{}")
NUMBERS = {"f": (ctypes.c_float, "s"), "d": (ctypes.c_double, "d")}
WORTH = 1 << 15  # elements; below, the call costs more than the pass it saves


ALONE = 1 << 17  # elements; up to this many, one thread is as good as all of them


def axpy(y: Any, x: Any, alpha: float) -> bool:
    """Do y += alpha * x for two arrays of one shape, and say whether it was done.

    It is not for arrays with gaps, unaligned ones, or ones that overlap; nor for an
    alpha that is zero in their dtype, with which BLAS does not look at x, where a NaN
    might be.
    """
    calls = functions().get(y.dtype.char)
    if calls is None or not fit(y, x) or not calls[0].argtypes[1](alpha).value:
        return False
    if calls[1] is not None and y.size <= ALONE:
        calls[1](y.size, alpha, address(x), 1, 1.0, address(y), 1)
    else:
        calls[0](y.size, alpha, address(x), 1, address(y), 1)
    return True


def axpby(y: Any, x: Any, alpha: float, beta: float) -> bool:
    """The same for y = alpha * x + beta * y; it uses one thread."""
    call = functions().get(y.dtype.char, (None, None))[1]
    if call is None or not fit(y, x):
        return False
    number = call.argtypes[1]
    if not (number(alpha).value and number(beta).value):
        return False
    call(y.size, alpha, address(x), 1, beta, address(y), 1)
    return True


def fit(y: Any, x: Any) -> bool:
    """Whether BLAS can read x and write y."""
    if x.dtype is not y.dtype or x.shape != y.shape:
        return False
    if not (y.flags.carray and x.flags.c_contiguous and x.flags.aligned):
        return False
    return x is y or not np.may_share_memory(x, y)


def address(x: Any) -> int:
    """Where the elements of a dense array begin."""
    if x.flags.writeable:  # by its buffer 400 ns, by its interface 900
        return ctypes.addressof(ctypes.c_char.from_buffer(x))
    return x.__array_interface__["data"][0]


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
