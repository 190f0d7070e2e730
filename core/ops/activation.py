"""Activation functions, element by element.

All are finite at +-1000, and so are their first and second derivatives.
"""

from __future__ import annotations

from math import pi, sqrt

from ..declare import Sample, op
from .math import typed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = [
    "elu",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "logit",
    "logsigmoid",
    "relu",
    "sigmoid",
    "silu",
    "softplus",
]


@op(promote="same", kinds="iuf")
def relu(k: Kernels, x: Tensor) -> Tensor:
    """max(x, 0), elementwise.

    >>> import plugrad
    >>> x = plugrad.tensor([-1.0, 0.0, 2.0], requires_grad=True)
    >>> plugrad.relu(x).sum().backward()
    >>> x.grad
    tensor([0., 0., 1.])
    """
    return k.maximum(x, k.zeros_like(x))


relu.grad(x=lambda k, g, y: k.gate(g, y))


@op(kinds="fc", method=False, oracle=None)
def gate(k: Kernels, g: Tensor, y: Tensor) -> Tensor:
    """g where y is not zero, else 0, elementwise."""
    return k.where(y != 0, g, k.zeros_like(g))


gate.grad(g=lambda k, g, y: k.gate(g, y))


@gate.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (1,), (3,), (2, 3), (2, 0), (2, 1, 3)):
        yield Sample(make(*shape), make.integers(*shape, high=2, dtype=make.dtype))
    yield Sample(make.strided(2, 3), make(2, 3))
    yield Sample(make(2, 3), make.strided(2, 3))
    yield Sample(make.expanded(2, 3), make(2, 3))


@op(promote="float")
def sigmoid(k: Kernels, x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), elementwise.

    >>> import plugrad
    >>> plugrad.sigmoid(plugrad.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """
    return 1.0 / (k.exp(-x) + 1.0)


def slope_of_sigmoid(k: Kernels, g: Array, y: Array) -> Array:
    """g * y * (1 - y)."""
    g = g * y
    return g - g * y


sigmoid.grad(x=slope_of_sigmoid)


@op(promote="float", kinds="f", domain=(0.1, 0.9))
def logit(k: Kernels, x: Tensor, eps: float | None = None) -> Tensor:
    """log(x / (1 - x)), elementwise; with `eps`, of x clamped to [eps, 1 - eps].

    >>> import plugrad
    >>> plugrad.tensor([0.5, 1.0]).logit(eps=0.25)
    tensor([0.0000, 1.0986])
    """
    if eps is not None:
        low, high = k.full_like(x, eps), k.full_like(x, 1 - eps)
        x = k.minimum(k.maximum(x, low), high)
    return k.log(x / (1 - x))


def slope_of_logit(k: Kernels, g: Array, x: Array, eps: float | None) -> Array:
    """g / (x * (1 - x)); outside the limits 0, or NaN where there are none."""
    low, high = (0.0, 1.0) if eps is None else (eps, 1 - eps)
    inside = k.logical_and(x >= low, x <= high)
    y = g / (x * (1 - x) + 0)  # -0.0 counts as 0.0
    zero = k.zeros_like(g)
    return k.where(inside, y, zero / zero if eps is None else zero)


logit.grad(x=slope_of_logit)


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.logsigmoid")
def logsigmoid(k: Kernels, x: Tensor) -> Tensor:
    """log(1 / (1 + exp(-x))), elementwise.

    >>> import plugrad
    >>> plugrad.logsigmoid(plugrad.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """
    return k.minimum(x, k.zeros_like(x)) - k.log1p(k.exp(-k.abs(x)))


logsigmoid.grad(x=lambda k, g, x: g * k.sigmoid(-x))


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.softplus")
def softplus(
    k: Kernels, x: Tensor, beta: float = 1.0, threshold: float = 20.0
) -> Tensor:
    """log(1 + exp(beta * x)) / beta, elementwise; x itself beyond the threshold.

    >>> import plugrad
    >>> plugrad.softplus(plugrad.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    z = x * beta
    return k.where(z > threshold, x, k.logaddexp(z, k.zeros_like(z)) / beta)


def slope_of_softplus(
    k: Kernels, g: Array, x: Array, beta: float, threshold: float
) -> Array:
    """g * sigmoid(beta * x), or g beyond the threshold."""
    z = x if beta == 1 else x * beta
    return k.where(z > threshold, g, g * k.sigmoid(z))


softplus.grad(x=slope_of_softplus)


@op(promote="same", kinds="fc", method=False, oracle="torch.nn.functional.silu")
def silu(k: Kernels, x: Tensor) -> Tensor:
    """x * sigmoid(x), elementwise.

    >>> import plugrad
    >>> plugrad.silu(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return x / (k.exp(-x) + 1.0)


def slope_of_silu(k: Kernels, g: Array, x: Array) -> Array:
    """g * s * (1 + x * (1 - s)) for s = sigmoid(x)."""
    s = k.sigmoid(x)
    g = g * s
    gx = g * x
    return g + (gx - gx * s)  # 0 beside g where s is 1


silu.grad(x=slope_of_silu)


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.gelu")
def gelu(k: Kernels, x: Tensor, approximate: str = "none") -> Tensor:
    """x times the chance that a normal number is below x, elementwise; with
    `approximate="tanh"` nearly so, and faster.

    >>> import plugrad
    >>> plugrad.gelu(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """
    if approximate == "none":
        return typed_as(k, x / 2 * (k.erf(x * sqrt(0.5)) + 1), x)
    if approximate == "tanh":
        return typed_as(k, x / 2 * (k.tanh(tanh_of_gelu(x)) + 1), x)
    raise RuntimeError(
        f"gelu: approximate must be 'none' or 'tanh', but is {approximate!r}"
    )


CUBIC = 0.044715


def tanh_of_gelu(x: Array) -> Array:
    """What the approximation takes the tanh of."""
    return (x + x * x * x * CUBIC) * sqrt(2 / pi)


def slope_of_gelu(k: Kernels, g: Array, x: Array, approximate: str) -> Array:
    """The gradient of gelu, by either formula."""
    if approximate == "none":
        below = (k.erf(x * sqrt(0.5)) + 1.0) * 0.5
        slope = below + x * k.exp(x * x * -0.5) * sqrt(0.5 / pi)
        return typed_as(k, g * slope, g)
    t = k.tanh(tanh_of_gelu(x))
    inner = (x * x * (3 * CUBIC) + 1.0) * sqrt(2 / pi)
    rest = 1.0 - t * t
    far = rest == 0  # where `inner` may be infinite
    bend = k.where(far, k.zeros_like(rest), x * rest * inner)
    return typed_as(k, g * 0.5 * (t + 1.0 + bend), g)


gelu.grad(x=slope_of_gelu)


@gelu.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (3,), (2, 3)):
        yield Sample(make(*shape))
        yield Sample(make(*shape), approximate="tanh")
    yield Sample(make.strided(2, 3))
    yield Sample(make.expanded(2, 3))
    yield Sample(make.large(6)).named("large", smooth=False)
    yield Sample(make.large(6), approximate="tanh").named("large, tanh", smooth=False)
    yield Sample(make(3), approximate="other").named("unknown")


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.elu")
def elu(k: Kernels, x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else alpha * (exp(x) - 1), elementwise.

    >>> import plugrad
    >>> plugrad.elu(plugrad.tensor([-10.0, -1.0, 2.0]))
    tensor([-1.0000, -0.6321,  2.0000])
    """
    return k.where(x > 0, x, k.expm1(x) * alpha)


def slope_of_elu(k: Kernels, g: Array, x: Array, alpha: float) -> Array:
    """g where x is positive, else g * alpha * exp(x)."""
    below = k.exp(k.minimum(x, k.zeros_like(x)))
    return typed_as(k, k.where(x <= 0, g * alpha * below, g), g)


elu.grad(x=slope_of_elu)


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.leaky_relu")
def leaky_relu(k: Kernels, x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, else negative_slope * x, elementwise.

    >>> import plugrad
    >>> plugrad.leaky_relu(plugrad.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2000,  3.0000])
    """
    return typed_as(k, k.where(x > 0, x, x * negative_slope), x)


leaky_relu.grad(x=lambda k, g, x, negative_slope: k.leak(g, x, negative_slope))


@op(kinds="f", method=False, oracle=None)
def leak(k: Kernels, g: Tensor, x: Tensor, slope: float) -> Tensor:
    """g, times the slope where x is not positive, elementwise."""
    return typed_as(k, k.where(x > 0, g, g * slope), g)


leak.grad(g=lambda k, g, x, slope: k.leak(g, x, slope))


@leak.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (1,), (3,), (2, 3), (2, 0), (2, 1, 3)):
        yield Sample(make(*shape), make(*shape), 0.1)
    yield Sample(make.strided(2, 3), make(2, 3), 0.5)
    yield Sample(make(2, 3), make.strided(2, 3), -1.0)
    yield Sample(make.expanded(2, 3), make(2, 3), 2.0)


@op(promote="same", kinds="iuf", method=False, oracle="torch.nn.functional.hardtanh")
def hardtanh(
    k: Kernels, x: Tensor, min_val: float = -1.0, max_val: float = 1.0
) -> Tensor:
    """x, but not below `min_val` nor above `max_val`, elementwise.

    >>> import plugrad
    >>> plugrad.hardtanh(plugrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    dtype = k.dtype_of(x)
    if dtype.kind == "u" and min(min_val, max_val) < 0:
        raise RuntimeError(f"hardtanh: {dtype} has no negative numbers for the limits")
    low, high = k.make_scalar(min_val, dtype), k.make_scalar(max_val, dtype)
    return k.minimum(k.maximum(x, low), high)


def slope_of_hardtanh(
    k: Kernels, g: Array, x: Array, min_val: float, max_val: float
) -> Array:
    """0 at the limits and beyond, else g."""
    outside = k.logical_or(x <= min_val, x >= max_val)
    return k.where(outside, k.zeros_like(g), g)


hardtanh.grad(x=slope_of_hardtanh)
