"""Layers that normalize each input by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plugrad
from plugrad import Parameter, Tensor

from .. import functional as F
from ..functional.normalization import cross_map_norm
from .module import Module

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class Scaled(Module):
    """A layer that may have a weight, ones at first, and a bias, zeros at first."""

    weight: Tensor | None
    bias: Tensor | None

    def make_parameters(
        self, shape: Any, affine: bool, bias: bool, device: Any, dtype: Any
    ) -> None:
        """Make what is asked for, and note what is not there."""
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            if wanted:
                empty = plugrad.empty(shape, device=device, dtype=dtype)
                setattr(self, name, Parameter(empty))
            else:
                self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to ones and the bias to zeros."""
        with plugrad.no_grad():
            if self.weight is not None:
                self.weight.fill_(1.0)
            if self.bias is not None:
                self.bias.zero_()


class LayerNorm(Scaled):
    """The last dimensions of each input less their mean over their standard deviation,
    times a weight, plus a bias; these have the shape `normalized_shape`.

    >>> import plugrad
    >>> layer = plugrad.nn.LayerNorm(2)
    >>> layer(plugrad.tensor([[1.0, 3.0], [5.0, 25.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    normalized_shape: tuple[int, ...]
    eps: float
    elementwise_affine: bool

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.make_parameters(shape, elementwise_affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        shape = self.normalized_shape
        return F.layer_norm(input, shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


def as_shape(sizes: int | Sequence[int]) -> tuple[int, ...]:
    """One size or several as a shape."""
    return (sizes,) if isinstance(sizes, int) else tuple(sizes)


class RMSNorm(Scaled):
    """The last dimensions of each input over the root of the mean of their squares,
    times a weight, which has the shape `normalized_shape`.

    >>> import plugrad
    >>> plugrad.nn.RMSNorm(2)(plugrad.tensor([0.0, 2.0])).detach()
    tensor([0.0000, 1.4142])
    """

    normalized_shape: tuple[int, ...]
    eps: float | None
    elementwise_affine: bool

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = as_shape(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.make_parameters(shape, elementwise_affine, False, device, dtype)

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Scaled):
    """Each group of channels of each input less its mean over its standard deviation;
    then times a weight, plus a bias, which have one number for each channel.

    >>> import plugrad
    >>> layer = plugrad.nn.GroupNorm(num_groups=2, num_channels=4)
    >>> layer(plugrad.tensor([[1.0, 3.0, 5.0, 25.0]])).detach()
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    num_groups: int
    num_channels: int
    eps: float
    affine: bool

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups "
                f"({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self.make_parameters(num_channels, affine, bias, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, "
            f"affine={self.affine}, bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """x / (k + alpha * mean of the squares of `size` neighbouring channels) ** beta.

    >>> import plugrad
    >>> layer = plugrad.nn.LocalResponseNorm(2, alpha=2.0, beta=1.0)
    >>> layer(plugrad.ones(1, 2, 1)).flatten()
    tensor([0.5000, 0.3333])
    """

    size: int
    alpha: float
    beta: float
    k: float

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
    ) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """`LocalResponseNorm` of images, with as many neighbours behind as ahead.

    PyTorch's adds the square of the first channel to that of each further one.

    >>> import plugrad
    >>> layer = plugrad.nn.CrossMapLRN2d(3, alpha=3.0, beta=1.0)
    >>> layer(plugrad.ones(1, 3, 1, 1)).flatten()
    tensor([0.3333, 0.2500, 0.3333])
    """

    def __init__(
        self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1
    ) -> None:
        super().__init__(size, alpha, beta, k)

    def forward(self, input: Tensor) -> Tensor:
        return cross_map_norm(input, self.size, self.alpha, self.beta, self.k)
