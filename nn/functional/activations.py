"""Activation functions, as PyTorch's `nn.functional` has them.

With `inplace` the result is written into the input, and returned.
"""

from __future__ import annotations

import warnings
from typing import Any

import plugrad
from plugrad import (
    Tensor,
    celu_,
    hardshrink,
    prelu,
    relu_,
    rrelu_,
    selu_,
    threshold_,
)

from . import activation_ops as ops
from .activation_ops import (
    elu_,
    gelu,
    hardtanh_,
    leaky_relu_,
    logsigmoid,
    softplus,
    softshrink,
)

__all__ = [
    "celu",
    "celu_",
    "elu",
    "elu_",
    "gelu",
    "glu",
    "gumbel_softmax",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hardtanh_",
    "leaky_relu",
    "leaky_relu_",
    "log_softmax",
    "logsigmoid",
    "mish",
    "normalize",
    "prelu",
    "relu",
    "relu6",
    "relu_",
    "rrelu",
    "rrelu_",
    "selu",
    "selu_",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]


# --- Rectifiers -----------------------------------------------------------------------


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """max(x, 0), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.relu(plugrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return relu_(input) if inplace else plugrad.relu(input)


def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """x, but not below 0 nor above 6, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.relu6(plugrad.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """
    return (hardtanh_ if inplace else ops.hardtanh)(input, 0.0, 6.0)


def hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Tensor:
    """x, but not below `min_val` nor above `max_val`, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.hardtanh(plugrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(
            f"min_val cannot be greater than max_val, but they are {min_val} and "
            f"{max_val}"
        )
    return (hardtanh_ if inplace else ops.hardtanh)(input, min_val, max_val)


def leaky_relu(
    input: Tensor, negative_slope: float = 0.01, inplace: bool = False
) -> Tensor:
    """x where it is positive, else negative_slope * x, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.leaky_relu(plugrad.tensor([-2.0, 3.0]), 0.1)
    tensor([-0.2000,  3.0000])
    """
    return (leaky_relu_ if inplace else ops.leaky_relu)(input, negative_slope)


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """x where it is positive, else times a slope: in training a random one between
    `lower` and `upper` for each element, else the middle of the two.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.rrelu(plugrad.tensor([-1.0, 1.0]), 0.2, 0.4)
    tensor([-0.3000,  1.0000])
    """
    return (rrelu_ if inplace else plugrad.rrelu)(input, lower, upper, training)


def threshold(
    input: Tensor, threshold: float, value: float, inplace: bool = False
) -> Tensor:
    """x where it is above a threshold, else `value`, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.threshold(plugrad.tensor([-1.0, 0.5, 2.0]), 1.0, 20.0)
    tensor([20., 20.,  2.])
    """
    return (threshold_ if inplace else plugrad.threshold)(input, threshold, value)


# --- Exponential ----------------------------------------------------------------------


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where it is positive, else alpha * (exp(x) - 1), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.elu(plugrad.tensor([-10.0, -1.0, 2.0]))
    tensor([-1.0000, -0.6321,  2.0000])
    """
    return (elu_ if inplace else ops.elu)(input, alpha)


def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """x where it is positive, else 1.6733 * (exp(x) - 1), all times 1.0507.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.selu(plugrad.tensor([-10.0, 0.0, 1.0]))
    tensor([-1.7580,  0.0000,  1.0507])
    """
    return selu_(input) if inplace else plugrad.selu(input)


def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """x where it is positive, else alpha * (exp(x / alpha) - 1), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.celu(plugrad.tensor([-10.0, 0.0, 1.0]), 2.0)
    tensor([-1.9865,  0.0000,  1.0000])
    """
    return (celu_ if inplace else plugrad.celu)(input, alpha)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """x * sigmoid(x), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.silu(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """
    return (ops.silu_ if inplace else ops.silu)(input)


def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """x * tanh(log(1 + exp(x))), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.mish(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """
    return (ops.mish_ if inplace else ops.mish)(input)


def glu(input: Tensor, dim: int = -1) -> Tensor:
    """a * sigmoid(b), for the halves a and b of the input along a dimension.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.glu(plugrad.tensor([1.0, 2.0, 0.0, 100.0]))
    tensor([0.5000, 2.0000])
    """
    if not input.ndim:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if not -input.ndim <= dim < input.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-input.ndim}, "
            f"{input.ndim - 1}], but got {dim})"
        )
    n = input.shape[dim]
    if n % 2:
        raise RuntimeError(
            f"Halving dimension must be even, but dimension {dim} is size {n}"
        )
    return input.narrow(dim, 0, n // 2) * input.narrow(dim, n // 2, n // 2).sigmoid()


def sigmoid(input: Tensor) -> Tensor:
    """1 / (1 + exp(-x)), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.sigmoid(plugrad.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """
    return input.sigmoid()


def tanh(input: Tensor) -> Tensor:
    """The hyperbolic tangent, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.tanh(plugrad.tensor([0.0, 100.0]))
    tensor([0., 1.])
    """
    return input.tanh()


def tanhshrink(input: Tensor) -> Tensor:
    """x - tanh(x), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.tanhshrink(plugrad.tensor([0.0, 100.0]))
    tensor([ 0., 99.])
    """
    return input - input.tanh()


def softsign(input: Tensor) -> Tensor:
    """x / (1 + abs(x)), elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.softsign(plugrad.tensor([-3.0, 0.0, 1.0]))
    tensor([-0.7500,  0.0000,  0.5000])
    """
    return input / (input.abs() + 1)


def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """x / 6 + 1 / 2, but not below 0 nor above 1, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.hardsigmoid(plugrad.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return (ops.hardsigmoid_ if inplace else ops.hardsigmoid)(input)


def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """x times `hardsigmoid(x)`, elementwise.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.hardswish(plugrad.tensor([-1.5, 1.5, 4.0]))
    tensor([-0.3750,  1.1250,  4.0000])
    """
    return (ops.hardswish_ if inplace else ops.hardswish)(input)


# --- Along a dimension ----------------------------------------------------------------


def chosen_dim(name: str, input: Tensor, stacklevel: int) -> int:
    """The dimension that PyTorch takes where none is given, with its warning."""
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to "
        "include dim=X as an argument.",
        stacklevel=stacklevel + 1,
    )
    return 0 if input.ndim in (0, 1, 3) else 1


def softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """exp(x) / exp(x).sum(dim): positive numbers that sum to 1.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.softmax(plugrad.zeros(4), dim=0)
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """
    if dim is None:
        dim = chosen_dim("softmax", input, _stacklevel)
    if dtype is None:
        return plugrad.softmax(input, dim)
    return plugrad.softmax(input, dim, dtype=dtype)


def softmin(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """The softmax of -x: the smallest gets most.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.softmin(plugrad.tensor([0.0, 100.0]), dim=0)
    tensor([1.0000e+00, 3.7835e-44])
    """
    if dim is None:
        dim = chosen_dim("softmin", input, _stacklevel)
    return softmax(-input, dim, dtype=dtype)


def log_softmax(
    input: Tensor, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None
) -> Tensor:
    """log(softmax(x, dim)), exact where that would be log(0).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.log_softmax(plugrad.tensor([0.0, 200.0]), dim=0)
    tensor([-200.,    0.])
    """
    if dim is None:
        dim = chosen_dim("log_softmax", input, _stacklevel)
    if dtype is None:
        return plugrad.log_softmax(input, dim)
    return plugrad.log_softmax(input, dim, dtype=dtype)


def gumbel_softmax(
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """Random numbers that sum to 1, nearer to a single 1 the lower the temperature
    `tau` is; with `hard` a single 1, and the gradient of what it was chosen by.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.gumbel_softmax(plugrad.tensor([[0.0, 100.0]]), hard=True)
    tensor([[0., 1.]])
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = plugrad.empty_like(logits, requires_grad=False).exponential_().log()
    soft = ((logits - noise) / tau).softmax(dim)
    if not hard:
        return soft
    kept = soft.detach()
    place = kept.argmax(dim, keepdim=True)
    ones = plugrad.ones_like(place, dtype=logits.dtype)
    single = plugrad.zeros_like(kept).scatter(dim, place, ones)
    return single - kept + soft


def normalize(
    input: Tensor,
    p: float = 2.0,
    dim: Any = 1,
    eps: float = 1e-12,
    out: Tensor | None = None,
) -> Tensor:
    """The input over its p-norm along a dimension (or `eps`, if that is larger).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.normalize(plugrad.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    size = input.norm(p, dim, keepdim=True).clamp_min(eps)
    if out is not None:
        return plugrad.div(input, size, out=out)
    return input / size
