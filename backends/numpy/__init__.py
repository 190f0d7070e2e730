"""NumPy: the reference backend."""

from __future__ import annotations

from .backend import NumpyBackend, plugrad_backend

__all__ = ["NumpyBackend", "plugrad_backend"]
