"""Data sets of pictures, transforms and small networks, as torchvision names them."""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import hookimpl


@hookimpl
def plugrad_namespace(name: str) -> ModuleType:
    """The package itself, for plugrad's plugin manager."""
    return sys.modules[__name__]
