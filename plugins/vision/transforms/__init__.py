"""What is done to pictures before a network sees them.

Random transforms draw from plugrad's random stream, which `plugrad.manual_seed` starts
from its beginning and each worker of a DataLoader from a place of its own.

>>> import numpy as np
>>> from plugrad.plugins.vision import transforms
>>> steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize(0.5, 0.5)])
>>> steps(np.array([[0, 255]], np.uint8))
tensor([[[-1.,  1.]]])
"""

from __future__ import annotations

from . import basic, blurs, colours, composed, crops, functional, warps
from .basic import *
from .blurs import *
from .colours import *
from .composed import *
from .crops import *
from .warps import *

__all__ = ["functional"]
__all__ += basic.__all__
__all__ += blurs.__all__
__all__ += colours.__all__
__all__ += composed.__all__
__all__ += crops.__all__
__all__ += warps.__all__
