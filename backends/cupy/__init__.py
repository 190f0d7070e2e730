"""CuPy: arrays on NVIDIA's GPUs.

Importing this needs no GPU and loads no CuPy. The backend itself does: where it cannot
run, asking for it says why.
"""

from __future__ import annotations

from plugrad import hookimpl

from .backend import CupyBackend
from .library import cupy_library, why_not

__all__ = ["CupyBackend", "cupy_library", "plugrad_backend", "why_not"]


@hookimpl
def plugrad_backend(name: str) -> CupyBackend | None:
    """The backend, for plugrad's plugin manager."""
    if name != "cupy":
        return None
    cp = cupy_library()
    import cupyx
    from array_api_compat import cupy as namespace

    return CupyBackend(cp, cupyx, namespace)
