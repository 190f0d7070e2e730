"""Sparse tensors: what is not zero, and where it stands.

SciPy multiplies matrices on NumPy arrays, cupyx.scipy on CuPy arrays; all else is done
on the arrays of indices and values themselves.
"""

from __future__ import annotations

from .backend import SparseBackend, plugrad_backend
from .patterns import Pattern, SparseArray
from .products import by_rows

__all__ = [
    "Pattern",
    "SparseArray",
    "SparseBackend",
    "by_rows",
    "plugrad_backend",
]
