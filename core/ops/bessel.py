"""Modified Bessel functions of the first kind, of order 0 and 1.

i0(x) is the mean of cosh(x * c), and i1(x) that of c * sinh(x * c), where c is the
cosine of every angle. The mean over the 12 angles in the middle of equal parts is right
to 1e-17 where |x| <= 30. Beyond that, the series in 1 / x is right to 1e-13.
"""

from __future__ import annotations

from math import cos, pi

from ..declare import op
from .gammas import widened
from .math import typed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = ["i0"]

COSINES = [cos(pi * (i + 0.5) / 24) for i in range(12)]
NEAR = 30.0
TERMS = 16


def scaled_near(k: Kernels, size: Array, order: int) -> Array:
    """The function times exp(-size), where size <= NEAR; nothing cancels."""
    y = k.zeros_like(size)
    for c in COSINES:
        half = k.exp(size * (c - 1.0)) * (c**order / 24)
        both = k.expm1(size * (-2.0 * c))
        y = y + half * (-both if order else both + 2.0)
    return y


def scaled_far(k: Kernels, size: Array, order: int) -> Array:
    """The function times exp(-size), where size > NEAR."""
    step = 0.125 / size
    term = y = k.ones_like(size)
    for i in range(1, TERMS):
        term = term * step * (((2 * i - 1) ** 2 - 4 * order) / i)
        y = y + term
    return y / k.sqrt(size * (2 * pi))


def scaled(k: Kernels, x: Array, order: int) -> Array:
    """The function times exp(-|x|)."""
    size = k.abs(x)
    limit = k.full_like(size, NEAR)
    near = scaled_near(k, k.minimum(size, limit), order)
    far = scaled_far(k, k.maximum(size, limit), order)
    y = k.where(size <= NEAR, near, far)
    return k.where(x < 0, -y, y) if order else y


def unscaled(k: Kernels, x: Array, order: int) -> Array:
    """The function; exp is taken by halves, which overflow later than the whole."""
    half = k.exp(k.abs(x) * 0.5)
    return scaled(k, x, order) * half * half


@op(promote="float", kinds="f")
def i0(k: Kernels, x: Tensor) -> Tensor:
    """The modified Bessel function of order 0, elementwise.

    >>> import plugrad
    >>> plugrad.i0(plugrad.tensor([0.0, 1.0, -3.0]))
    tensor([1.0000, 1.2661, 4.8808])
    """
    return typed_as(k, unscaled(k, widened(k, x), 0), x)


i0.grad(x=lambda k, g, x: g * k.i1(x))


@op(promote="float", kinds="f", method=False, oracle="torch.special.i1")
def i1(k: Kernels, x: Tensor) -> Tensor:
    """The modified Bessel function of order 1, elementwise.

    >>> import plugrad
    >>> plugrad.special.i1(plugrad.tensor([0.0, 1.0, -3.0]))
    tensor([ 0.0000,  0.5652, -3.9534])
    """
    return typed_as(k, unscaled(k, widened(k, x), 1), x)


@op(promote="float", kinds="f", method=False, oracle="torch.special.i0e")
def i0e(k: Kernels, x: Tensor) -> Tensor:
    """i0(x) * exp(-|x|), elementwise, which does not overflow.

    >>> import plugrad
    >>> plugrad.special.i0e(plugrad.tensor([0.0, 1000.0]))
    tensor([1.0000, 0.0126])
    """
    return typed_as(k, scaled(k, widened(k, x), 0), x)


@op(promote="float", kinds="f", method=False, oracle="torch.special.i1e")
def i1e(k: Kernels, x: Tensor) -> Tensor:
    """i1(x) * exp(-|x|), elementwise, which does not overflow.

    >>> import plugrad
    >>> plugrad.special.i1e(plugrad.tensor([0.0, 1000.0]))
    tensor([0.0000, 0.0126])
    """
    return typed_as(k, scaled(k, widened(k, x), 1), x)


def over(k: Kernels, y: Array, x: Array) -> Array:
    """y / x for the functions y of order 1, which is 1/2 where x is 0."""
    zero = x == 0
    ratio = y / k.where(zero, k.ones_like(x), x)
    return k.where(zero, k.ones_like(x) * 0.5, ratio)


i1.grad(x=lambda k, g, x, y: g * (k.i0(x) - over(k, y, x)))
i0e.grad(x=lambda k, g, x, y: g * (k.i1e(x) - k.sign(x) * y))
i1e.grad(x=lambda k, g, x, y: g * (k.i0e(x) - k.sign(x) * y - over(k, y, x)))
