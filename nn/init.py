"""First values of parameters; each function fills a tensor in place and returns it.

Names without an underscore at the end are PyTorch's old ones: they warn and call the
others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from warnings import warn

import plugrad
from plugrad import Generator, Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

GAINS = {
    "linear": 1,
    "conv1d": 1,
    "conv2d": 1,
    "conv3d": 1,
    "conv_transpose1d": 1,
    "conv_transpose2d": 1,
    "conv_transpose3d": 1,
    "sigmoid": 1,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much a nonlinearity's weights should be larger, so that the size of the
    values is kept from layer to layer.

    >>> from plugrad import nn
    >>> nn.init.calculate_gain("leaky_relu", 0.2)
    1.3867504905630728
    """
    if nonlinearity == "leaky_relu":
        if param is None:
            slope = 0.01
        elif isinstance(param, (int, float)) and not isinstance(param, bool):
            slope = param
        else:
            raise ValueError(f"negative_slope {param} not a valid number")
        return math.sqrt(2.0 / (1 + slope**2))
    if nonlinearity not in GAINS:
        raise ValueError(
            f"Unsupported nonlinearity {nonlinearity}; known are leaky_relu, "
            f"{', '.join(GAINS)}"
        )
    return GAINS[nonlinearity]


def _calculate_fan_in_and_fan_out(tensor: Tensor) -> tuple[int, int]:
    """How many values each output is made of, and each input goes into."""
    if tensor.ndim < 2:
        raise ValueError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 "
            "dimensions"
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _calculate_correct_fan(tensor: Tensor, mode: str) -> int:
    """One of the two, by name."""
    mode = mode.lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"Mode {mode} not supported, please use fan_in or fan_out")
    return _calculate_fan_in_and_fan_out(tensor)[mode == "fan_out"]


# --- Distributions --------------------------------------------------------------------


@plugrad.no_grad()
def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform numbers between `a` and `b`.

    >>> import plugrad
    >>> w = plugrad.nn.init.uniform_(plugrad.empty(3, 5))
    >>> bool((w >= 0).all() and (w < 1).all())
    True
    """
    return tensor.uniform_(a, b, generator=generator)


@plugrad.no_grad()
def normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers.

    >>> import plugrad
    >>> plugrad.nn.init.normal_(plugrad.empty(3), mean=2.0, std=0.0)
    tensor([2., 2., 2.])
    """
    return tensor.normal_(mean, std, generator=generator)


@plugrad.no_grad()
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers, of which those outside [a, b] are not drawn.

    >>> import plugrad
    >>> w = plugrad.nn.init.trunc_normal_(plugrad.empty(100), std=5.0)
    >>> bool((w.abs() <= 2).all())
    True
    """
    if (mean < a - 2 * std) or (mean > b + 2 * std):
        warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The "
            "distribution of values may be incorrect.",
            stacklevel=2,
        )

    def below(x: float) -> float:  # the share of normal numbers below x
        return (1.0 + math.erf((x - mean) / std / math.sqrt(2.0))) / 2.0

    tensor.uniform_(2 * below(a) - 1, 2 * below(b) - 1, generator=generator)
    tensor.erfinv_().mul_(std * math.sqrt(2.0)).add_(mean)
    return tensor.clamp_(a, b)


@plugrad.no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere.

    >>> import plugrad
    >>> plugrad.nn.init.constant_(plugrad.empty(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Ones.

    >>> import plugrad
    >>> plugrad.nn.init.ones_(plugrad.empty(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros.

    >>> import plugrad
    >>> plugrad.nn.init.zeros_(plugrad.empty(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0.0)


@plugrad.no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix, so that a linear layer gives its input on.

    >>> import plugrad
    >>> plugrad.nn.init.eye_(plugrad.empty(2, 3))
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    return tensor.copy_(plugrad.eye(*tensor.shape, dtype=tensor.dtype))


@plugrad.no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The kernel that makes a convolution give its input on, as far as there are
    channels.

    >>> import plugrad
    >>> plugrad.nn.init.dirac_(plugrad.empty(1, 1, 3))
    tensor([[[0., 1., 0.]]])
    """
    if tensor.ndim not in (3, 4, 5):
        raise ValueError("Only tensors with 3, 4, or 5 dimensions are supported")
    if tensor.shape[0] % groups:
        raise ValueError("dim 0 must be divisible by groups")
    size = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    tensor.zero_()
    for group in range(groups):
        for i in range(min(size, tensor.shape[1])):
            tensor[(group * size + i, i, *middle)] = 1
    return tensor


@plugrad.no_grad()
def xavier_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Uniform numbers as Glorot and Bengio have them, by both fans.

    >>> import plugrad
    >>> w = plugrad.nn.init.xavier_uniform_(plugrad.empty(3, 3))
    >>> bool((w.abs() <= 1).all())
    True
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / (fan_in + fan_out))
    return tensor.uniform_(-bound, bound, generator=generator)


@plugrad.no_grad()
def xavier_normal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Normal numbers as Glorot and Bengio have them, by both fans.

    >>> import plugrad
    >>> plugrad.nn.init.xavier_normal_(plugrad.empty(3, 3), gain=0.0).sum()
    tensor(0.)
    """
    fan_in, fan_out = _calculate_fan_in_and_fan_out(tensor)
    std = gain * math.sqrt(2.0 / (fan_in + fan_out))
    return tensor.normal_(0.0, std, generator=generator)


@plugrad.no_grad()
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Uniform numbers as He and others have them, by one fan.

    >>> import plugrad
    >>> w = plugrad.nn.init.kaiming_uniform_(plugrad.empty(3, 6))
    >>> bool((w.abs() <= 1).all())
    True
    """
    std = _kaiming(tensor, a, mode, nonlinearity)
    bound = math.sqrt(3.0) * std
    return tensor.uniform_(-bound, bound, generator=generator) if std else tensor


@plugrad.no_grad()
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers as He and others have them, by one fan.

    >>> import plugrad
    >>> plugrad.nn.init.kaiming_normal_(plugrad.empty(3, 6)).shape
    plugrad.Size([3, 6])
    """
    std = _kaiming(tensor, a, mode, nonlinearity)
    return tensor.normal_(0.0, std, generator=generator) if std else tensor


def _kaiming(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    """The standard deviation; 0 for a tensor without elements, which is left alone."""
    if 0 in tensor.shape:
        warn("Initializing zero-element tensors is a no-op", stacklevel=3)
        return 0.0
    fan = _calculate_correct_fan(tensor, mode)
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


@plugrad.no_grad()
def orthogonal_(
    tensor: Tensor, gain: float = 1.0, generator: Generator | None = None
) -> Tensor:
    """Rows (or columns, if there are fewer of them) at right angles, of length `gain`.

    >>> import plugrad
    >>> w = plugrad.nn.init.orthogonal_(plugrad.empty(3, 5))
    >>> plugrad.allclose(w @ w.T, plugrad.eye(3), atol=1e-6)
    True
    """
    if tensor.ndim < 2:
        raise ValueError("Only tensors with 2 or more dimensions are supported")
    if not tensor.numel():
        return tensor
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    drawn = tensor.new_empty((rows, columns)).normal_(0, 1, generator=generator)
    q, r = plugrad.linalg.qr(drawn.t() if rows < columns else drawn)
    q = q * plugrad.diag(r).sign()  # so that all such matrices are equally likely
    tensor.copy_((q.t() if rows < columns else q).reshape(tensor.shape))
    return tensor.mul_(gain)


@plugrad.no_grad()
def sparse_(
    tensor: Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: Generator | None = None,
) -> Tensor:
    """Normal numbers, and in each column a share `sparsity` of zeros.

    >>> import plugrad
    >>> w = plugrad.nn.init.sparse_(plugrad.empty(10, 2), sparsity=0.3)
    >>> (w == 0).sum(0)
    tensor([3, 3])
    """
    if tensor.ndim != 2:
        raise ValueError("Only tensors with 2 dimensions are supported")
    rows, columns = tensor.shape
    tensor.normal_(0, std, generator=generator)
    for column in range(columns):
        drawn = plugrad.randperm(rows, generator=generator)
        tensor[drawn[: math.ceil(sparsity * rows)], column] = 0
    return tensor


# --- Old names ------------------------------------------------------------------------


def _old(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function under its name without the underscore."""
    new = function.__name__
    old = new[:-1]

    def deprecated(*args: Any, **kwargs: Any) -> Tensor:
        warn(
            f"`nn.init.{old}` is now deprecated in favor of `nn.init.{new}`.",
            FutureWarning,
            stacklevel=2,
        )
        return function(*args, **kwargs)

    deprecated.__name__ = deprecated.__qualname__ = old
    deprecated.__doc__ = f"""The old name of `{new}`.

    >>> from plugrad import nn
    >>> nn.init.{old}.__name__
    '{old}'
    """
    return deprecated


uniform = _old(uniform_)
normal = _old(normal_)
constant = _old(constant_)
eye = _old(eye_)
dirac = _old(dirac_)
xavier_uniform = _old(xavier_uniform_)
xavier_normal = _old(xavier_normal_)
kaiming_uniform = _old(kaiming_uniform_)
kaiming_normal = _old(kaiming_normal_)
orthogonal = _old(orthogonal_)
sparse = _old(sparse_)
