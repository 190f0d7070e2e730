"""The ops, one file for each family."""

from __future__ import annotations

from . import pointwise, reduce, shape
from .pointwise import *
from .reduce import *
from .shape import *

__all__: list[str] = []
__all__ += pointwise.__all__
__all__ += reduce.__all__
__all__ += shape.__all__
