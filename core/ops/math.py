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
    """e to the power of x, elementwise.

    >>> import plugrad
    >>> plugrad.exp(plugrad.tensor([0, 1]))
    tensor([1.0000, 2.7183])
    """
    return k.exp(x)


exp.grad(x=lambda k, g, y: g * y)


@op(promote="float")
def exp2(k: Kernels, x: Tensor) -> Tensor:
    """2 to the power of x, elementwise.

    >>> import plugrad
    >>> plugrad.exp2(plugrad.tensor([-1.0, 0.0, 3.0]))
    tensor([0.5000, 1.0000, 8.0000])
    """
    return k.exp(x * LN2) if is_complex(k, x) else k.pow(k.full_like(x, 2), x)


exp2.grad(x=lambda k, g, y: typed_as(k, g * y * LN2, g))


@op(promote="float")
def expm1(k: Kernels, x: Tensor) -> Tensor:
    """exp(x) - 1, elementwise, exact where x is small.

    >>> import plugrad
    >>> x = plugrad.tensor([1e-7])
    >>> plugrad.expm1(x), x.exp() - 1
    (tensor([1.0000e-07]), tensor([1.1921e-07]))
    """
    return k.expm1(x)


expm1.grad(x=lambda k, g, y: g * y + g)


@op(promote="float", domain=(0.1, 5))
def log(k: Kernels, x: Tensor) -> Tensor:
    """The natural logarithm, elementwise.

    >>> import plugrad
    >>> plugrad.log(plugrad.tensor([1.0, 10.0, 0.0, -1.0]))
    tensor([0.0000, 2.3026,   -inf,    nan])
    """
    return k.log(x)


log.grad(x=lambda k, g, x: g / x)


@op(promote="float", domain=(0.1, 5))
def log2(k: Kernels, x: Tensor) -> Tensor:
    """The logarithm to base 2, elementwise.

    >>> import plugrad
    >>> plugrad.log2(plugrad.tensor([0.5, 1.0, 3.0]))
    tensor([-1.0000,  0.0000,  1.5850])
    """
    return k.log2(x)


log2.grad(x=lambda k, g, x: typed_as(k, g / (x * LN2), g))


@op(promote="float", domain=(0.1, 5))
def log10(k: Kernels, x: Tensor) -> Tensor:
    """The logarithm to base 10, elementwise.

    >>> import plugrad
    >>> plugrad.log10(plugrad.tensor([1.0, 10.0, 0.5]))
    tensor([ 0.0000,  1.0000, -0.3010])
    """
    return k.log10(x)


log10.grad(x=lambda k, g, x: typed_as(k, g / (x * LN10), g))


@op(promote="float", domain=(-0.9, 5))
def log1p(k: Kernels, x: Tensor) -> Tensor:
    """log(1 + x), elementwise, exact where x is small.

    >>> import plugrad
    >>> x = plugrad.tensor([1e-8])
    >>> plugrad.log1p(x), plugrad.log(1 + x)
    (tensor([1.0000e-08]), tensor([0.]))
    """
    return k.log1p(x)


log1p.grad(x=lambda k, g, x: g / (x + 1))


@op(promote="same", kinds="fc", inplace=False)
def logaddexp(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """log(exp(a) + exp(b)), elementwise, without overflow.

    >>> import plugrad
    >>> plugrad.logaddexp(plugrad.tensor([100.0]), plugrad.tensor([100.0]))
    tensor([100.6931])
    """
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
    """log2(2**a + 2**b), elementwise, without overflow.

    >>> import plugrad
    >>> plugrad.logaddexp2(plugrad.tensor([3.0]), plugrad.tensor([1.0]))
    tensor([3.3219])
    """
    return k.logaddexp(a * LN2, b * LN2) / LN2


logaddexp2.grad(
    a=lambda k, g, a, b: typed_as(k, g * k.sigmoid((a - b) * LN2), g),
    b=lambda k, g, a, b: typed_as(k, g * k.sigmoid((b - a) * LN2), g),
)


@op(promote="float", kinds="f", domain=(0.1, 5))
def xlogy(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """a * log(b), elementwise, broadcast; 0 where a is 0, unless b is NaN.

    >>> import plugrad
    >>> plugrad.xlogy(plugrad.tensor([0.0, 2.0]), plugrad.tensor([0.0, 3.0]))
    tensor([0.0000, 2.1972])
    """
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
    """The square root, elementwise.

    >>> import plugrad
    >>> plugrad.sqrt(plugrad.tensor([4, 2, -1]))
    tensor([2.0000, 1.4142,    nan])
    """
    return k.sqrt(x)


sqrt.grad(x=lambda k, g, y: g / (y + y))


@op(promote="float", domain=(0.1, 5))
def rsqrt(k: Kernels, x: Tensor) -> Tensor:
    """1 / sqrt(x), elementwise.

    >>> import plugrad
    >>> plugrad.rsqrt(plugrad.tensor([4.0, 0.25, 0.0]))
    tensor([0.5000, 2.0000,    inf])
    """
    return 1 / k.sqrt(x)


rsqrt.grad(x=lambda k, g, y: g / -2 * y * y * y)


@op(promote="same", kinds="f")
def hypot(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """sqrt(a * a + b * b), elementwise, broadcast, without overflow.

    >>> import plugrad
    >>> plugrad.hypot(plugrad.tensor([3e30]), plugrad.tensor([4e30]))
    tensor([5.0000e+30])
    """
    return k.hypot(a, b)


hypot.grad(a=lambda k, g, a, y: g * (a / y), b=lambda k, g, b, y: g * (b / y))


# --- Angles -------------------------------------------------------------------------


@op(promote="float")
def sin(k: Kernels, x: Tensor) -> Tensor:
    """The sine, elementwise.

    >>> import plugrad
    >>> plugrad.sin(plugrad.tensor([0, 1]))
    tensor([0.0000, 0.8415])
    """
    return k.sin(x)


sin.grad(x=lambda k, g, x: g * k.cos(x))


@op(promote="float")
def cos(k: Kernels, x: Tensor) -> Tensor:
    """The cosine, elementwise.

    >>> import plugrad
    >>> plugrad.cos(plugrad.tensor([0, 1]))
    tensor([1.0000, 0.5403])
    """
    return k.cos(x)


cos.grad(x=lambda k, g, x: -g * k.sin(x))


@op(promote="float", domain=(-1, 1))
def tan(k: Kernels, x: Tensor) -> Tensor:
    """The tangent, elementwise.

    >>> import plugrad
    >>> plugrad.tan(plugrad.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return k.tan(x)


tan.grad(x=lambda k, g, y: g + g * y * y)


@op(promote="float", domain=(-0.9, 0.9))
def asin(k: Kernels, x: Tensor) -> Tensor:
    """The angle whose sine is x, elementwise.

    >>> import plugrad
    >>> plugrad.asin(plugrad.tensor([0.0, 1.0, 2.0]))
    tensor([0.0000, 1.5708,    nan])
    """
    return k.asin(x)


asin.grad(x=lambda k, g, x: g / k.sqrt(1 - x * x))


@op(promote="float", domain=(-0.9, 0.9))
def acos(k: Kernels, x: Tensor) -> Tensor:
    """The angle whose cosine is x, elementwise.

    >>> import plugrad
    >>> plugrad.acos(plugrad.tensor([1.0, 0.0, 2.0]))
    tensor([0.0000, 1.5708,    nan])
    """
    return k.acos(x)


acos.grad(x=lambda k, g, x: -g / k.sqrt(1 - x * x))


@op(promote="float")
def atan(k: Kernels, x: Tensor) -> Tensor:
    """The angle whose tangent is x, elementwise.

    >>> import plugrad
    >>> plugrad.atan(plugrad.tensor([1.0, plugrad.inf]))
    tensor([0.7854, 1.5708])
    """
    return k.atan(x)


atan.grad(x=lambda k, g, x: g / (x * x + 1))


@op(promote="float", kinds="f")
def atan2(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The angle of the point (b, a), elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.atan2(plugrad.tensor([1.0, -1.0]), plugrad.tensor([-1.0, -1.0]))
    tensor([ 2.3562, -2.3562])
    """
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
    """Degrees as radians, elementwise.

    >>> import plugrad
    >>> plugrad.deg2rad(plugrad.tensor([90, 180]))
    tensor([1.5708, 3.1416])
    """
    return x * (pi / 180)


deg2rad.grad(x=lambda k, g: typed_as(k, g * (pi / 180), g))


@op(promote="float", kinds="f")
def rad2deg(k: Kernels, x: Tensor) -> Tensor:
    """Radians as degrees, elementwise.

    >>> import plugrad
    >>> plugrad.rad2deg(plugrad.tensor([0.0, 1.0]))
    tensor([ 0.0000, 57.2958])
    """
    return x * (180 / pi)


rad2deg.grad(x=lambda k, g: typed_as(k, g * (180 / pi), g))


# --- Hyperbolic functions -----------------------------------------------------------


@op(promote="float")
def sinh(k: Kernels, x: Tensor) -> Tensor:
    """The hyperbolic sine, elementwise.

    >>> import plugrad
    >>> plugrad.sinh(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-1.1752,  0.0000,  1.1752])
    """
    return k.sinh(x)


sinh.grad(x=lambda k, g, x: g * k.cosh(x))


@op(promote="float")
def cosh(k: Kernels, x: Tensor) -> Tensor:
    """The hyperbolic cosine, elementwise.

    >>> import plugrad
    >>> plugrad.cosh(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([1.5431, 1.0000, 1.5431])
    """
    return k.cosh(x)


cosh.grad(x=lambda k, g, x: g * k.sinh(x))


@op(promote="float")
def tanh(k: Kernels, x: Tensor) -> Tensor:
    """The hyperbolic tangent, elementwise.

    >>> import plugrad
    >>> plugrad.tanh(plugrad.tensor([-100.0, 0.0, 0.5]))
    tensor([-1.0000,  0.0000,  0.4621])
    """
    return k.tanh(x)


tanh.grad(x=lambda k, g, y: g - g * y * y)


@op(promote="float")
def asinh(k: Kernels, x: Tensor) -> Tensor:
    """What has x as its hyperbolic sine, elementwise.

    >>> import plugrad
    >>> plugrad.asinh(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.8814,  0.0000,  0.8814])
    """
    return k.asinh(x)


asinh.grad(x=lambda k, g, x: g / k.sqrt(x * x + 1))


@op(promote="float", domain=(1.1, 5))
def acosh(k: Kernels, x: Tensor) -> Tensor:
    """What has x as its hyperbolic cosine, elementwise.

    >>> import plugrad
    >>> plugrad.acosh(plugrad.tensor([0.0, 1.0, 2.0]))
    tensor([   nan, 0.0000, 1.3170])
    """
    return k.acosh(x)


def slope_of_acosh(k: Kernels, g: Array, x: Array) -> Array:
    """g / sqrt(x * x - 1), of complex numbers the root with a positive real part."""
    if is_complex(k, x):
        return g / (k.sqrt(x - 1) * k.sqrt(x + 1))
    return g / k.sqrt(x * x - 1)


acosh.grad(x=slope_of_acosh)


@op(promote="float", domain=(-0.9, 0.9))
def atanh(k: Kernels, x: Tensor) -> Tensor:
    """What has x as its hyperbolic tangent, elementwise.

    >>> import plugrad
    >>> plugrad.atanh(plugrad.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.5493,    inf])
    """
    return k.atanh(x)


atanh.grad(x=lambda k, g, x: g / (1 - x * x))
