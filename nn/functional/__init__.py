"""What layers compute, as functions; one file for each family.

A function is an op where it has a gradient or a kernel of its own, else it is plain
Python that calls ops.
"""

from __future__ import annotations

from . import products
from .products import *

__all__: list[str] = []
__all__ += products.__all__
