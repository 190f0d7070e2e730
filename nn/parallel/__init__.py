"""Modules that run on several devices."""

from __future__ import annotations

from . import replicas, scattering, wrappers
from .replicas import *
from .scattering import *
from .wrappers import *

__all__: list[str] = []
__all__ += replicas.__all__
__all__ += scattering.__all__
__all__ += wrappers.__all__
