"""Data sets of pictures.

>>> from plugrad.plugins.vision import datasets
>>> datasets.Digits()
Dataset Digits
    Number of datapoints: 1442
    Root location: ...
    Split: Train
"""

from __future__ import annotations

from . import cifar, digits, fake, folder, mnist
from .base import StandardTransform, VisionDataset
from .cifar import *
from .digits import *
from .fake import *
from .folder import *
from .idx import DataError, read_idx, write_idx
from .mnist import *

__all__ = ["DataError", "StandardTransform", "VisionDataset", "read_idx", "write_idx"]
__all__ += cifar.__all__
__all__ += digits.__all__
__all__ += fake.__all__
__all__ += folder.__all__
__all__ += mnist.__all__
