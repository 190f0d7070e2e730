"""JAX: arrays that are never written in place, on CPUs, GPUs and TPUs."""

from __future__ import annotations

from .backend import JaxBackend, plugrad_backend

__all__ = ["JaxBackend", "plugrad_backend"]
