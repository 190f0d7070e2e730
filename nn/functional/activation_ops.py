"""The ops among the activation functions that PyTorch has only in `nn.functional`.

All are finite at +-1000, and so are their first and second derivatives.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, sqrt
from typing import Any

from plugrad import Tensor, op
from plugrad.testing import Sample


def typed_as(k: Any, y: Any, x: Any) -> Any:
    """`y` in the dtype of `x`: times a Python float, ml_dtypes' bfloat16 is float32."""
    return y if y.dtype is x.dtype else k.astype(y, x.dtype)


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.logsigmoid")
def logsigmoid(k: Any, x: Tensor) -> Tensor:
    """log(1 / (1 + exp(-x))), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.logsigmoid(plugrad.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """
    return k.minimum(x, k.zeros_like(x)) - k.log1p(k.exp(-k.abs(x)))


logsigmoid.grad(x=lambda k, g, x: g * k.sigmoid(-x))


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.softplus")
def softplus(k: Any, x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta * x)) / beta, elementwise; x itself beyond the threshold.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.softplus(plugrad.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """
    z = x * beta
    return k.where(z > threshold, x, k.logaddexp(z, k.zeros_like(z)) / beta)


def slope_of_softplus(k: Any, g: Any, x: Any, beta: float, threshold: float) -> Any:
    """g * sigmoid(beta * x), or g beyond the threshold."""
    z = x if beta == 1 else x * beta
    return k.where(z > threshold, g, g * k.sigmoid(z))


softplus.grad(x=slope_of_softplus)


@op(promote="same", kinds="fc", method=False, oracle="torch.nn.functional.silu")
def silu(k: Any, x: Tensor) -> Tensor:
    """x * sigmoid(x), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.silu(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return x / (k.exp(-x) + 1.0)


def slope_of_silu(k: Any, g: Any, x: Any) -> Any:
    """g * s * (1 + x * (1 - s)) for s = sigmoid(x)."""
    s = k.sigmoid(x)
    g = g * s
    gx = g * x
    return g + (gx - gx * s)  # 0 beside g where s is 1


silu.grad(x=slope_of_silu)


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.gelu")
def gelu(k: Any, x: Tensor, approximate: str = "none") -> Tensor:
    """x times the chance that a normal number is below x, elementwise; with
    `approximate="tanh"` nearly so, and faster.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.gelu(plugrad.tensor([-1.0, 0.0, 1.0]))
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


def tanh_of_gelu(x: Any) -> Any:
    """What the approximation takes the tanh of."""
    return (x + x * x * x * CUBIC) * sqrt(2 / pi)


def slope_of_gelu(k: Any, g: Any, x: Any, approximate: str) -> Any:
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
def elu(k: Any, x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else alpha * (exp(x) - 1), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.elu(plugrad.tensor([-10.0, -1.0, 2.0]))
    tensor([-1.0000, -0.6321,  2.0000])
    """
    return k.where(x > 0, x, k.expm1(x) * alpha)


def slope_of_elu(k: Any, g: Any, x: Any, alpha: float) -> Any:
    """g where x is positive, else g * alpha * exp(x)."""
    below = k.exp(k.minimum(x, k.zeros_like(x)))
    return typed_as(k, k.where(x <= 0, g * alpha * below, g), g)


elu.grad(x=slope_of_elu)


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.leaky_relu")
def leaky_relu(k: Any, x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, else negative_slope * x, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.leaky_relu(plugrad.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2000,  3.0000])
    """
    return typed_as(k, k.where(x > 0, x, x * negative_slope), x)


leaky_relu.grad(x=lambda k, g, x, negative_slope: k.leak(g, x, negative_slope))


@op(kinds="f", method=False, oracle=None)
def leak(k: Any, g: Tensor, x: Tensor, slope: float) -> Tensor:
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
def hardtanh(k: Any, x: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """x, but not below `min_val` nor above `max_val`, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.hardtanh(plugrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError("min_val cannot be greater than max_val")
    dtype = k.dtype_of(x)
    if dtype.kind == "u" and min(min_val, max_val) < 0:
        raise RuntimeError(f"hardtanh: {dtype} has no negative numbers for the limits")
    low, high = k.make_scalar(min_val, dtype), k.make_scalar(max_val, dtype)
    return k.minimum(k.maximum(x, low), high)


def slope_of_hardtanh(k: Any, g: Any, x: Any, min_val: float, max_val: float) -> Any:
    """0 at the limits and beyond, else g."""
    outside = k.logical_or(x <= min_val, x >= max_val)
    return k.where(outside, k.zeros_like(g), g)


hardtanh.grad(x=slope_of_hardtanh)

# --- With bounds ----------------------------------------------------------------------


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.softshrink")
def softshrink(k: Any, x: Tensor, lambd: float = 0.5) -> Tensor:
    """x moved towards 0 by `lambd`, and 0 where it is nearer than that.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.softshrink(plugrad.tensor([-1.0, 0.2, 0.75]))
    tensor([-0.5000,  0.0000,  0.2500])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found {lambd}")
    near = k.abs(x) <= lambd
    return k.where(near, k.zeros_like(x), typed_as(k, x - k.sign(x) * lambd, x))


softshrink.grad(x=lambda k, g, x, lambd: k.kept_beyond(g, x, lambd))


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.hardsigmoid")
def hardsigmoid(k: Any, x: Tensor) -> Tensor:
    """x / 6 + 1 / 2, but not below 0 nor above 1, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.hardsigmoid(plugrad.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    six = k.full_like(x, 6.0)
    y = k.minimum(k.maximum(x + 3.0, k.zeros_like(x)), six) / 6.0
    return typed_as(k, y, x)


def slope_of_hardsigmoid(k: Any, g: Any, x: Any) -> Any:
    """g / 6 within the bounds, else 0."""
    return typed_as(k, k.where(k.abs(x) < 3, g / 6.0, k.zeros_like(g)), g)


hardsigmoid.grad(x=slope_of_hardsigmoid)


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.hardswish")
def hardswish(k: Any, x: Tensor) -> Tensor:
    """x times `hardsigmoid(x)`, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.hardswish(plugrad.tensor([-1.5, 1.5, 4.0]))
    tensor([-0.3750,  1.1250,  4.0000])
    """
    six = k.full_like(x, 6.0)
    y = x * (k.minimum(k.maximum(x + 3.0, k.zeros_like(x)), six) / 6.0)
    return typed_as(k, y, x)


def slope_of_hardswish(k: Any, g: Any, x: Any) -> Any:
    """g * (x / 3 + 1 / 2) between the bounds, 0 below, g above."""
    middle = g * (x / 3.0 + 0.5)
    slope = k.where(x <= -3, k.zeros_like(g), k.where(x < 3, middle, g))
    return typed_as(k, slope, g)


hardswish.grad(x=slope_of_hardswish)


# --- Smooth ---------------------------------------------------------------------------


@op(promote="same", kinds="f", method=False, oracle="torch.nn.functional.mish")
def mish(k: Any, x: Tensor) -> Tensor:
    """x * tanh(log(1 + exp(x))), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.mish(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return x * k.tanh(k.logaddexp(x, k.zeros_like(x)))


def slope_of_mish(k: Any, g: Any, x: Any) -> Any:
    """g * (t + x * (1 - t * t) * sigmoid(x)) for t = tanh(log(1 + exp(x)))."""
    t = k.tanh(k.logaddexp(x, k.zeros_like(x)))
    return typed_as(k, g * (t + x * (1.0 - t * t) * k.sigmoid(x)), g)


mish.grad(x=slope_of_mish)


# --- Written into the input -----------------------------------------------------------

elu_ = elu.op.inplace_function
hardtanh_ = hardtanh.op.inplace_function
leaky_relu_ = leaky_relu.op.inplace_function
silu_ = silu.op.inplace_function
hardsigmoid_ = hardsigmoid.op.inplace_function
hardswish_ = hardswish.op.inplace_function
mish_ = mish.op.inplace_function
