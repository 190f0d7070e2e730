"""A backend of plugrad for an array library of its own."""

from .backend import ArrayBackend, plugrad_backend

__all__ = ["ArrayBackend", "plugrad_backend"]
