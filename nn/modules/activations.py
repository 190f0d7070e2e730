"""Activation functions as layers."""

from __future__ import annotations

import warnings
from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class InPlace(Module):
    """A layer of a function that may write its result into the input."""

    inplace: bool

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""

    def with_inplace(self, text: str) -> str:
        """What is printed of the settings, these first."""
        return f"{text}, inplace=True" if self.inplace else text


# --- Rectifiers -----------------------------------------------------------------------


class ReLU(InPlace):
    """max(x, 0), elementwise.

    >>> import plugrad
    >>> plugrad.nn.ReLU()(plugrad.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.relu(input, self.inplace)


class Hardtanh(InPlace):
    """x, but not below `min_val` nor above `max_val`, elementwise.

    >>> import plugrad
    >>> plugrad.nn.Hardtanh(-2, 2)(plugrad.tensor([-3.0, 0.5, 3.0]))
    tensor([-2.0000,  0.5000,  2.0000])
    """

    min_val: float
    max_val: float

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        for name, value in (("min", min_value), ("max", max_value)):
            if value is not None:
                warnings.warn(
                    f"keyword argument `{name}_value` is deprecated and rename to "
                    f"`{name}_val`",
                    FutureWarning,
                    stacklevel=2,
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if not self.max_val > self.min_val:
            raise AssertionError(
                f"max_val must be larger than min_val, but they are {self.max_val} and "
                f"{self.min_val}"
            )

    def forward(self, input: Tensor) -> Tensor:
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)

    def extra_repr(self) -> str:
        return self.with_inplace(f"min_val={self.min_val}, max_val={self.max_val}")


class ReLU6(Hardtanh):
    """x, but not below 0 nor above 6, elementwise.

    >>> import plugrad
    >>> plugrad.nn.ReLU6()(plugrad.tensor([-1.0, 2.0, 8.0]))
    tensor([0., 2., 6.])
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class LeakyReLU(InPlace):
    """x where it is positive, else negative_slope * x, elementwise.

    >>> import plugrad
    >>> plugrad.nn.LeakyReLU(0.1)(plugrad.tensor([-2.0, 3.0]))
    tensor([-0.2000,  3.0000])
    """

    negative_slope: float

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        return F.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        return self.with_inplace(f"negative_slope={self.negative_slope}")


class PReLU(Module):
    """x where it is positive, else times a weight that is learned: one for all
    elements, or one for each channel (the second dimension).

    >>> import plugrad
    >>> plugrad.nn.PReLU()(plugrad.tensor([-2.0, 3.0])).detach()
    tensor([-0.5000,  3.0000])
    """

    num_parameters: int
    weight: Tensor

    def __init__(
        self,
        num_parameters: int = 1,
        init: float = 0.25,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        empty = plugrad.empty(num_parameters, device=device, dtype=dtype)
        self.weight = Parameter(empty)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to what it was at first."""
        with plugrad.no_grad():
            self.weight.fill_(self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"


class RReLU(InPlace):
    """x where it is positive, else times a slope: in training a random one between
    `lower` and `upper` for each element, else the middle of the two.

    >>> import plugrad
    >>> plugrad.nn.RReLU(0.2, 0.4).eval()(plugrad.tensor([-1.0, 1.0]))
    tensor([-0.3000,  1.0000])
    """

    lower: float
    upper: float

    def __init__(
        self, lower: float = 1 / 8, upper: float = 1 / 3, inplace: bool = False
    ) -> None:
        super().__init__(inplace)
        self.lower = lower
        self.upper = upper

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)

    def extra_repr(self) -> str:
        return self.with_inplace(f"lower={self.lower}, upper={self.upper}")


class Threshold(InPlace):
    """x where it is above a threshold, else `value`, elementwise.

    >>> import plugrad
    >>> plugrad.nn.Threshold(1.0, 20.0)(plugrad.tensor([-1.0, 0.5, 2.0]))
    tensor([20., 20.,  2.])
    """

    threshold: float
    value: float

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold = threshold
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.threshold(input, self.threshold, self.value, self.inplace)

    def extra_repr(self) -> str:
        return self.with_inplace(f"threshold={self.threshold}, value={self.value}")


# --- Exponential ----------------------------------------------------------------------


class ELU(InPlace):
    """x where it is positive, else alpha * (exp(x) - 1), elementwise.

    >>> import plugrad
    >>> plugrad.nn.ELU()(plugrad.tensor([-10.0, -1.0, 2.0]))
    tensor([-1.0000, -0.6321,  2.0000])
    """

    alpha: float

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return self.with_inplace(f"alpha={self.alpha}")


class CELU(InPlace):
    """x where it is positive, else alpha * (exp(x / alpha) - 1), elementwise.

    >>> import plugrad
    >>> plugrad.nn.CELU(2.0)(plugrad.tensor([-10.0, 0.0, 1.0]))
    tensor([-1.9865,  0.0000,  1.0000])
    """

    alpha: float

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        return F.celu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        return self.with_inplace(f"alpha={self.alpha}")


class SELU(InPlace):
    """x where it is positive, else 1.6733 * (exp(x) - 1), all times 1.0507.

    >>> import plugrad
    >>> plugrad.nn.SELU()(plugrad.tensor([-10.0, 0.0, 1.0]))
    tensor([-1.7580,  0.0000,  1.0507])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.selu(input, self.inplace)


class GELU(Module):
    """x times the chance that a normal number is below x, elementwise; with
    `approximate="tanh"` nearly so, and faster.

    >>> import plugrad
    >>> plugrad.nn.GELU()(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.1587,  0.0000,  0.8413])
    """

    approximate: str

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        return F.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class SiLU(InPlace):
    """x * sigmoid(x), elementwise.

    >>> import plugrad
    >>> plugrad.nn.SiLU()(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.2689,  0.0000,  0.7311])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.silu(input, self.inplace)


class Mish(InPlace):
    """x * tanh(log(1 + exp(x))), elementwise.

    >>> import plugrad
    >>> plugrad.nn.Mish()(plugrad.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.3034,  0.0000,  0.8651])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.mish(input, self.inplace)


class Softplus(Module):
    """log(1 + exp(beta * x)) / beta, elementwise; x itself beyond the threshold.

    >>> import plugrad
    >>> plugrad.nn.Softplus()(plugrad.tensor([-1.0, 0.0, 30.0]))
    tensor([ 0.3133,  0.6931, 30.0000])
    """

    beta: float
    threshold: float

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        return F.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class GLU(Module):
    """a * sigmoid(b), for the halves a and b of the input along a dimension.

    >>> import plugrad
    >>> plugrad.nn.GLU()(plugrad.tensor([1.0, 2.0, 0.0, 100.0]))
    tensor([0.5000, 2.0000])
    """

    dim: int

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        return F.glu(input, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


# --- From one level to another --------------------------------------------------------


class Sigmoid(Module):
    """1 / (1 + exp(-x)), elementwise.

    >>> import plugrad
    >>> plugrad.nn.Sigmoid()(plugrad.tensor([-2.0, 0.0, 2.0]))
    tensor([0.1192, 0.5000, 0.8808])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.sigmoid()


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x))), elementwise.

    >>> import plugrad
    >>> plugrad.nn.LogSigmoid()(plugrad.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.logsigmoid(input)


class Tanh(Module):
    """The hyperbolic tangent, elementwise.

    >>> import plugrad
    >>> plugrad.nn.Tanh()(plugrad.tensor([0.0, 100.0]))
    tensor([0., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return input.tanh()


class Tanhshrink(Module):
    """x - tanh(x), elementwise.

    >>> import plugrad
    >>> plugrad.nn.Tanhshrink()(plugrad.tensor([0.0, 100.0]))
    tensor([ 0., 99.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.tanhshrink(input)


class Softsign(Module):
    """x / (1 + abs(x)), elementwise.

    >>> import plugrad
    >>> plugrad.nn.Softsign()(plugrad.tensor([-3.0, 0.0, 1.0]))
    tensor([-0.7500,  0.0000,  0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softsign(input)


class Hardsigmoid(InPlace):
    """x / 6 + 1 / 2, but not below 0 nor above 1, elementwise.

    >>> import plugrad
    >>> plugrad.nn.Hardsigmoid()(plugrad.tensor([-4.0, 0.0, 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardswish(InPlace):
    """x times `hardsigmoid(x)`, elementwise.

    >>> import plugrad
    >>> plugrad.nn.Hardswish()(plugrad.tensor([-1.5, 1.5, 4.0]))
    tensor([-0.3750,  1.1250,  4.0000])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.hardswish(input, self.inplace)

    def extra_repr(self) -> str:
        return ""


class Hardshrink(Module):
    """x where it is further than `lambd` from 0, else 0, elementwise.

    >>> import plugrad
    >>> plugrad.nn.Hardshrink()(plugrad.tensor([-1.0, 0.2, 0.7]))
    tensor([-1.0000,  0.0000,  0.7000])
    """

    lambd: float

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.hardshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


class Softshrink(Module):
    """x moved towards 0 by `lambd`, and 0 where it is nearer than that.

    >>> import plugrad
    >>> plugrad.nn.Softshrink()(plugrad.tensor([-1.0, 0.2, 0.75]))
    tensor([-0.5000,  0.0000,  0.2500])
    """

    lambd: float

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, input: Tensor) -> Tensor:
        return F.softshrink(input, self.lambd)

    def extra_repr(self) -> str:
        return f"{self.lambd}"


# --- Along a dimension ----------------------------------------------------------------


class AlongDim(Module):
    """A layer of a function along one dimension."""

    dim: int | None

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if not hasattr(self, "dim"):
            self.dim = None

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Softmax(AlongDim):
    """exp(x) / exp(x).sum(dim): positive numbers that sum to 1.

    >>> import plugrad
    >>> plugrad.nn.Softmax(dim=0)(plugrad.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmin(AlongDim):
    """The softmax of -x: the smallest gets most.

    >>> import plugrad
    >>> plugrad.nn.Softmin(dim=0)(plugrad.zeros(4))
    tensor([0.2500, 0.2500, 0.2500, 0.2500])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.softmin(input, self.dim, _stacklevel=5)


class LogSoftmax(AlongDim):
    """log(softmax(x, dim)), exact where that would be log(0).

    >>> import plugrad
    >>> plugrad.nn.LogSoftmax(dim=0)(plugrad.tensor([0.0, 200.0]))
    tensor([-200.,    0.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Softmax2d(Module):
    """The softmax over the channels at each place of an image, (channels, height,
    width) or a batch of such.

    >>> import plugrad
    >>> plugrad.nn.Softmax2d()(plugrad.zeros(2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ValueError(
                "Softmax2d: expected input to be 3D or 4D, but got shape "
                f"{list(input.shape)}"
            )
        return F.softmax(input, -3)
