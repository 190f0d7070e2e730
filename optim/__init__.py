"""Optimizers and schedules of their rates.

>>> import plugrad
>>> net = plugrad.nn.Linear(2, 1)
>>> optimizer = plugrad.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
>>> net(plugrad.ones(4, 2)).sum().backward()
>>> optimizer.step()
>>> optimizer.zero_grad()
"""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import hookimpl

from . import (
    adafactor,
    adam,
    adaptive,
    lbfgs,
    lr_scheduler,
    muon,
    sgd,
    sparse_adam,
    swa_utils,
)
from .adafactor import *
from .adam import *
from .adaptive import *
from .lbfgs import *
from .muon import *
from .optimizer import Optimizer
from .sgd import *
from .sparse_adam import *

__all__ = ["Optimizer", "lr_scheduler", "swa_utils"]
__all__ += adafactor.__all__
__all__ += adam.__all__
__all__ += adaptive.__all__
__all__ += lbfgs.__all__
__all__ += muon.__all__
__all__ += sgd.__all__
__all__ += sparse_adam.__all__


@hookimpl
def plugrad_namespace(name: str) -> ModuleType:
    """The package itself, for plugrad's plugin manager."""
    return sys.modules[__name__]
