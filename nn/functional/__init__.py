"""What layers compute, as functions; one file for each family.

A function is an op where it has a gradient or a kernel of its own, else it is plain
Python that calls ops.
"""

from __future__ import annotations

from . import (
    activations,
    adaptive,
    attention,
    binary_losses,
    class_losses,
    convolution,
    ctc,
    distances,
    dropping,
    embeddings,
    normalization,
    padding,
    patches,
    pooling,
    products,
    regression_losses,
    resizing,
    sampling,
    shuffling,
    unpooling,
)
from .activations import *
from .adaptive import *
from .attention import *
from .binary_losses import *
from .class_losses import *
from .convolution import *
from .ctc import *
from .distances import *
from .dropping import *
from .embeddings import *
from .normalization import *
from .padding import *
from .patches import *
from .pooling import *
from .products import *
from .regression_losses import *
from .resizing import *
from .sampling import *
from .shuffling import *
from .unpooling import *

__all__: list[str] = []
__all__ += activations.__all__
__all__ += adaptive.__all__
__all__ += attention.__all__
__all__ += binary_losses.__all__
__all__ += class_losses.__all__
__all__ += convolution.__all__
__all__ += ctc.__all__
__all__ += distances.__all__
__all__ += dropping.__all__
__all__ += embeddings.__all__
__all__ += normalization.__all__
__all__ += padding.__all__
__all__ += patches.__all__
__all__ += pooling.__all__
__all__ += products.__all__
__all__ += regression_losses.__all__
__all__ += resizing.__all__
__all__ += sampling.__all__
__all__ += shuffling.__all__
__all__ += unpooling.__all__
