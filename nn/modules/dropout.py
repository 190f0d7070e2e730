"""Dropout as layers: active in training, nothing in evaluation."""

from __future__ import annotations

from plugrad import Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "AlphaDropout",
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "FeatureAlphaDropout",
]


class _DropoutNd(Module):
    """A layer that drops something with probability `p`."""

    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(
                f"dropout probability has to be between 0 and 1, but got {p}"
            )
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """In training, each element zero with probability `p`, and the others divided by
    1 - p.

    >>> import plugrad
    >>> plugrad.nn.Dropout(0.5)(plugrad.ones(1000)).unique()
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """In training, each channel of (batch, channels, length), or without a batch, zero
    with probability `p`, and the others divided by 1 - p.

    >>> import plugrad
    >>> y = plugrad.nn.Dropout1d(0.5)(plugrad.ones(20, 5))
    >>> bool((y == y[:, :1]).all())
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """In training, each channel of (batch, channels, height, width) zero with
    probability `p`, and the others divided by 1 - p.

    >>> import plugrad
    >>> y = plugrad.nn.Dropout2d(0.5)(plugrad.ones(1, 20, 2, 2))
    >>> bool((y == y[..., :1, :1]).all())
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """In training, each channel of (batch, channels, depth, height, width), or without
    a batch, zero with probability `p`, and the others divided by 1 - p.

    >>> import plugrad
    >>> y = plugrad.nn.Dropout3d(0.5)(plugrad.ones(20, 1, 2, 2))
    >>> bool((y == y[:, :, :1, :1]).all())
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """In training, each element the lowest value of `SELU` with probability `p`, and
    all scaled and shifted so that mean 0 and variance 1 stay.

    >>> import plugrad
    >>> y = plugrad.nn.AlphaDropout(0.3)(plugrad.randn(100000))
    >>> abs(y.mean().item()) < 0.02, abs(y.std().item() - 1) < 0.02
    (True, True)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_DropoutNd):
    """`AlphaDropout` of whole channels, the second dimension.

    >>> import plugrad
    >>> y = plugrad.nn.FeatureAlphaDropout(0.5)(plugrad.zeros(1, 20, 5))
    >>> bool((y == y[:, :, :1]).all())
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
