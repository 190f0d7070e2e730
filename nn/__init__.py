"""Neural networks: parameters, and the modules made of them."""

from __future__ import annotations

from plugrad import Parameter

__all__ = ["Parameter"]
