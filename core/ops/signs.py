"""Signs and rounding, element by element: integers stay what they are."""

from __future__ import annotations

from ..declare import op
from .dims import conjugate
from .math import is_complex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex

__all__ = [
    "abs",
    "ceil",
    "copysign",
    "floor",
    "frac",
    "heaviside",
    "round",
    "sgn",
    "sign",
    "trunc",
]


def flat(k: Kernels, g: Array) -> Array:
    """The gradient of what is constant but for jumps."""
    return k.zeros_like(g)


# --- Signs --------------------------------------------------------------------------


@op(promote="same", kinds="iufc")
def abs(k: Kernels, x: Tensor) -> Tensor:
    """The absolute value, elementwise; real for complex numbers.

    >>> import plugrad
    >>> plugrad.abs(plugrad.tensor([-2, 3])), plugrad.abs(plugrad.tensor([3 + 4j]))
    (tensor([2, 3]), tensor([5.]))
    """
    return k.abs(x)


abs.grad(x=lambda k, g, x: g * conjugate(k, k.sgn(x)))


@op(promote="same", kinds="biuf")
def sign(k: Kernels, x: Tensor) -> Tensor:
    """-1, 0 or 1, elementwise; 0 for NaN.

    >>> import plugrad
    >>> plugrad.sign(plugrad.tensor([-2.0, 0.0, 5.0, plugrad.nan]))
    tensor([-1.,  0.,  1.,  0.])
    """
    return signum(k, x)


def signum(k: Kernels, x: Array) -> Array:
    """The sign of real numbers."""
    if k.isdtype(x.dtype, "bool"):
        return k.asarray(x, copy=True)
    positive = k.astype(x > 0, x.dtype)
    return (
        positive
        if k.isdtype(x.dtype, "unsigned integer")
        else positive - k.astype(x < 0, x.dtype)
    )


sign.grad(x=flat)


@op(promote="same")
def sgn(k: Kernels, x: Tensor) -> Tensor:
    """The sign, elementwise; of complex numbers, the direction: x / abs(x).

    >>> import plugrad
    >>> plugrad.sgn(plugrad.tensor([3 + 4j, 0]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """
    if not is_complex(k, x):
        return signum(k, x)
    size = k.astype(k.abs(x), x.dtype)
    zero = size == 0
    return k.where(zero, k.zeros_like(x), x / k.where(zero, k.ones_like(x), size))


def slope_of_sgn(k: Kernels, g: Array, x: Array, y: Array) -> Array:
    """What of the gradient lies across the direction, by the distance from 0."""
    if not is_complex(k, x):
        return k.zeros_like(g)
    size = k.astype(k.abs(x), x.dtype)
    zero = size == 0
    along = k.astype(k.real(y * g), x.dtype)
    across = (g - k.conj(y) * along) / k.where(zero, k.ones_like(size), size)
    return k.where(zero, k.zeros_like(g), across)


sgn.grad(x=slope_of_sgn)


@op(promote="float", kinds="f")
def copysign(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """The size of a with the sign of b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.copysign(plugrad.tensor([1.0, -2.0]), -0.0)
    tensor([-1., -2.])
    """
    return k.copysign(a, b)


def slope_of_copysign(k: Kernels, g: Array, a: Array, y: Array) -> Array:
    """g or -g; 0 where a is."""
    zero = a == 0
    flipped = y / k.where(zero, k.ones_like(a), a)
    return k.where(zero, k.zeros_like(g), g * flipped)


copysign.grad(a=slope_of_copysign, b=flat)


@op(
    promote="equal",
    broadcast=True,
    kinds="biuf",
    inplace=True,
    no_grad_reason="PyTorch gives it no derivative",
)
def heaviside(k: Kernels, x: Tensor, values: Tensor) -> Tensor:
    """0 below zero, 1 above it, and `values` at zero, elementwise.

    >>> import plugrad
    >>> plugrad.heaviside(plugrad.tensor([-2.0, 0.0, 2.0]), plugrad.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if k.isdtype(x.dtype, "bool"):
        return k.logical_or(x, values)
    return k.where(x == 0, values, k.astype(x > 0, x.dtype))


# --- Rounding -----------------------------------------------------------------------


def unless_whole(k: Kernels, function: Any, x: Array) -> Array:
    """`function(x)`, or a copy of `x` if its elements are integers."""
    if k.isdtype(x.dtype, "integral"):
        return k.asarray(x, copy=True)
    return function(x)


@op(promote="same", kinds="iuf")
def floor(k: Kernels, x: Tensor) -> Tensor:
    """The largest integer not above x, elementwise.

    >>> import plugrad
    >>> plugrad.floor(plugrad.tensor([1.7, -1.2]))
    tensor([ 1., -2.])
    """
    return unless_whole(k, k.floor, x)


floor.grad(x=flat)


@op(promote="same", kinds="iuf")
def ceil(k: Kernels, x: Tensor) -> Tensor:
    """The smallest integer not below x, elementwise.

    >>> import plugrad
    >>> plugrad.ceil(plugrad.tensor([1.2, -1.7]))
    tensor([ 2., -1.])
    """
    return unless_whole(k, k.ceil, x)


ceil.grad(x=flat)


@op(promote="same", kinds="iuf")
def trunc(k: Kernels, x: Tensor) -> Tensor:
    """The integer next to x towards zero, elementwise.

    >>> import plugrad
    >>> plugrad.trunc(plugrad.tensor([1.7, -1.7]))
    tensor([ 1., -1.])
    """
    return unless_whole(k, k.trunc, x)


trunc.grad(x=flat)


@op(promote="same", kinds="iuf")
def round(k: Kernels, x: Tensor, *, decimals: int = 0) -> Tensor:
    """The nearest integer, or number of so many decimals, elementwise; of two that
    are as near, the even one.

    >>> import plugrad
    >>> plugrad.round(plugrad.tensor([0.5, 1.5, 2.5]))
    tensor([0., 2., 2.])
    >>> plugrad.round(plugrad.tensor([1234.567]), decimals=-2)
    tensor([1200.])
    """
    if not decimals:
        return unless_whole(k, k.round, x)
    if k.isdtype(x.dtype, "integral"):
        raise NotImplementedError("round: decimals are not implemented for integers")
    if decimals > 0:
        return k.round(x * 10.0**decimals) / 10.0**decimals
    return k.round(x / 10.0**-decimals) * 10.0**-decimals


round.grad(x=flat)


@op(promote="same", kinds="f")
def frac(k: Kernels, x: Tensor) -> Tensor:
    """What `trunc` leaves, elementwise.

    >>> import plugrad
    >>> plugrad.frac(plugrad.tensor([1.75, -1.75]))
    tensor([ 0.7500, -0.7500])
    """
    return x - k.trunc(x)


frac.grad(x=lambda k, g: g)
