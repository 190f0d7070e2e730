"""Normalization: of a batch, of single inputs, of groups of channels, of neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import plugrad
from plugrad import Tensor

from .padding import pad
from .standardizing import standardize, standardize_by

__all__ = [
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
]


def check_channels(name: str, n: int, **given: Tensor | None) -> None:
    """Raise unless each tensor has one number for each channel."""
    for key, value in given.items():
        if value is not None and tuple(value.shape) != (n,):
            raise RuntimeError(
                f"{name}: {key} should contain {n} elements, one for each channel of "
                f"the input, but has shape {list(value.shape)}"
            )


def check_ndim(name: str, input: Tensor) -> int:
    """The number of channels, the second dimension's size."""
    if input.ndim < 2:
        raise RuntimeError(
            f"{name}: expected at least 2 dimensions, (batch, channels, ...), but got "
            f"input of shape {list(input.shape)}"
        )
    return input.shape[1]


def wide_enough(name: str, input: Tensor, *others: Tensor | None) -> Tensor:
    """The input in the dtype to compute in: its own, but float32 for one of 16 bits
    beside weights and running values in float32.

    What does not fit together raises."""
    dtype = input.dtype
    if dtype.kind != "f":
        raise NotImplementedError(
            f"{name}: not implemented for {dtype}, only for real floating dtypes; cast "
            "the input to one of them"
        )
    found = [each.dtype for each in others if each is not None]
    if all(each is dtype for each in found):
        return input
    if dtype.itemsize == 2 and all(each is plugrad.float32 for each in found):
        return input.float()
    raise RuntimeError(
        f"{name}: expected weights and running values in the dtype of the input, or in "
        f"float32 beside an input of 16 bits, but got {', '.join(map(str, found))} "
        f"beside {dtype}; cast with .to(dtype)"
    )


def narrowed(y: Tensor, input: Tensor) -> Tensor:
    """A result in the dtype of the input."""
    return y if y.dtype is input.dtype else y.to(input.dtype)


# --- Over a batch ---------------------------------------------------------------------


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel (second dimension) less its mean over its standard deviation, times
    `weight`, plus `bias`.

    In training mean and variance are those of the input, and the running ones move
    towards them by the share `momentum`; otherwise they are the running ones.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.tensor([[1.0], [3.0]])
    >>> F.batch_norm(x, None, None, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    """
    channels = check_ndim("batch_norm", input)
    check_channels("batch_norm", channels, weight=weight, bias=bias)
    check_channels("batch_norm", channels, running_mean=running_mean)
    check_channels("batch_norm", channels, running_var=running_var)
    beside = weight, bias, running_mean, running_var
    wide = wide_enough("batch_norm", input, *beside)
    shape = input.shape
    if not training:
        if eps < 0:
            raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
        if running_mean is None or running_var is None:
            raise RuntimeError(
                "batch_norm: running_mean and running_var must be given in evaluation "
                "mode; pass training=True to use those of the input"
            )
        y = standardize_by(wide, weight, bias, running_mean, running_var, eps)
        return narrowed(y, input)
    n = prod(shape) // channels if channels else 0
    if n == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{list(shape)}"
        )
    if eps <= 0:
        raise ValueError(
            f"batch_norm eps must be positive during training, but got {eps}"
        )
    view = shape[0], channels, prod(shape[2:])
    how = view, (0, 2), (1, channels, 1), eps, True
    y, mean, variance = standardize(wide, weight, bias, how)
    keep_running(running_mean, running_var, mean, variance, momentum, n)
    return narrowed(y, input)


def keep_running(
    running_mean: Tensor | None,
    running_var: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    momentum: float,
    n: int,
) -> None:
    """Move running values towards those of `n` numbers each."""
    if running_mean is not None:
        move(running_mean, mean.reshape(-1), momentum)
    if running_var is not None:
        unbiased = n / (n - 1) if n > 1 else float("nan")
        move(running_var, variance.reshape(-1) * unbiased, momentum)


def move(x: Tensor, to: Tensor, share: float) -> None:
    """Move `x` part of the way to another value."""
    x.lerp_(to if to.dtype is x.dtype else to.to(x.dtype), share)


def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Each channel of each input less its mean over its standard deviation, times
    `weight`, plus `bias`; see `batch_norm` for the running values.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.instance_norm(plugrad.tensor([[[1.0, 3.0]]]))
    tensor([[[-1.0000,  1.0000]]])
    """
    shape = input.shape
    if use_input_stats and prod(shape[2:]) == 1:
        raise ValueError(
            "Expected more than 1 spatial element when training, got input size "
            f"{list(shape)}"
        )
    if not use_input_stats and (running_mean is None or running_var is None):
        raise RuntimeError(
            "instance_norm: Expected running_mean and running_var to be defined when "
            "use_input_stats is false"
        )
    channels = check_ndim("instance_norm", input)
    check_channels("instance_norm", channels, weight=weight, bias=bias)
    check_channels("instance_norm", channels, running_mean=running_mean)
    check_channels("instance_norm", channels, running_var=running_var)
    known: Any = running_mean, running_var
    wide = wide_enough("instance_norm", input, weight, bias, *known)
    if not use_input_stats:
        return narrowed(standardize_by(wide, weight, bias, *known, eps), input)
    n = prod(shape[2:])
    view = shape[0], channels, n
    how = view, (2,), (1, channels, 1), eps, True
    y, mean, variance = standardize(wide, weight, bias, how)
    if running_mean is not None or running_var is not None:
        mean, variance = (each.mean(0) for each in (mean, variance))
        keep_running(running_mean, running_var, mean, variance, momentum, n)
    return narrowed(y, input)


# --- Over the dimensions of one input -------------------------------------------------


def rows_of(
    name: str, input: Tensor, normalized_shape: Sequence[int], **given: Tensor | None
) -> tuple[int, int]:
    """How many rows to normalize there are, and how long each is."""
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError(
            f"{name}: expected normalized_shape to be at least 1-dimensional, not ()"
        )
    size = input.shape
    first = len(size) - len(shape)
    if first < 0 or size[first:] != shape:
        raise RuntimeError(
            f"{name}: given normalized_shape={list(shape)}, expected input with shape "
            f"[*, {', '.join(map(str, shape))}], but got input of size {list(size)}"
        )
    for key, value in given.items():
        if value is not None and value.shape != shape:
            raise RuntimeError(
                f"{name}: expected {key} to be of the same shape as normalized_shape, "
                f"but got {key} of shape {list(value.shape)} and normalized_shape = "
                f"{list(shape)}"
            )
    if len(shape) == 1:
        return prod(size[:-1]), size[-1]
    return prod(size[:first]), prod(shape)


def layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """The last dimensions of each input less their mean over their standard deviation,
    times `weight`, plus `bias`; these have the shape `normalized_shape`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.layer_norm(plugrad.tensor([[1.0, 3.0], [5.0, 25.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    shape = rows_of("layer_norm", input, normalized_shape, weight=weight, bias=bias)
    wide = wide_enough("layer_norm", input, weight, bias)
    how = shape, (1,), (1, shape[1]), eps, True
    return narrowed(standardize(wide, weight, bias, how)[0], input)


def rms_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:
    """The last dimensions of each input over the root of the mean of their squares,
    times `weight`, which has the shape `normalized_shape`.

    Without an `eps` it is the smallest step from 1 of the dtype.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.rms_norm(plugrad.tensor([[1.0, 1.0], [0.0, 2.0]]), (2,))
    tensor([[1.0000, 1.0000],
            [0.0000, 1.4142]])
    """
    shape = rows_of("rms_norm", input, normalized_shape, weight=weight)
    wide_enough("rms_norm", input)
    if eps is None:
        narrow = input.dtype.itemsize < 4  # computed in 32 bits
        eps = plugrad.finfo(plugrad.float32 if narrow else input.dtype).eps
    how = shape, (1,), (1, shape[1]), eps, False
    if weight is None or weight.dtype is input.dtype:
        return standardize(input, weight, None, how)[0]
    return narrowed(standardize(input, None, None, how)[0] * weight, input)


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Each group of channels of each input less its mean over its standard deviation;
    then times `weight`, plus `bias`, which have one number for each channel.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.group_norm(plugrad.tensor([[1.0, 3.0, 5.0, 25.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    channels = check_ndim("group_norm", input)
    if num_groups < 1:
        kind = RuntimeError if num_groups else ZeroDivisionError
        raise kind(
            f"group_norm: expected num groups to be greater than 0, got {num_groups}"
        )
    if channels % num_groups:
        raise RuntimeError(
            "group_norm: expected number of channels in input to be divisible by "
            f"num_groups, but got input of shape {list(input.shape)} and "
            f"num_groups={num_groups}"
        )
    check_channels("group_norm", channels, weight=weight, bias=bias)
    size = input.shape
    each = channels // num_groups
    view = size[0], num_groups, each, prod(size[2:])
    if view[0] * each * view[3] == 1:
        raise ValueError(
            "Expected more than 1 value per channel when training, got input size "
            f"{list(size)} in {num_groups} groups"
        )
    lanes = 1, num_groups, each, 1
    wide = wide_enough("group_norm", input, weight, bias)
    how = view, (2, 3), lanes, eps, True
    return narrowed(standardize(wide, weight, bias, how)[0], input)


# --- Over neighbouring channels -------------------------------------------------------


def local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Tensor:
    """x / (k + alpha * mean of the squares of `size` neighbouring channels) ** beta.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.local_response_norm(plugrad.ones(1, 2, 1), 2, alpha=2.0, beta=1.0).flatten()
    tensor([0.5000, 0.3333])
    """
    if input.ndim < 3:
        raise ValueError(
            "local_response_norm: expected 3D or higher dimensionality input, (batch, "
            f"channels, ...), but got shape {list(input.shape)}"
        )
    before, after = size // 2, (size - 1) // 2
    return by_neighbours(input, before, after, alpha / size, beta, k)


def cross_map_norm(
    input: Tensor, size: int, alpha: float, beta: float, k: float
) -> Tensor:
    """`local_response_norm` of images, as `plugrad.nn.CrossMapLRN2d` has it."""
    if input.ndim != 4:
        raise ValueError(
            f"CrossMapLRN2d: Expected input to be 4D, got {input.ndim}D instead"
        )
    side = (size - 1) // 2
    return by_neighbours(input, side, side, alpha / size, beta, k)


def by_neighbours(
    x: Tensor, before: int, after: int, alpha: float, beta: float, k: float
) -> Tensor:
    """x / (k + alpha * sum of the squares of channels nearby) ** beta."""
    if not x.numel():
        return x
    n = x.shape[1]
    squares = pad(x * x, [0, 0] * (x.ndim - 2) + [before, after])
    total = squares.narrow(1, 0, n)
    for i in range(1, before + after + 1):
        total = total + squares.narrow(1, i, n)
    return x / (total * alpha + k) ** beta
