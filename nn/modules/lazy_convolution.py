"""Convolutional layers that learn from their first input how many channels it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugrad import Tensor

from ..parameter import UninitializedParameter
from .convolution import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from .lazy import LazyModuleMixin

__all__ = [
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]

Ints = int | Sequence[int]


class _LazyConvXdMixin(LazyModuleMixin):
    """What the lazy convolutions have in common."""

    def __init__(
        self: Any, out_channels: int, bias: bool, device: Any, dtype: Any, *args: Any
    ) -> None:
        super().__init__(0, 0, *args, device=device, dtype=dtype)
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self: Any) -> None:
        """Draw the weight and the bias anew, once they are there."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(
        self: Any, input: Tensor, *args: Any, **kwargs: Any
    ) -> None:
        """Take the number of channels from `input`."""
        n = self.dims
        if not self.has_uninitialized_params():
            return
        if input.ndim not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {list(input.shape)}"
            )
        self.in_channels = input.shape[-n - 1]
        if self.in_channels % self.groups:
            raise ValueError(
                f"in_channels must be divisible by groups, but {self.in_channels} is "
                f"not by {self.groups}"
            )
        self.weight.materialize(self.weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyConv(_LazyConvXdMixin):
    """What those that are not transposed have in common."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints | str = 0,
        dilation: Ints = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        args = kernel_size, stride, padding, dilation, groups, False, padding_mode
        super().__init__(out_channels, bias, device, dtype, *args)


class _LazyConvTranspose(_LazyConvXdMixin):
    """What the transposed ones have in common."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints = 1,
        padding: Ints = 0,
        output_padding: Ints = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Ints = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        sizes = kernel_size, stride, padding, output_padding
        args = *sizes, groups, False, dilation, padding_mode
        super().__init__(out_channels, bias, device, dtype, *args)


class LazyConv1d(_LazyConv, Conv1d):  # type: ignore[misc]
    """A `Conv1d` that takes the number of its channels from its first input.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyConv1d(4, 3)
    >>> y = layer(plugrad.zeros(1, 3, 9))
    >>> layer
    Conv1d(3, 4, kernel_size=(3,), stride=(1,))
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):  # type: ignore[misc]
    """A `Conv2d` that takes the number of its channels from its first input.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyConv2d(4, 3)
    >>> y = layer(plugrad.zeros(1, 3, 9, 9))
    >>> layer
    Conv2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):  # type: ignore[misc]
    """A `Conv3d` that takes the number of its channels from its first input.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyConv3d(4, 3)
    >>> y = layer(plugrad.zeros(1, 3, 9, 9, 9))
    >>> layer
    Conv3d(3, 4, kernel_size=(3, 3, 3), stride=(1, 1, 1))
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):  # type: ignore[misc]
    """A `ConvTranspose1d` that takes the number of its channels from its first input.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyConvTranspose1d(4, 3)
    >>> y = layer(plugrad.zeros(1, 3, 9))
    >>> layer
    ConvTranspose1d(3, 4, kernel_size=(3,), stride=(1,))
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):  # type: ignore[misc]
    """A `ConvTranspose2d` that takes the number of its channels from its first input.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyConvTranspose2d(4, 3)
    >>> y = layer(plugrad.zeros(1, 3, 9, 9))
    >>> layer
    ConvTranspose2d(3, 4, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):  # type: ignore[misc]
    """A `ConvTranspose3d` that takes the number of its channels from its first input.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyConvTranspose3d(4, 3)
    >>> y = layer(plugrad.zeros(1, 3, 9, 9, 9))
    >>> layer
    ConvTranspose3d(3, 4, kernel_size=(3, 3, 3), stride=(1, 1, 1))
    """

    cls_to_become = ConvTranspose3d
