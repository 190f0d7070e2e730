"""Optimizers and schedules of their rates.

>>> import plugrad
>>> net = plugrad.nn.Linear(2, 1)
>>> optimizer = plugrad.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
>>> net(plugrad.ones(4, 2)).sum().backward()
>>> optimizer.step()
>>> optimizer.zero_grad()
"""

from __future__ import annotations

from . import adam, adaptive, sgd
from .adam import *
from .adaptive import *
from .optimizer import Optimizer
from .sgd import *

__all__ = ["Optimizer"]
__all__ += adam.__all__
__all__ += adaptive.__all__
__all__ += sgd.__all__
