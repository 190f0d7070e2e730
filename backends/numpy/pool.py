"""The threads of NumPy's BLAS: how many, and when they rest.

BLAS's threads wait for the next call by spinning, for 25 ms, and so do those of kernels
that a plugin brings. Where calls of both follow one another, the waiting ones take the
processors of those that work: a training step of 1.6 ms took 5.9 on two processors. So
while kernels with threads of their own are in use, BLAS computes on one.
"""

from __future__ import annotations

import ctypes
from _thread import RLock
from typing import Any

from plugrad import get_num_threads

from .kernels.blas import loaded

# Of NumPy's wheels, other builds of OpenBLAS, MKL and BLIS.
NAMES = (
    "scipy_openblas_set_num_threads64_",
    "openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads",
    "MKL_Set_Num_Threads",
    "bli_thread_set_num_threads",
)


class Pool:
    """The threads of a BLAS that can be told how many it has."""

    def __init__(self) -> None:
        self.resting = False
        self.number = 0  # when it does not rest
        self.changing = RLock()

    def set_number(self, number: int) -> None:
        """Use so many threads; while it rests, from then on when it no longer does."""
        with self.changing:
            self.number = number
            if not self.resting:
                tell(number)

    def rest(self, resting: bool) -> None:
        """Use one thread, or as many as before."""
        with self.changing:
            if resting and not self.resting:
                self.number = asked() or get_num_threads()
                tell(1)
            elif self.resting and not resting:
                tell(self.number)
            self.resting = resting


def function(part: str) -> Any:
    """The library's function that sets the number of threads, or gets it."""
    for name in NAMES:
        name = name.replace("MKL_Set_", "MKL_Get_Max_" if part == "get" else "MKL_Set_")
        call = getattr(loaded(), name.replace("_set_", f"_{part}_"), None)
        if call is not None:
            return call
    return None


def tell(number: int) -> None:
    """Let the library use so many threads, if it is one that can be told."""
    call = function("set")
    if call is not None:
        call(ctypes.c_int(number))


def asked() -> int:
    """How many threads the library uses; 0 if it does not say."""
    call = function("get")
    return 0 if call is None else call()


pool = Pool()
