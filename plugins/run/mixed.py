"""What PyTorch has at its top of `torch.amp`."""

from __future__ import annotations

import plugrad
from plugrad.amp import GradScaler, autocast

__all__ = ["GradScaler", "autocast", "get_autocast_dtype", "is_autocast_enabled"]


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """False: `autocast` casts nothing."""
    return False


def get_autocast_dtype(device_type: str) -> plugrad.dtype:
    """What PyTorch would cast to."""
    return plugrad.bfloat16 if device_type == "cpu" else plugrad.float16
