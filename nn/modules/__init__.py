"""The layers; one file for each family."""

from __future__ import annotations

from . import containers, linear, padding
from .containers import *
from .linear import *
from .module import Module
from .padding import *

__all__ = ["Module"]
__all__ += containers.__all__
__all__ += linear.__all__
__all__ += padding.__all__
