"""Helpers for training modules: gradients, weights, sequences."""

from __future__ import annotations

from . import (
    clip_grad,
    convert_parameters,
    fusion,
    parametrizations,
    parametrize,
    prune,
    rnn,
    stateless,
    weights,
)
from .clip_grad import *
from .convert_parameters import *
from .fusion import *
from .weights import *

__all__ = ["parametrizations", "parametrize", "prune", "rnn", "stateless"]
__all__ += clip_grad.__all__
__all__ += convert_parameters.__all__
__all__ += fusion.__all__
__all__ += weights.__all__
