"""Kernels that CuPy does better than the default bodies: the name is the op's.

They are methods, since the modules `cupy` and `cupyx` are given: `self.cp` and
`self.cupyx`. A ufunc stands for an op wherever it does just what the op does; most
other ops have no kernel here, since their default bodies run as they are.
"""

from __future__ import annotations

from typing import Any

from .fused import Fused
from .indexing import Indexing
from .pointwise import UFUNCS, Pointwise
from .random import Random
from .rows import Rows
from .sorting import Sorting
from .views import Views


class Kernels(Pointwise, Rows, Indexing, Sorting, Views, Random):
    """All kernels of one backend."""

    def __init__(self, k: Any, cp: Any, cupyx: Any) -> None:
        self.k = k
        self.cp = cp
        self.cupyx = cupyx
        self.fused = Fused(cp)

    def __getattr__(self, name: str) -> Any:
        found = self.ufunc(name)
        if found is None:
            raise AttributeError(f"CuPy has no kernel of its own for {name!r}")
        return found

    def ufunc(self, name: str) -> Any:
        """CuPy's ufunc that is the op of that name, or None."""
        found = UFUNCS.get(name)
        return None if found is None else getattr(self.cp, found)

    def default(self, name: str, *args: Any) -> Any:
        """What the op's own body makes of the arguments."""
        return self.k.ops[name].body(self.k, *args)
