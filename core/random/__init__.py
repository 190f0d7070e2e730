"""Random numbers: generators, distributions, and tensors filled in place."""

from __future__ import annotations

from . import distributions, generator, sampling
from .distributions import *
from .generator import *
from .sampling import *

__all__: list[str] = []
__all__ += distributions.__all__
__all__ += generator.__all__
__all__ += sampling.__all__
