"""The normal distribution's functions, exact in both tails."""

from __future__ import annotations

from math import log, pi, sqrt

from ..declare import op
from .gammas import widened
from .math import typed_as
from .special import SLOPE, inverse, near, tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__: list[str] = []

ROOT = sqrt(2)
DENSITY = 1 / sqrt(2 * pi)


@op(promote="float", kinds="f", method=False, oracle="torch.special.erfcx")
def erfcx(k: Kernels, x: Tensor) -> Tensor:
    """exp(x * x) * erfc(x), elementwise, which does not underflow.

    >>> import plugrad
    >>> plugrad.special.erfcx(plugrad.tensor([-1.0, 0.0, 100.0]))
    tensor([5.0090, 1.0000, 0.0056])
    """
    given, x = x, widened(k, x)
    size = k.abs(x)
    small = size < 1.0
    square = k.exp(x * x)
    outer = tail(k, size)
    outer = k.where(x < 0, square * 2.0 - outer, outer)
    inner = square * (1.0 - near(k, k.where(small, x, k.zeros_like(x))))
    return typed_as(k, k.where(small, inner, outer), given)


erfcx.grad(x=lambda k, g, x, y: g * (x * y * 2.0 - SLOPE))


@op(promote="float", kinds="f", method=False, oracle="torch.special.ndtr")
def ndtr(k: Kernels, x: Tensor) -> Tensor:
    """The chance that a standard normal number is below x, elementwise.

    >>> import plugrad
    >>> plugrad.special.ndtr(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([0.1587, 0.5000, 0.8413])
    """
    return typed_as(k, k.erfc(x * (-1 / ROOT)) * 0.5, x)


ndtr.grad(x=lambda k, g, x: typed_as(k, g * k.exp(x * x * -0.5) * DENSITY, g))


@op(promote="float", kinds="f", method=False, oracle="torch.special.log_ndtr")
def log_ndtr(k: Kernels, x: Tensor) -> Tensor:
    """log(ndtr(x)), elementwise, exact where that would be log(0).

    >>> import plugrad
    >>> x = plugrad.tensor([-20.0, 0.0])
    >>> plugrad.special.log_ndtr(x), plugrad.special.ndtr(x).log()
    (tensor([-203.9172,   -0.6931]), tensor([    -inf,  -0.6931]))
    """
    z = x * (1 / ROOT)
    low = x < -1.0
    below = k.where(low, z, -k.ones_like(z))
    left = k.log(k.erfcx(-below)) - log(2) - below * below
    right = k.log1p(k.erfc(k.where(low, k.zeros_like(z), z)) * -0.5)
    return typed_as(k, k.where(low, left, right), x)


log_ndtr.grad(x=lambda k, g, x: g * (2 * DENSITY) / k.erfcx(x * (-1 / ROOT)))


@op(
    promote="float",
    kinds="f",
    method=False,
    domain=(0.05, 0.95),
    oracle="torch.special.ndtri",
)
def ndtri(k: Kernels, x: Tensor) -> Tensor:
    """What has the chance x that a standard normal number is below it, elementwise.

    >>> import plugrad
    >>> plugrad.special.ndtri(plugrad.tensor([0.0, 0.025, 0.5, 2.0]))
    tensor([   -inf, -1.9600,  0.0000,     nan])
    """
    upper = x >= 0.5
    q = k.where(upper, 1.0 - x, x)
    y = inverse(k, 1.0 - q * 2.0, q * 2.0, k.log(q * (1.0 - q) * 4.0)) * ROOT
    y = k.where(q == 0, k.full_like(y, float("inf")), y)
    return typed_as(k, k.where(upper, y, -y), x)


ndtri.grad(x=lambda k, g, y: typed_as(k, g * k.exp(y * y * 0.5) / DENSITY, g))
