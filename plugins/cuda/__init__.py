"""PyTorch's `torch.cuda`, on the CuPy backend.

- Without a GPU this imports and answers: `is_available()` is False, `device_count()` 0.
  What needs a GPU raises a BackendError that says why there is none.
- Devices, streams and events are CuPy's: what is queued here and what CuPy queues by
  itself keep their order.
- There is one random stream for all devices, that of `plugrad.manual_seed`.
"""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import hookimpl

from . import amp, comm, devices, memory, nvtx, random, streams, types
from .devices import *
from .memory import *
from .random import *
from .streams import *
from .types import *

__all__ = ["amp", "comm", "nvtx"]
__all__ += devices.__all__
__all__ += memory.__all__
__all__ += random.__all__
__all__ += streams.__all__
__all__ += types.__all__


@hookimpl
def plugrad_namespace(name: str) -> ModuleType:
    """The package itself, for plugrad's plugin manager."""
    return sys.modules[__name__]
