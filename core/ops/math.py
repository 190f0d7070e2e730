"""Elementary functions, element by element; integers become floats."""

from __future__ import annotations

from math import log as ln
from math import pi

from ..declare import op

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex

__all__ = [
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "exp",
    "exp2",
    "expm1",
    "hypot",
    "log",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logaddexp2",
    "rad2deg",
    "rsqrt",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "xlogy",
]

LN2 = ln(2.0)
LN10 = ln(10.0)


def is_complex(k: Kernels, x: Array) -> bool:
    """Whether the elements are complex."""
    return k.isdtype(x.dtype, "complex floating")


def typed_as(k: Kernels, y: Array, x: Array) -> Array:
    """`y` in the dtype of `x`: times a Python float, ml_dtypes' bfloat16 is float32."""
    return y if y.dtype is x.dtype else k.astype(y, x.dtype)


# --- Exponentials and logarithms ----------------------------------------------------


@op(promote="float")
def exp(k: Kernels, x: Tensor) -> Tensor:
    """e to the power of x, elementwise."""
    return k.exp(x)


exp.grad(x=lambda k, g, y: g * y)


@op(promote="float")
def exp2(k: Kernels, x: Tensor) -> Tensor:
    """2 to the power of x, elementwise."""
    return k.exp(x * LN2) if is_complex(k, x) else k.pow(k.full_like(x, 2), x)


exp2.grad(x=lambda k, g, y: typed_as(k, g * y * LN2, g))


@op(promote="float")
def expm1(k: Kernels, x: Tensor) -> Tensor:
    """exp(x) - 1, elementwise, exact where x is small."""
    return k.expm1(x)


expm1.grad(x=lambda k, g, y: g * y + g)


@op(promote="float", domain=(0.1, 5))
def log(k: Kernels, x: Tensor) -> Tensor:
    """The natural logarithm, elementwise."""
    return k.log(x)


log.grad(x=lambda k, g, x: g / x)


@op(promote="float", domain=(0.1, 5))
def log2(k: Kernels, x: Tensor) -> Tensor:
    """The logarithm to base 2, elementwise."""
    return k.log2(x)


log2.grad(x=lambda k, g, x: typed_as(k, g / (x * LN2), g))


@op(promote="float", domain=(0.1, 5))
def log10(k: Kernels, x: Tensor) -> Tensor:
    """The logarithm to base 10, elementwise."""
    return k.log10(x)


log10.grad(x=lambda k, g, x: typed_as(k, g / (x * LN10), g))


@op(promote="float", domain=(-0.9, 5))
def log1p(k: Kernels, x: Tensor) -> Tensor:
    """log(1 + x), elementwise, exact where x is small."""
    return k.log1p(x)


log1p.grad(x=lambda k, g, x: g / (x + 1))


@op(promote="same", kinds="fc", inplace=False)
def logaddexp(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """log(exp(a) + exp(b)), elementwise, without overflow."""
    if not is_complex(k, a):
        return k.logaddexp(a, b)
    larger = k.real(a) >= k.real(b)
    high, low = k.where(larger, a, b), k.where(larger, b, a)
    return high + k.log1p(k.exp(low - high))


logaddexp.grad(
    a=lambda k, g, a, b: g * k.sigmoid(a - b),
    b=lambda k, g, a, b: g * k.sigmoid(b - a),
)


@op(promote="same", kinds="f", inplace=False)
def logaddexp2(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """log2(2**a + 2**b), elementwise, without overflow."""
    return k.logaddexp(a * LN2, b * LN2) / LN2


logaddexp2.grad(
    a=lambda k, g, a, b: typed_as(k, g * k.sigmoid((a - b) * LN2), g),
    b=lambda k, g, a, b: typed_as(k, g * k.sigmoid((b - a) * LN2), g),
)


@op(promote="float", kinds="f", domain=(0.1, 5))
def xlogy(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """a * log(b), elementwise, broadcast; 0 where a is 0, unless b is NaN."""
    zero = k.logical_and(a == 0, b == b)
    y = a * k.log(b)
    return k.where(zero, k.zeros_like(y), y)


def slope_of_xlogy(k: Kernels, g: Array, a: Array, b: Array) -> Array:
    """The gradient of a * log(b) to `a`."""
    dead = k.logical_and(a == 0, b <= 0)
    y = g * k.log(k.where(dead, k.ones_like(b), b))
    return k.where(dead, k.zeros_like(y), y)


xlogy.grad(
    a=lambda k, g, a, b: slope_of_xlogy(k, g, a, b),
    b=lambda k, g, a, b: g * a / b,
)


# --- Roots --------------------------------------------------------------------------


@op(promote="float", domain=(0.1, 5))
def sqrt(k: Kernels, x: Tensor) -> Tensor:
    """The square root, elementwise."""
    return k.sqrt(x)


sqrt.grad(x=lambda k, g, y: g / (y + y))


@op(promote="float", domain=(0.1, 5))
def rsqrt(k: Kernels, x: Tensor) -> Tensor:
    """1 / sqrt(x), elementwise."""
    return 1 / k.sqrt(x)


rsqrt.grad(x=lambda k, g, y: g / -2 * y * y * y)


@op(promote="same", kinds="f")
def hypot(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """sqrt(a * a + b * b), elementwise, broadcast, without overflow."""
    return k.hypot(a, b)


hypot.grad(a=lambda k, g, a, y: g * (a / y), b=lambda k, g, b, y: g * (b / y))


# --- Angles -------------------------------------------------------------------------


@op(promote="float")
def sin(k: Kernels, x: Tensor) -> Tensor:
    """The sine, elementwise."""
    return k.sin(x)


sin.grad(x=lambda k, g, x: g * k.cos(x))


@op(promote="float")
def cos(k: Kernels, x: Tensor) -> Tensor:
    """The cosine, elementwise."""
    return k.cos(x)


cos.grad(x=lambda k, g, x: -g * k.sin(x))


@op(promote="float", domain=(-1, 1))
def tan(k: Kernels, x: Tensor) -> Tensor:
    """The tangent, elementwise."""
    return k.tan(x)


tan.grad(x=lambda k, g, y: g + g * y * y)


@op(promote="float", domain=(-0.9, 0.9))
def asin(k: Kernels, x: Tensor) -> Tensor:
    """The angle whose sine is x, elementwise."""
    return k.asin(x)


asin.grad(x=lambda k, g, x: g / k.sqrt(1 - x * x))


@op(promote="float", domain=(-0.9, 0.9))
def acos(k: Kernels, x: Tensor) -> Tensor:
    """The angle whose cosine is x, elementwise."""
    return k.acos(x)


acos.grad(x=lambda k, g, x: -g / k.sqrt(1 - x * x))


@op(promote="float")
def atan(k: Kernels, x: Tensor) -> Tensor:
    """The angle whose tangent is x, elementwise."""
    return k.atan(x)


atan.grad(x=lambda k, g, x: g / (x * x + 1))


@op(promote="float", kinds="f")
def atan2(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The angle of the point (b, a), elementwise, broadcast."""
    return k.atan2(a, b)


def inverse_square(k: Kernels, a: Array, b: Array) -> Array:
    """1 / (a * a + b * b); 0 at the origin."""
    r = a * a + b * b
    return k.where(r == 0, k.zeros_like(r), 1 / k.where(r == 0, k.ones_like(r), r))


atan2.grad(
    a=lambda k, g, a, b: g * b * inverse_square(k, a, b),
    b=lambda k, g, a, b: -g * a * inverse_square(k, a, b),
)


@op(promote="float", kinds="f")
def deg2rad(k: Kernels, x: Tensor) -> Tensor:
    """Degrees as radians, elementwise."""
    return x * (pi / 180)


deg2rad.grad(x=lambda k, g: typed_as(k, g * (pi / 180), g))


@op(promote="float", kinds="f")
def rad2deg(k: Kernels, x: Tensor) -> Tensor:
    """Radians as degrees, elementwise."""
    return x * (180 / pi)


rad2deg.grad(x=lambda k, g: typed_as(k, g * (180 / pi), g))


# --- Hyperbolic functions -----------------------------------------------------------


@op(promote="float")
def sinh(k: Kernels, x: Tensor) -> Tensor:
    """The hyperbolic sine, elementwise."""
    return k.sinh(x)


sinh.grad(x=lambda k, g, x: g * k.cosh(x))


@op(promote="float")
def cosh(k: Kernels, x: Tensor) -> Tensor:
    """The hyperbolic cosine, elementwise."""
    return k.cosh(x)


cosh.grad(x=lambda k, g, x: g * k.sinh(x))


@op(promote="float")
def tanh(k: Kernels, x: Tensor) -> Tensor:
    """The hyperbolic tangent, elementwise."""
    return k.tanh(x)


tanh.grad(x=lambda k, g, y: g - g * y * y)


@op(promote="float")
def asinh(k: Kernels, x: Tensor) -> Tensor:
    """What has x as its hyperbolic sine, elementwise."""
    return k.asinh(x)


asinh.grad(x=lambda k, g, x: g / k.sqrt(x * x + 1))


@op(promote="float", domain=(1.1, 5))
def acosh(k: Kernels, x: Tensor) -> Tensor:
    """What has x as its hyperbolic cosine, elementwise."""
    return k.acosh(x)


def slope_of_acosh(k: Kernels, g: Array, x: Array) -> Array:
    """g / sqrt(x * x - 1), of complex numbers the root with a positive real part."""
    if is_complex(k, x):
        return g / (k.sqrt(x - 1) * k.sqrt(x + 1))
    return g / k.sqrt(x * x - 1)


acosh.grad(x=slope_of_acosh)


@op(promote="float", domain=(-0.9, 0.9))
def atanh(k: Kernels, x: Tensor) -> Tensor:
    """What has x as its hyperbolic tangent, elementwise."""
    return k.atanh(x)


atanh.grad(x=lambda k, g, x: g / (1 - x * x))
