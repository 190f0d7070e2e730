"""How many threads compute: one number for every pool of threads in the process.

Array libraries, kernels and optimizers start threads of their own. Each registers a
function that sets their number, and `set_num_threads` calls them all.
"""

from __future__ import annotations

import os
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Setter = TypeVar("Setter", bound=Callable[[int], object])

__all__ = ["get_num_threads", "register_threads", "set_num_threads"]

chosen: list[int] = []  # the number, once one was set
setters: list[Callable[[int], object]] = []
changing = RLock()


def set_num_threads(number: int) -> None:
    """Let everything that computes on several threads use so many, for this process:
    array libraries, kernels of plugins, and the optimizers' own.

    What is loaded later uses as many. Threads of a DataLoader are not for computing and
    are not meant.

    >>> import plugrad
    >>> before = plugrad.get_num_threads()
    >>> plugrad.set_num_threads(1)
    >>> plugrad.get_num_threads()
    1
    >>> plugrad.set_num_threads(before)
    """
    if type(number) is not int:
        raise TypeError(
            f"set_num_threads expects an int, but got {type(number).__name__}"
        )
    if number < 1:
        raise RuntimeError(f"set_num_threads expects a positive number, not {number}")
    with changing:
        chosen[:] = [number]
        for each in setters:
            each(number)


def get_num_threads() -> int:
    """The number that was set, else that of the environment variable OMP_NUM_THREADS,
    else one for each processor that this process may use.

    >>> import plugrad
    >>> plugrad.get_num_threads() >= 1
    True
    """
    if chosen:
        return chosen[0]
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdecimal() and int(asked):
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def register_threads(setter: Setter) -> Setter:
    """Have a function called with each number of threads that is set from now on, and
    at once if one was set before: for what computes on threads of its own.

    >>> import plugrad
    >>> told = []
    >>> setter = plugrad.register_threads(told.append)
    >>> before = plugrad.get_num_threads()
    >>> plugrad.set_num_threads(2)
    >>> told[-1]
    2
    >>> plugrad.set_num_threads(before)
    """
    with changing:
        setters.append(setter)
        if chosen:
            setter(chosen[0])
    return setter
