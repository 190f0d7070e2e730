"""Data sets of pictures, transforms and networks, as torchvision has them.

- Names, signatures, printed forms and results are torchvision's; transforms take
  tensors, and Pillow's images where Pillow is installed.
- Nothing in a file of data is ever executed, and none makes a reader take more memory
  than it may.

>>> from plugrad.plugins.vision import datasets, models, transforms
>>> test = datasets.Digits(train=False, transform=transforms.ToTensor())
>>> image, label = test[0]
>>> models.DigitsNet()(image[None]).shape
plugrad.Size([1, 10])
"""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import hookimpl

from . import datasets, io, models, transforms, utils

__version__ = "0.28.0"  # the torchvision whose names and results these are

__all__ = ["datasets", "io", "models", "transforms", "utils"]


@hookimpl
def plugrad_namespace(name: str) -> ModuleType:
    """The package itself, for plugrad's plugin manager."""
    return sys.modules[__name__]
