"""Optimizers and schedules of their rates.

>>> import plugrad
>>> net = plugrad.nn.Linear(2, 1)
>>> optimizer = plugrad.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
>>> net(plugrad.ones(4, 2)).sum().backward()
>>> optimizer.step()
>>> optimizer.zero_grad()
"""

from __future__ import annotations

from .adam import Adam, AdamW
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
