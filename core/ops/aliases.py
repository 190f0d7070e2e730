"""Second names of ops: PyTorch's own, and those of NumPy and the array API standard.

`plugrad.attach` makes them methods wherever the first name is one.
"""

from __future__ import annotations

from .choosing import clamp
from .compare import ge, gt, le, lt, ne
from .linalg import outer
from .math import acos, acosh, asin, asinh, atan, atan2, atanh
from .pointwise import div, mul, neg, sub
from .signs import abs, trunc

__all__ = [
    "absolute",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "clip",
    "divide",
    "fix",
    "ger",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "multiply",
    "negative",
    "not_equal",
    "subtract",
    "true_divide",
]

absolute = abs
arccos = acos
arccosh = acosh
arcsin = asin
arcsinh = asinh
arctan = atan
arctan2 = atan2
arctanh = atanh
clip = clamp
divide = div
fix = trunc
ger = outer
greater = gt
greater_equal = ge
less = lt
less_equal = le
multiply = mul
negative = neg
not_equal = ne
subtract = sub
true_divide = div
