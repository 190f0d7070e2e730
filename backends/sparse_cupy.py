"""Sparse tensors on CuPy's arrays: the `sparse` backend, with cupyx's matrices."""

from __future__ import annotations

from plugrad import get_backend, hookimpl
from plugrad.backends.cupy import cupy_library
from plugrad.backends.sparse import SparseBackend

__all__ = ["plugrad_backend"]


@hookimpl
def plugrad_backend(name: str) -> SparseBackend | None:
    """The backend, for plugrad's plugin manager."""
    if name != "sparse_cupy":
        return None
    return SparseBackend(name, get_backend("cupy"), cupy_library())
