"""Schedules of an optimizer's learning rates.

>>> import plugrad
>>> x = plugrad.ones(1, requires_grad=True)
>>> optimizer = plugrad.optim.SGD([x], lr=1.0)
>>> scheduler = plugrad.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
>>> for _ in range(4):
...     optimizer.step()
...     print(scheduler.get_last_lr())
...     scheduler.step()
[1.0]
[1.0]
[0.5]
[0.5]
"""

from __future__ import annotations

from . import base, combined, cycles, factors, plateau
from .base import *
from .base import _LRScheduler as _LRScheduler  # the name before PyTorch 2
from .combined import *
from .cycles import *
from .factors import *
from .plateau import *

__all__: list[str] = []
__all__ += base.__all__
__all__ += combined.__all__
__all__ += cycles.__all__
__all__ += factors.__all__
__all__ += plateau.__all__
