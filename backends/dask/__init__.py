"""Dask: arrays in chunks, computed when their values are asked for."""

from __future__ import annotations

from .backend import DaskBackend, plugrad_backend

__all__ = ["DaskBackend", "plugrad_backend"]
