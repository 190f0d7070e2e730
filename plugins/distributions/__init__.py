"""PyTorch's `torch.distributions`: distributions with samples, densities, entropies.

- A family of them stands in each module: continuous.py, discrete.py, gammas.py,
  multivariate.py; composed.py makes new ones of others by transforms.py.
- kl.py knows the Kullback-Leibler divergence of pairs.
- Samples are drawn from plugrad's random stream: the same seed gives other numbers than
  PyTorch's.

>>> import plugrad
>>> from plugrad.distributions import Normal
>>> loc = plugrad.tensor([0.0, 1.0], requires_grad=True)
>>> Normal(loc, 2.0).log_prob(plugrad.tensor(1.0)).sum().backward()
>>> loc.grad
tensor([0.2500, 0.0000])
"""

from __future__ import annotations

import sys
from types import ModuleType

from plugrad import hookimpl

from . import (
    composed,
    constraints,
    continuous,
    discrete,
    gammas,
    kl,
    multivariate,
    transforms,
)
from .composed import *
from .continuous import *
from .discrete import *
from .distribution import Distribution
from .gammas import *
from .kl import *
from .multivariate import *
from .transforms import *

__all__ = ["Distribution", "constraints", "kl", "transforms"]
__all__ += composed.__all__
__all__ += continuous.__all__
__all__ += discrete.__all__
__all__ += kl.__all__
__all__ += gammas.__all__
__all__ += multivariate.__all__
__all__ += transforms.__all__


@hookimpl
def plugrad_namespace(name: str) -> ModuleType:
    """The package itself, for plugrad's plugin manager."""
    return sys.modules[__name__]
