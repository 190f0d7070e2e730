"""Optimizers, as a plugin: they will use plugrad's public names alone.

None is here yet. A step by hand is `with plugrad.no_grad(): p.sub_(p.grad, alpha=lr)`.
"""

from __future__ import annotations

__all__: list[str] = []
