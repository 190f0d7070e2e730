"""Networks for pictures.

Those of torchvision have its parameters' names, so that a `state_dict` goes from one to
the other; trained weights are not among them.

>>> from plugrad.plugins.vision import models
>>> models.LeNet().classifier[5]
Linear(in_features=84, out_features=10, bias=True)
"""

from __future__ import annotations

from . import alexnet as _alexnet
from . import resnet, small, vgg
from .alexnet import *
from .resnet import *
from .small import *
from .untrained import Weights
from .vgg import *

__all__: list[str] = []
__all__ += _alexnet.__all__
__all__ += resnet.__all__
__all__ += small.__all__
__all__ += vgg.__all__


def __getattr__(name: str) -> object:
    """Names such as ResNet18_Weights, for each of the networks."""
    network = name.removesuffix("_Weights").lower()
    if network != name.lower() and network in __all__:
        return Weights
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
