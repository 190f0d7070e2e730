"""Sorting, and places among what is sorted."""

from __future__ import annotations

from typing import Any


class Sorting:
    """Kernels that order."""

    cp: Any
    default: Any

    def sort(
        self, x: Any, dim: int = -1, descending: bool = False, stable: bool = False
    ) -> tuple[Any, Any]:
        """Sorted values, and where they were; equal elements stay in order."""
        if x.dtype.kind == "c":
            raise RuntimeError("sort does not support complex dtypes")
        if x.dtype.kind == "V":  # bfloat16, which CuPy does not sort
            y, order = self.sort(x.astype("f"), dim, descending)
            return y.astype(x.dtype), order
        if not x.ndim or not x.size:
            return self.default("sort", x, dim, descending, stable)
        cp = self.cp
        if descending:
            order = cp.flip(cp.argsort(cp.flip(x, dim), dim), dim)
            order = x.shape[dim] - 1 - order
        else:
            order = cp.argsort(x, dim)
        return cp.take_along_axis(x, order, dim), order

    sort_both = sort

    def topk(
        self, x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
    ) -> tuple[Any, Any]:
        """The k largest or smallest."""
        if not x.ndim or x.dtype.kind == "c" or not 0 <= k <= x.shape[dim]:
            return self.default("topk", x, k, dim, largest, sorted)
        values, order = self.sort(x, dim, largest)
        part = (slice(None),) * (dim % x.ndim) + (slice(k),)
        return values[part].copy(), order[part].copy()
