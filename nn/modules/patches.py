"""Layers that take images apart into windows, and put them together again."""

from __future__ import annotations

from collections.abc import Sequence

from plugrad import Tensor

from .. import functional as F
from .module import Module

__all__ = ["Fold", "Unfold"]

Ints = int | Sequence[int]


class Fold(Module):
    """Adds up windows, (batch, channels * kernel, windows), to images.

    >>> import plugrad
    >>> fold = plugrad.nn.Fold((4, 5), kernel_size=(2, 2))
    >>> fold(plugrad.zeros(1, 3 * 2 * 2, 12)).shape
    plugrad.Size([1, 3, 4, 5])
    """

    def __init__(
        self,
        output_size: Ints,
        kernel_size: Ints,
        dilation: Ints = 1,
        padding: Ints = 0,
        stride: Ints = 1,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        rest = self.kernel_size, self.dilation, self.padding, self.stride
        return F.fold(input, self.output_size, *rest)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, "
            f"dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """All windows of images, as (batch, channels * kernel, windows).

    >>> import plugrad
    >>> unfold = plugrad.nn.Unfold(kernel_size=(2, 3))
    >>> unfold(plugrad.zeros(2, 5, 3, 4)).shape
    plugrad.Size([2, 30, 4])
    """

    def __init__(
        self,
        kernel_size: Ints,
        dilation: Ints = 1,
        padding: Ints = 0,
        stride: Ints = 1,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        rest = self.dilation, self.padding, self.stride
        return F.unfold(input, self.kernel_size, *rest)

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )
