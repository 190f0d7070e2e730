"""The logarithm of the gamma function, and its derivatives.

From STEPS on, series in 1 / x have their digits; the recurrence leads there. What lies
left of 1/2 is reflected, so that no sum runs over the poles.
"""

from __future__ import annotations

from math import factorial, log, pi

from .. import dtypes
from ..declare import op
from .math import typed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = ["digamma", "lgamma", "mvlgamma", "polygamma"]

STEPS = 8
# Bernoulli's numbers B(2), B(4), ...
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6)
COUNTED = [(2 * i + 2, b) for i, b in enumerate(BERNOULLI)]


def widened(k: Kernels, x: Array) -> Array:
    """`x` with 32 bits where it has 16: these sums run over numbers of any size."""
    small = k.by_native[x.dtype].itemsize < 4
    return k.astype(x, k.native(dtypes.float32)) if small else x


def reflected(k: Kernels, x: Array) -> tuple[Array, Array, Array]:
    """Where x < 1/2; 1 - x there, and x elsewhere; and how far the next integer is."""
    left = x < 0.5
    finite = k.where(k.isfinite(x), x, k.zeros_like(x))
    return left, k.where(left, 1.0 - x, x), finite - k.round(finite)


def series(k: Kernels, z: Array, factors: Sequence[float]) -> Array:
    """factors[0] + factors[1] / z**2 + factors[2] / z**4 + ..."""
    step = 1.0 / (z * z)
    y = k.full_like(z, factors[-1])
    for factor in factors[-2::-1]:
        y = y * step + factor
    return y


@op(promote="float", kinds="f", domain=(0.1, 5))
def lgamma(k: Kernels, x: Tensor) -> Tensor:
    """log(|gamma(x)|), elementwise.

    >>> import plugrad
    >>> plugrad.lgamma(plugrad.tensor([0.0, 0.5, 1.0, 5.0]))
    tensor([   inf, 0.5724, 0.0000, 3.1781])
    """
    given, x = x, widened(k, x)
    left, t, rest = reflected(k, x)
    few = t < STEPS
    low = k.where(few, t, k.ones_like(t))
    product = low
    for i in range(1, STEPS):
        product = product * (low + i)
    z = k.where(few, t + STEPS, t)
    y = (z - 0.5) * (k.log(z) - 1.0) + (log(2 * pi) - 1) / 2
    y = y + series(k, z, [b / (n * (n - 1)) for n, b in COUNTED]) / z
    y = k.where(few, y - k.log(product), y)
    y = k.where(left, -k.log(k.abs(k.sin(rest * pi)) / pi) - y, y)
    y = k.where(k.isinf(x), k.abs(x), y)
    return typed_as(k, y, given)


lgamma.grad(x=lambda k, g, x: g * k.digamma(x))


@op(promote="float", kinds="f", domain=(0.1, 5))
def digamma(k: Kernels, x: Tensor) -> Tensor:
    """The derivative of lgamma, elementwise.

    >>> import plugrad
    >>> plugrad.digamma(plugrad.tensor([0.5, 1.0, 10.0]))
    tensor([-1.9635, -0.5772,  2.2518])
    """
    given, x = x, widened(k, x)
    left, t, rest = reflected(k, x)
    z = t + STEPS
    y = k.log(z) - 0.5 / z - series(k, z, [b / n for n, b in COUNTED]) / (z * z)
    for i in range(STEPS):
        y = y - 1.0 / (t + i)
    y = k.where(left, y - pi / k.tan(rest * pi), y)
    pole = k.logical_and(left, rest == 0)  # or -inf
    y = k.where(pole, k.full_like(y, float("nan")), y)
    # 0.0 is the right end of the pole's gap, -0.0 the left one
    return typed_as(k, k.where(x == 0, -1.0 / x, y), given)


digamma.grad(x=lambda k, g, x: g * k.polygamma_of(x, 1))


@op(promote="float", kinds="f", method=False, oracle=None, domain=(0.1, 5))
def polygamma_of(k: Kernels, x: Tensor, order: int = 1) -> Tensor:
    """A derivative of digamma, elementwise, of an order > 0."""
    given, x = x, widened(k, x)
    left, t, rest = reflected(k, x)
    n = order  # as the formulas call it
    steps = STEPS + n  # the series takes longer to reach its digits
    y = k.zeros_like(t)
    for i in range(steps):
        y = y + 1.0 / power(t + i, n + 1)
    z = t + steps
    tail = series(k, z, [b * factorial(m + n - 1) / factorial(m) for m, b in COUNTED])
    tail = tail / (z * z) + factorial(n) * 0.5 / z + factorial(n - 1)
    y = y * factorial(n) + tail / power(z, n)
    y = k.where(t == float("inf"), k.zeros_like(y), y)
    mirror = -y - slope_of_cot(k.tan(rest * pi), n) * pi ** (n + 1)
    y = k.where(left, mirror, y if n % 2 else -y)
    pole = k.logical_and(left, rest == 0)
    y = k.where(pole, k.full_like(y, float("inf" if n % 2 else "-inf")), y)
    return typed_as(k, y, given)


polygamma_of.grad(x=lambda k, g, x, order: g * k.polygamma_of(x, order + 1))


def power(x: Array, n: int) -> Array:
    """x to the power of n > 0, by products."""
    y = x
    for _ in range(n - 1):
        y = y * x
    return y


def slope_of_cot(tangent: Array, n: int) -> Array:
    """The n-th derivative of the cotangent, given the tangent."""
    # a polynomial of the cotangent c, of which the derivative is -(1 + c * c)
    factors = [0, 1]
    for _ in range(n):
        slopes = [i * factor for i, factor in enumerate(factors)][1:]
        factors = [-(a + b) for a, b in zip([*slopes, 0, 0], [0, 0, *slopes])]
    c = 1.0 / tangent
    y = c * factors[-1]
    for factor in factors[-2:0:-1]:
        y = (y + factor) * c
    return y + factors[0]


def polygamma(n: int, input: Tensor) -> Tensor:
    """The n-th derivative of digamma, elementwise.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 2.0])
    >>> plugrad.polygamma(1, x), x.polygamma(0) == x.digamma()
    (tensor([1.6449, 0.6449]), tensor([True, True]))
    """
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, but n is {n}")
    return polygamma_of(input, n) if n else digamma(input)


def mvlgamma(input: Tensor, p: int) -> Tensor:
    """log(|gamma(x)|) of p dimensions, elementwise: the sum of lgamma(x - i / 2) for
    i < p, and a constant.

    >>> import plugrad
    >>> plugrad.mvlgamma(plugrad.tensor([3.0]), 2)
    tensor([1.5502])
    """
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, not {p}")
    y = lgamma(input)
    for i in range(1, p):
        y = y + lgamma(input - i / 2)
    return y + p * (p - 1) / 4 * log(pi)


def _polygamma(self: Tensor, n: int) -> Tensor:
    """The n-th derivative of digamma, elementwise."""
    return polygamma(n, self)


_polygamma.__name__ = "polygamma"
METHODS = (_polygamma, mvlgamma)
