"""What layers compute, as functions; one file for each family.

A function is an op where it has a gradient or a kernel of its own, else it is plain
Python that calls ops.
"""

from __future__ import annotations

from . import (
    activations,
    adaptive,
    convolution,
    normalization,
    padding,
    patches,
    pooling,
    products,
    unpooling,
)
from .activations import *
from .adaptive import *
from .convolution import *
from .normalization import *
from .padding import *
from .patches import *
from .pooling import *
from .products import *
from .unpooling import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += adaptive.__all__
__all__ += convolution.__all__
__all__ += normalization.__all__
__all__ += padding.__all__
__all__ += patches.__all__
__all__ += pooling.__all__
__all__ += products.__all__
__all__ += unpooling.__all__
