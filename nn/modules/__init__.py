"""The layers; one file for each family."""

from __future__ import annotations

from . import (
    activations,
    adaptive,
    containers,
    convolution,
    lazy_convolution,
    linear,
    padding,
    patches,
    pooling,
)
from .activations import *
from .adaptive import *
from .containers import *
from .convolution import *
from .lazy_convolution import *
from .linear import *
from .module import Module
from .padding import *
from .patches import *
from .pooling import *

__all__ = ["Module"]
__all__ += activations.__all__
__all__ += adaptive.__all__
__all__ += containers.__all__
__all__ += convolution.__all__
__all__ += lazy_convolution.__all__
__all__ += linear.__all__
__all__ += padding.__all__
__all__ += patches.__all__
__all__ += pooling.__all__
