"""PyTorch's own tensors as arrays: an oracle among the backends."""

from __future__ import annotations

from .backend import TorchBackend, plugrad_backend

__all__ = ["TorchBackend", "plugrad_backend"]
