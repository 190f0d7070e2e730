"""Any library that follows the array API standard, as a backend."""

from __future__ import annotations

from .backend import ArrayAPIBackend, find, namespace_of, plugrad_backend

__all__ = ["ArrayAPIBackend", "find", "namespace_of", "plugrad_backend"]
