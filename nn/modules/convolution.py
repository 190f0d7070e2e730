"""Convolutional layers, and transposed ones."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
]

Ints = int | Sequence[int]


def per_dim(n: int, value: Any) -> Any:
    """A number for each of n dimensions, as a tuple; words stay what they are."""
    if isinstance(value, (str, tuple)):
        return value
    return (value,) * n if isinstance(value, int) else tuple(value)


class _ConvNd(Module):
    """What all convolutional layers have in common."""

    dims = 0
    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Ints,
        stride: Ints,
        padding: Ints | str,
        dilation: Ints,
        transposed: bool,
        output_padding: Ints,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        n = self.dims
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = per_dim(n, kernel_size)
        self.stride = per_dim(n, stride)
        self.padding = per_dim(n, padding)
        self.dilation = per_dim(n, dilation)
        self.transposed = transposed
        self.output_padding = per_dim(n, output_padding)
        self.groups = groups
        self.padding_mode = padding_mode
        self.check()
        if padding_mode != "zeros":
            self.around = self.pads()
        made = {"device": device, "dtype": dtype}
        self.weight = Parameter(plugrad.empty(self.weight_shape(), **made))
        if bias:
            self.bias = Parameter(plugrad.empty(out_channels, **made))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def check(self) -> None:
        """Raise unless the arguments go together."""
        if self.groups <= 0:
            raise ValueError("groups must be a positive integer")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(
                    f"{name} must be divisible by groups, but {getattr(self, name)} is "
                    f"not by {self.groups}"
                )
        if isinstance(self.padding, str):
            if self.padding not in ("same", "valid"):
                raise ValueError(
                    f"Invalid padding string {self.padding!r}, should be one of 'same' "
                    "and 'valid'"
                )
            if self.padding == "same" and any(s != 1 for s in self.stride):
                raise ValueError(
                    "padding='same' is not supported for strided convolutions"
                )
        modes = "zeros", "reflect", "replicate", "circular"
        if self.padding_mode not in modes:
            raise ValueError(
                f"padding_mode must be one of {modes}, but got "
                f"padding_mode={self.padding_mode!r}"
            )

    def pads(self) -> list[int]:
        """The padding as `F.pad` takes it."""
        found: list[int] = []
        for i in reversed(range(self.dims)):
            if not isinstance(self.padding, str):
                found += (self.padding[i],) * 2
            elif self.padding == "valid":
                found += 0, 0
            else:
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                found += total // 2, total - total // 2
        return found

    def weight_shape(self) -> tuple[int, ...]:
        """The shape that the weight has."""
        pair = self.out_channels, self.in_channels
        if self.transposed:
            pair = pair[::-1]
        return pair[0], pair[1] // self.groups, *self.kernel_size

    def reset_parameters(self) -> None:
        """Draw the weight and the bias anew."""
        fan_in = prod(self.weight.shape[1:])
        bound = 1 / sqrt(fan_in) if fan_in > 0 else 0
        with plugrad.no_grad():
            self.weight.uniform_(-bound, bound)
            if self.bias is not None:
                self.bias.uniform_(-bound, bound)

    def extra_repr(self) -> str:
        found = (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}"
        )
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            value = getattr(self, name)
            if value != (usual,) * len(value):
                found += f", {name}={value}"
        if self.groups != 1:
            found += f", groups={self.groups}"
        if self.bias is None:
            found += ", bias=False"
        if self.padding_mode != "zeros":
            found += f", padding_mode={self.padding_mode}"
        return found


class _Conv(_ConvNd):
    """What `Conv1d`, `Conv2d` and `Conv3d` have in common."""

    def __init__(
        self,
        in_channels: int,
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
        sizes = kernel_size, stride, padding, dilation, False, 0
        rest = groups, bias, padding_mode, device, dtype
        super().__init__(in_channels, out_channels, *sizes, *rest)

    def _conv_forward(
        self, input: Tensor, weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self.around, self.padding_mode), 0
        rest = self.stride, padding, self.dilation, self.groups
        return self.function(input, weight, bias, *rest)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def function(self, *args: Any) -> Tensor:
        """The function of this number of dimensions."""
        raise NotImplementedError


class Conv1d(_Conv):
    """A convolution over one dimension: of (batch, channels, length).

    The weight has shape (out_channels, in_channels / groups, kernel_size); weight and
    bias start from a uniform distribution within 1 / sqrt of the number of elements
    that go into a result.

    >>> import plugrad
    >>> layer = plugrad.nn.Conv1d(16, 33, 3, stride=2)
    >>> layer(plugrad.zeros(20, 16, 50)).shape
    plugrad.Size([20, 33, 24])
    """

    dims = 1
    function = staticmethod(F.conv1d)


class Conv2d(_Conv):
    """A convolution over two dimensions: of (batch, channels, height, width).

    `padding_mode` says what stands around the input: zeros, or its own elements.

    >>> import plugrad
    >>> layer = plugrad.nn.Conv2d(3, 8, (3, 5), padding=(1, 2), padding_mode="reflect")
    >>> layer(plugrad.zeros(2, 3, 9, 9)).shape
    plugrad.Size([2, 8, 9, 9])
    """

    dims = 2
    function = staticmethod(F.conv2d)


class Conv3d(_Conv):
    """A convolution over three dimensions: of (batch, channels, depth, height, width).

    >>> import plugrad
    >>> layer = plugrad.nn.Conv3d(2, 4, 3, padding="same")
    >>> layer(plugrad.zeros(1, 2, 5, 6, 7)).shape
    plugrad.Size([1, 4, 5, 6, 7])
    """

    dims = 3
    function = staticmethod(F.conv3d)


class _ConvTransposeNd(_ConvNd):
    """What the transposed layers have in common."""

    def __init__(
        self,
        in_channels: int,
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
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}, '
                f"not {padding_mode!r}"
            )
        sizes = kernel_size, stride, padding, dilation, True, output_padding
        rest = groups, bias, padding_mode, device, dtype
        super().__init__(in_channels, out_channels, *sizes, *rest)

    def forward(
        self, input: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        extra = self.output_padding
        if output_size is not None:
            extra = self._extra(input, list(output_size))
        rest = self.stride, self.padding, extra, self.groups, self.dilation
        return self.function(input, self.weight, self.bias, *rest)

    def _extra(self, input: Tensor, size: list[int]) -> tuple[int, ...]:
        """What the output lacks to be of a size."""
        n = self.dims
        first = input.ndim - n
        if len(size) == n + first:
            size = size[first:]
        if len(size) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.ndim}D input, output_size must have "
                f"{n} or {n + first} elements (got {len(size)})"
            )
        least: list[int] = []
        for i in range(n):
            span = self.dilation[i] * (self.kernel_size[i] - 1) + 1
            given = (input.shape[first + i] - 1) * self.stride[i]
            least.append(given - 2 * int(self.padding[i]) + span)
        most = [m + s - 1 for m, s in zip(least, self.stride)]
        if any(not a <= each <= b for a, each, b in zip(least, size, most)):
            raise ValueError(
                f"requested an output size of {size}, but valid sizes range from "
                f"{least} to {most} (for an input of {list(input.shape[first:])})"
            )
        return tuple(each - a for each, a in zip(size, least))

    def function(self, *args: Any) -> Tensor:
        """The function of this number of dimensions."""
        raise NotImplementedError


class ConvTranspose1d(_ConvTransposeNd):
    """The way back of a convolution over one dimension, as a layer.

    The weight has shape (in_channels, out_channels / groups, kernel_size).

    >>> import plugrad
    >>> layer = plugrad.nn.ConvTranspose1d(4, 2, 3, stride=2)
    >>> layer(plugrad.zeros(1, 4, 5)).shape
    plugrad.Size([1, 2, 11])
    """

    dims = 1
    function = staticmethod(F.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """The way back of a convolution over two dimensions, as a layer.

    With a stride, inputs of several sizes are convolved to the same; `output_size` in
    a call says which is meant.

    >>> import plugrad
    >>> x = plugrad.zeros(1, 16, 12, 12)
    >>> down = plugrad.nn.Conv2d(16, 16, 3, stride=2, padding=1)
    >>> up = plugrad.nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1)
    >>> up(down(x)).shape, up(down(x), output_size=x.shape).shape
    (plugrad.Size([1, 16, 11, 11]), plugrad.Size([1, 16, 12, 12]))
    """

    dims = 2
    function = staticmethod(F.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """The way back of a convolution over three dimensions, as a layer.

    >>> import plugrad
    >>> layer = plugrad.nn.ConvTranspose3d(4, 2, 3, stride=2, output_padding=1)
    >>> layer(plugrad.zeros(1, 4, 3, 3, 3)).shape
    plugrad.Size([1, 2, 8, 8, 8])
    """

    dims = 3
    function = staticmethod(F.conv_transpose3d)
