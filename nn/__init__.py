"""Neural networks: parameters, layers, losses, and what initialises them.

>>> import plugrad
>>> from plugrad import nn
>>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
>>> net(plugrad.zeros(4, 2)).shape
plugrad.Size([4, 1])
"""

from __future__ import annotations

from plugrad import Buffer, Parameter

from . import functional, init, modules, parameter
from .modules import *
from .parameter import UninitializedBuffer, UninitializedParameter

__all__ = ["Buffer", "Parameter", "functional", "init", "modules"]
__all__ += ["UninitializedBuffer", "UninitializedParameter", "parameter"]
__all__ += modules.__all__
