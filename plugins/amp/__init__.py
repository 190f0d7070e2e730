"""PyTorch's `torch.amp`: `GradScaler`, and an `autocast` that casts nothing.

- Plugrad computes in the dtypes that tensors have. On processors, 16-bit products are
  slower than 32-bit ones; so `autocast` leaves everything as it is, and says so.
- `GradScaler` scales losses, and leaves out steps whose gradients are not finite.
"""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import hookimpl

from . import autocasting, scaling
from .autocasting import *
from .scaling import *

__all__ = []
__all__ += autocasting.__all__
__all__ += scaling.__all__


@hookimpl
def plugrad_namespace(name: str) -> ModuleType:
    """The package itself, for plugrad's plugin manager."""
    return sys.modules[__name__]
