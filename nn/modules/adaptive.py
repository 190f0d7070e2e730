"""Pooling to a given size, in windows at random places, and undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugrad import Tensor

from .. import functional as F
from .module import Module
from .pooling import per_dimension

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Size = int | Sequence[int]


class AdaptivePool(Module):
    """Pooling to a given size."""

    output_size: Any

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool(AdaptivePool):
    """The largest elements of windows that share the input evenly."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices


class AdaptiveAvgPool(AdaptivePool):
    """The averages of windows that share the input evenly."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size


class AdaptiveMaxPool1d(AdaptiveMaxPool):
    """The largest elements of `output_size` windows over the last dimension.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(6.0).reshape(1, 6)
    >>> nn.AdaptiveMaxPool1d(3)(x).shape
    plugrad.Size([1, 3])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(AdaptiveMaxPool):
    """The largest elements of `output_size` windows over the last two dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(16.0).reshape(1, 4, 4)
    >>> nn.AdaptiveMaxPool2d(3)(x).shape
    plugrad.Size([1, 3, 3])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(AdaptiveMaxPool):
    """The largest elements of `output_size` windows over the last three dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> nn.AdaptiveMaxPool3d(3)(x).shape
    plugrad.Size([1, 3, 3, 3])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool1d(AdaptiveAvgPool):
    """The averages of `output_size` windows over the last dimension.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(6.0).reshape(1, 6)
    >>> nn.AdaptiveAvgPool1d(3)(x).shape
    plugrad.Size([1, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(AdaptiveAvgPool):
    """The averages of `output_size` windows over the last two dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(16.0).reshape(1, 4, 4)
    >>> nn.AdaptiveAvgPool2d(3)(x).shape
    plugrad.Size([1, 3, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(AdaptiveAvgPool):
    """The averages of `output_size` windows over the last three dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> nn.AdaptiveAvgPool3d(3)(x).shape
    plugrad.Size([1, 3, 3, 3])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class FractionalMaxPool(Module):
    """The largest elements of windows at random places."""

    dims = 0
    pool: Any

    def __init__(
        self,
        kernel_size: Size,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        dims = self.dims
        self.kernel_size = per_dimension(kernel_size, dims)
        if dims == 3 and min(self.kernel_size) <= 0:
            raise ValueError(f"kernel_size must be positive, not {kernel_size}")
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = self.output_ratio = None
        if output_size is not None:
            self.output_size = per_dimension(output_size, dims)
        if output_ratio is not None:
            self.output_ratio = per_dimension(output_ratio, dims)
        if (self.output_size is None) == (self.output_ratio is None):
            raise ValueError(
                f"{self._get_name()} takes either an output_size or an output_ratio, "
                f"but got {output_size} and {output_ratio}"
            )
        if self.output_ratio and not all(0 < each < 1 for each in self.output_ratio):
            raise ValueError(
                f"output_ratio must be between 0 and 1, not {output_ratio}"
            )

    def forward(self, input: Tensor) -> Any:
        return type(self).pool(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(FractionalMaxPool):
    """The largest elements of windows at random places over the last two dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(16.0).reshape(1, 4, 4)
    >>> nn.FractionalMaxPool2d(2, output_size=2)(x).shape
    plugrad.Size([1, 2, 2])
    """

    dims = 2
    pool = staticmethod(F.fractional_max_pool2d)


class FractionalMaxPool3d(FractionalMaxPool):
    """The largest elements of windows at random places over the last three dimensions.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> nn.FractionalMaxPool3d(2, output_size=2)(x).shape
    plugrad.Size([1, 2, 2, 2])
    """

    dims = 3
    pool = staticmethod(F.fractional_max_pool3d)


class MaxUnpool(Module):
    """Max pooling undone, but for what was not the largest."""

    dims = 0

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0
    ) -> None:
        super().__init__()
        self.kernel_size = per_dimension(kernel_size, self.dims)
        self.stride = per_dimension(
            kernel_size if stride is None else stride, self.dims
        )
        self.padding = per_dimension(padding, self.dims)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}"
        )


class MaxUnpool1d(MaxUnpool):
    """Elements put back to where `MaxPool1d` found them.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(6.0).reshape(1, 6)
    >>> nn.MaxUnpool1d(2)(*nn.MaxPool1d(2, return_indices=True)(x)).shape
    plugrad.Size([1, 6])
    """

    dims = 1

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool1d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool2d(MaxUnpool):
    """Elements put back to where `MaxPool2d` found them.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(16.0).reshape(1, 4, 4)
    >>> nn.MaxUnpool2d(2)(*nn.MaxPool2d(2, return_indices=True)(x)).shape
    plugrad.Size([1, 4, 4])
    """

    dims = 2

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool2d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool3d(MaxUnpool):
    """Elements put back to where `MaxPool3d` found them.

    >>> import plugrad
    >>> from plugrad import nn
    >>> x = plugrad.arange(64.0).reshape(1, 4, 4, 4)
    >>> nn.MaxUnpool3d(2)(*nn.MaxPool3d(2, return_indices=True)(x)).shape
    plugrad.Size([1, 4, 4, 4])
    """

    dims = 3

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool3d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )
