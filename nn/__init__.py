"""Neural networks: parameters, layers, losses, and what initialises them.

>>> import plugrad
>>> from plugrad import nn
>>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
>>> net(plugrad.zeros(4, 2)).shape
plugrad.Size([4, 1])
"""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import Buffer, Parameter, hookimpl

from . import functional, init, modules, parallel, parameter, utils
from .modules import *
from .parallel import DataParallel
from .parameter import UninitializedBuffer, UninitializedParameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules"]
__all__ += ["DataParallel", "parallel", "utils"]
__all__ += ["UninitializedBuffer", "UninitializedParameter", "parameter"]
__all__ += modules.__all__


@hookimpl
def plugrad_namespace(name: str) -> ModuleType:
    """The package itself, for plugrad's plugin manager."""
    return sys.modules[__name__]
