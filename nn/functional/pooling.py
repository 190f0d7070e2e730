"""Pooling: one number for each window of the last one, two or three dimensions.

Inputs are (C, ...) or (N, C, ...). Sizes are one int for all pooled dimensions, or one
for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from plugrad import Tensor

from .pooling_ops import avg_pool, max_pool, max_pool_with_indices
from .windows import find_window, ints

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]

Size = int | Sequence[int]


# --- The largest --------------------------------------------------------------------


def largest(
    name: str,
    dims: int,
    x: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    """`max_pool` of a number of dimensions."""
    window = find_window(name, x, dims, kernel, stride, padding, dilation, ceil_mode)
    if return_indices:
        return tuple(max_pool_with_indices(x, window))
    return max_pool(x, window)


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest elements of windows of the last dimension, `stride` apart (else the
    size of the kernel). With `return_indices` also where they are, counted in row-major
    order; with `ceil_mode` also of windows that begin inside and end outside.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.max_pool1d(plugrad.arange(6.0).reshape(1, 6), 2)
    tensor([[1., 3., 5.]])
    """
    return largest(
        "max_pool1d",
        1,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        return_indices,
    )


def max_pool1d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool1d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.max_pool1d_with_indices(plugrad.arange(6.0).reshape(1, 6), 2)[1]
    tensor([[1, 3, 5]])
    """
    return max_pool1d(
        input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True
    )


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest elements of windows of the last two dimensions, `stride` apart (else
    the size of the kernel). With `return_indices` also where they are, counted in
    row-major order; with `ceil_mode` also of windows that begin inside and end outside.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.max_pool2d(plugrad.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    return largest(
        "max_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        return_indices,
    )


def max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool2d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.max_pool2d_with_indices(plugrad.arange(16.0).reshape(1, 4, 4), 2)[1]
    tensor([[[ 5,  7],
             [13, 15]]])
    """
    return max_pool2d(
        input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True
    )


def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest elements of windows of the last three dimensions, `stride` apart
    (else the size of the kernel). With `return_indices` also where they are, counted in
    row-major order; with `ceil_mode` also of windows that begin inside and end outside.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.max_pool3d(plugrad.arange(64.0).reshape(1, 4, 4, 4), 2).shape
    plugrad.Size([1, 2, 2, 2])
    """
    return largest(
        "max_pool3d",
        3,
        input,
        kernel_size,
        stride,
        padding,
        dilation,
        ceil_mode,
        return_indices,
    )


def max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> tuple[Tensor, Tensor]:
    """`max_pool3d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.max_pool3d_with_indices(plugrad.arange(64.0).reshape(1, 4, 4, 4), 2)[1].shape
    plugrad.Size([1, 2, 2, 2])
    """
    return max_pool3d(
        input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True
    )


# --- The average --------------------------------------------------------------------


def average(
    name: str,
    dims: int,
    x: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None = None,
) -> Tensor:
    """`avg_pool` of a number of dimensions."""
    window = find_window(name, x, dims, kernel, stride, padding, 1, ceil_mode)
    if divisor is None:
        return avg_pool(x, window, bool(count_include_pad))
    if divisor == 0:
        raise RuntimeError(f"{name}: divisor_override must not be zero")
    return avg_pool(x, window, float(divisor))


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The averages of windows of the last dimension, `stride` apart (else the size of
    the kernel). The zeros of the padding count unless `count_include_pad` is False.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.avg_pool1d(plugrad.arange(6.0).reshape(1, 6), 2)
    tensor([[0.5000, 2.5000, 4.5000]])
    """
    return average(
        "avg_pool1d",
        1,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
    )


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The averages of windows of the last two dimensions, `stride` apart (else the size
    of the kernel). The zeros of the padding count unless `count_include_pad` is False.
    With `divisor_override` sums are divided by that.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.avg_pool2d(plugrad.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    return average(
        "avg_pool2d",
        2,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


def avg_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The averages of windows of the last three dimensions, `stride` apart (else the
    size of the kernel). The zeros of the padding count unless `count_include_pad` is
    False. With `divisor_override` sums are divided by that.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.avg_pool3d(plugrad.arange(64.0).reshape(1, 4, 4, 4), 2).shape
    plugrad.Size([1, 2, 2, 2])
    """
    return average(
        "avg_pool3d",
        3,
        input,
        kernel_size,
        stride,
        padding,
        ceil_mode,
        count_include_pad,
        divisor_override,
    )


# --- Powers -------------------------------------------------------------------------


def power(
    name: str,
    dims: int,
    x: Tensor,
    norm_type: float,
    kernel: Any,
    stride: Any,
    ceil_mode: bool,
) -> Tensor:
    """`lp_pool` of a number of dimensions."""
    if norm_type in (float("inf"), -float("inf")):
        sign = 1 if norm_type > 0 else -1
        found = largest(
            name, dims, sign * x.abs(), kernel, stride, 0, 1, ceil_mode, False
        )
        return sign * found
    powers = x.pow(norm_type)
    y = average(name, dims, powers, kernel, stride, 0, ceil_mode, True)
    y = (y.sign() * y.abs().relu()) * prod(ints(name, "kernel_size", kernel, dims))
    return y.pow(1.0 / norm_type)


def lp_pool1d(
    input: Tensor,
    norm_type: int | float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norms, p = `norm_type`, of windows of the last dimension.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.lp_pool1d(plugrad.ones(1, 2), 2, 2)
    tensor([[1.4142]])
    """
    return power("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor,
    norm_type: int | float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norms, p = `norm_type`, of windows of the last two dimensions.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.lp_pool2d(plugrad.ones(1, 2, 2), 2, 2)
    tensor([[[2.]]])
    """
    return power("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor,
    norm_type: int | float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norms, p = `norm_type`, of windows of the last three dimensions.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.lp_pool3d(plugrad.ones(1, 2, 2, 2), 2, 2)
    tensor([[[[2.8284]]]])
    """
    return power("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
