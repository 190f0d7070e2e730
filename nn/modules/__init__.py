"""The layers; one file for each family."""

from __future__ import annotations

from . import (
    activations,
    adaptive,
    adaptive_softmax,
    attention,
    batchnorm,
    bilinear,
    class_losses,
    containers,
    convolution,
    distances,
    dropout,
    embeddings,
    flatten,
    lazy_convolution,
    lazy_normalization,
    linear,
    losses,
    normalization,
    padding,
    patches,
    pooling,
    recurrent,
    recurrent_cells,
    resizing,
    transformer,
)
from .activations import *
from .adaptive import *
from .adaptive_softmax import *
from .attention import *
from .batchnorm import *
from .bilinear import *
from .class_losses import *
from .containers import *
from .convolution import *
from .distances import *
from .dropout import *
from .embeddings import *
from .flatten import *
from .lazy_convolution import *
from .lazy_normalization import *
from .linear import *
from .losses import *
from .module import Module
from .normalization import *
from .padding import *
from .patches import *
from .pooling import *
from .recurrent import *
from .recurrent_cells import *
from .resizing import *
from .transformer import *

__all__ = ["Module"]
__all__ += activations.__all__
__all__ += adaptive.__all__
__all__ += adaptive_softmax.__all__
__all__ += attention.__all__
__all__ += batchnorm.__all__
__all__ += bilinear.__all__
__all__ += class_losses.__all__
__all__ += containers.__all__
__all__ += convolution.__all__
__all__ += distances.__all__
__all__ += dropout.__all__
__all__ += embeddings.__all__
__all__ += flatten.__all__
__all__ += lazy_convolution.__all__
__all__ += lazy_normalization.__all__
__all__ += linear.__all__
__all__ += losses.__all__
__all__ += normalization.__all__
__all__ += padding.__all__
__all__ += patches.__all__
__all__ += pooling.__all__
__all__ += recurrent.__all__
__all__ += recurrent_cells.__all__
__all__ += resizing.__all__
__all__ += transformer.__all__
