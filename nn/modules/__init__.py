"""The layers; one file for each family."""

from __future__ import annotations

from . import linear
from .linear import *
from .module import Module

__all__ = ["Module"]
__all__ += linear.__all__
