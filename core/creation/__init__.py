"""Make tensors: filled, from data, as ranges, and in PyTorch's old way."""

from __future__ import annotations

from . import data, filled, legacy, ranges, sparse, windows
from .data import *
from .filled import *
from .legacy import *
from .ranges import *
from .sparse import *
from .windows import *

__all__: list[str] = []
__all__ += data.__all__
__all__ += filled.__all__
__all__ += legacy.__all__
__all__ += ranges.__all__
__all__ += sparse.__all__
__all__ += windows.__all__
