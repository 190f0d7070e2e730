"""Pooling layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugrad import Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]

Size = int | Sequence[int]


def per_dimension(value: Any, dims: int) -> tuple[Any, ...]:
    """One value for each dimension, from one or several."""
    return tuple(value) if isinstance(value, Sequence) else (value,) * dims


class MaxPool(Module):
    """The largest elements of windows."""

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(MaxPool):
    """The largest elements of windows of the last dimension.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(6.0).reshape(1, 6)
    >>> nn.MaxPool1d(2)(x).shape
    plugrad.Size([1, 3])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )


class MaxPool2d(MaxPool):
    """The largest elements of windows of the last two dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(16.0).reshape(1, 4, 4)
    >>> nn.MaxPool2d(2)(x).shape
    plugrad.Size([1, 2, 2])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )


class MaxPool3d(MaxPool):
    """The largest elements of windows of the last three dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> nn.MaxPool3d(2)(x).shape
    plugrad.Size([1, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool3d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )


class AvgPool(Module):
    """The averages of windows."""

    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}"
        )


class AvgPool1d(AvgPool):
    """The averages of windows of the last dimension.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(6.0).reshape(1, 6)
    >>> nn.AvgPool1d(2)(x).shape
    plugrad.Size([1, 3])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, 1)
        self.stride = per_dimension(kernel_size if stride is None else stride, 1)
        self.padding = per_dimension(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )


class AvgPool2d(AvgPool):
    """The averages of windows of the last two dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(16.0).reshape(1, 4, 4)
    >>> nn.AvgPool2d(2)(x).shape
    plugrad.Size([1, 2, 2])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool3d(AvgPool):
    """The averages of windows of the last three dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> nn.AvgPool3d(2)(x).shape
    plugrad.Size([1, 2, 2, 2])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool3d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class LPPool(Module):
    """The p-norms of windows."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: Size,
        stride: Size | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, ceil_mode={self.ceil_mode}"
        )


class LPPool1d(LPPool):
    """The p-norms, p = `norm_type`, of windows of the last dimension.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(6.0).reshape(1, 6)
    >>> nn.LPPool1d(2, 2)(x).shape
    plugrad.Size([1, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool2d(LPPool):
    """The p-norms, p = `norm_type`, of windows of the last two dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(16.0).reshape(1, 4, 4)
    >>> nn.LPPool2d(2, 2)(x).shape
    plugrad.Size([1, 2, 2])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool3d(LPPool):
    """The p-norms, p = `norm_type`, of windows of the last three dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> nn.LPPool3d(2, 2)(x).shape
    plugrad.Size([1, 2, 2, 2])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
