"""Activation functions, element by element; more are in `plugrad.nn.functional`.

All are finite at +-1000, and so are their first and second derivatives.
"""

from __future__ import annotations

from ..declare import Sample, op
from .math import typed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..random import Generator
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex

__all__ = [
    "celu",
    "celu_",
    "hardshrink",
    "logit",
    "prelu",
    "relu",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "threshold",
    "threshold_",
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
def gate(k: Kernels, g: Tensor, x: Tensor) -> Tensor:
    """g where x is not zero, else 0, elementwise."""
    return k.where(x != 0, g, k.zeros_like(g))


gate.grad(g=lambda k, g, x: k.gate(g, x))


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


def _exponential(k: Kernels, g: Array, x: Array, scale: float, rate: float) -> Array:
    """g * scale * exp(rate * x), from x no greater than 0."""
    below = k.minimum(x, k.zeros_like(x))
    return g * k.exp(below if rate == 1 else below * rate) * scale


@op(promote="same", kinds="f", method=False)
def selu(k: Kernels, x: Tensor) -> Tensor:
    """x where it is positive, else 1.6733 * (exp(x) - 1), all times 1.0507: what keeps
    mean 0 and variance 1 from layer to layer.

    >>> import plugrad
    >>> plugrad.selu(plugrad.tensor([-10.0, 0.0, 1.0]))
    tensor([-1.7580,  0.0000,  1.0507])
    """
    below = k.expm1(k.minimum(x, k.zeros_like(x))) * (SELU_ALPHA * SELU_SCALE)
    return typed_as(k, k.where(x > 0, x * SELU_SCALE, below), x)


SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


def slope_of_selu(k: Kernels, g: Array, x: Array) -> Array:
    """The gradient of selu."""
    below = _exponential(k, g, x, SELU_ALPHA * SELU_SCALE, 1)
    return typed_as(k, k.where(x <= 0, below, g * SELU_SCALE), g)


selu.grad(x=slope_of_selu)


@op(promote="same", kinds="f", method=False)
def celu(k: Kernels, x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else alpha * (exp(x / alpha) - 1), elementwise.

    >>> import plugrad
    >>> plugrad.celu(plugrad.tensor([-10.0, 0.0, 1.0]), 2.0)
    tensor([-1.9865,  0.0000,  1.0000])
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    below = k.expm1(k.minimum(x, k.zeros_like(x)) / alpha) * alpha
    return typed_as(k, k.where(x > 0, x, below), x)


def slope_of_celu(k: Kernels, g: Array, x: Array, alpha: float) -> Array:
    """g where x is positive, else g * exp(x / alpha)."""
    below = _exponential(k, g, x, 1, 1 / alpha)
    return typed_as(k, k.where(x <= 0, below, g), g)


celu.grad(x=slope_of_celu)


@op(promote="same", kinds="f", inplace=False)
def hardshrink(k: Kernels, x: Tensor, lambd: float = 0.5) -> Tensor:
    """x where it is further than `lambd` from 0, else 0, elementwise.

    >>> import plugrad
    >>> plugrad.hardshrink(plugrad.tensor([-1.0, 0.2, 0.7]))
    tensor([-1.0000,  0.0000,  0.7000])
    """
    return k.where(k.abs(x) <= lambd, k.zeros_like(x), x)


hardshrink.grad(x=lambda k, g, x, lambd: k.kept_beyond(g, x, lambd))


@op(kinds="f", method=False, oracle=None)
def kept_beyond(k: Kernels, g: Tensor, x: Tensor, limit: float) -> Tensor:
    """g where x is further than the limit from 0, else 0, elementwise."""
    return k.where(k.abs(x) <= limit, k.zeros_like(g), g)


kept_beyond.grad(g=lambda k, g, x, limit: k.kept_beyond(g, x, limit))


@kept_beyond.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (1,), (3,), (2, 3), (2, 0), (2, 1, 3)):
        yield Sample(make(*shape), make(*shape), 0.5)
    yield Sample(make.strided(2, 3), make(2, 3), 1.0)
    yield Sample(make(2, 3), make.strided(2, 3), 0.0)
    yield Sample(make.expanded(2, 3), make(2, 3), 0.1)


@op(promote="same", kinds="iuf", method=False)
def threshold(k: Kernels, x: Tensor, threshold: float, value: float) -> Tensor:
    """x where it is above a threshold, else `value`, elementwise.

    >>> import plugrad
    >>> plugrad.threshold(plugrad.tensor([-1.0, 0.5, 2.0]), 1.0, 20.0)
    tensor([20., 20.,  2.])
    """
    dtype = k.dtype_of(x)
    limit, other = k.make_scalar(threshold, dtype), k.make_scalar(value, dtype)
    return k.where(x <= limit, other, x)


threshold.grad(x=lambda k, g, x, threshold: k.where(x <= threshold, k.zeros_like(g), g))


@threshold.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (1,), (3,), (2, 3), (2, 0), (2, 1, 3)):
        yield Sample(make(*shape), 0, 20)
        yield Sample(make(*shape), 0.1, 1.5)
    yield Sample(make.strided(2, 3), 0.5, 0.5)
    yield Sample(make.expanded(2, 3), 1.5, 1)
    yield Sample(make.special(6), 0, 3).named("special", smooth=False)


@op(promote="same", kinds="f", method=False, oracle=None)
def bent(k: Kernels, x: Tensor, slope: Tensor | Number) -> Tensor:
    """x where it is positive, else x times a slope, elementwise."""
    return k.where(x > 0, x, x * slope)


bent.grad(
    x=lambda k, g, x, slope: k.where(x > 0, g, g * slope),
    slope=lambda k, g, x: k.where(x > 0, k.zeros_like(g), g * x),
)


def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """`input` where it is positive, else times a weight: one for all elements, or one
    for each place along the second dimension.

    >>> import plugrad
    >>> x = plugrad.tensor([[-1.0, -1.0], [2.0, 3.0]])
    >>> plugrad.prelu(x, plugrad.tensor([0.5, 0.25]))
    tensor([[-0.5000, -0.2500],
            [ 2.0000,  3.0000]])
    """
    if input.dtype is not weight.dtype:
        raise RuntimeError(
            f"prelu: input and weight must have one dtype, not {input.dtype} and "
            f"{weight.dtype}"
        )
    if weight.ndim > 1:
        raise RuntimeError(
            f"prelu: weight must have at most one dimension, not shape "
            f"{list(weight.shape)}"
        )
    n = weight.shape[0] if weight.ndim else 1
    if n == 1:
        return bent(input, weight if input.ndim else weight.reshape(()))
    channels = input.shape[1] if input.ndim > 1 else 1
    if input.ndim == 0 or channels != n:
        raise RuntimeError(
            f"prelu: weight has {n} numbers, but input of shape {list(input.shape)} "
            f"has {channels} channels (its second dimension)"
        )
    if input.ndim > 2:
        weight = weight.reshape(n, *(1,) * (input.ndim - 2))
    return bent(input, weight)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """`input` where it is positive, else times a slope: in training a random one
    between `lower` and `upper` for each element, else the middle of the two.

    >>> import plugrad
    >>> plugrad.rrelu(plugrad.tensor([-1.0, 1.0]), 0.2, 0.4)
    tensor([-0.3000,  1.0000])
    """
    return bent(input, slope_of_rrelu(input, lower, upper, training, generator))


def slope_of_rrelu(
    x: Tensor, lower: float, upper: float, training: bool, generator: Any = None
) -> Any:
    """What `rrelu` multiplies negative elements by."""
    if lower > upper:
        raise RuntimeError(
            f"rrelu: lower must not be greater than upper, but they are {lower} and "
            f"{upper}"
        )
    if not training:
        return (lower + upper) / 2
    from ..creation import empty_like

    return empty_like(x).uniform_(lower, upper, generator=generator)


def rrelu_(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    generator: Generator | None = None,
) -> Tensor:
    """`rrelu`, written into `input`.

    >>> import plugrad
    >>> x = plugrad.tensor([-1.0, 1.0])
    >>> plugrad.rrelu_(x, 0.2, 0.4) is x, x
    (True, tensor([-0.3000,  1.0000]))
    """
    slope = slope_of_rrelu(input, lower, upper, training, generator)
    return bent.op.inplace_function(input, slope)


relu_ = relu.op.inplace_function
selu_ = selu.op.inplace_function
celu_ = celu.op.inplace_function
threshold_ = threshold.op.inplace_function

METHODS = [prelu]
