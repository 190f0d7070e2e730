"""Normalizing layers that learn from their first input how many channels it has."""

from __future__ import annotations

from typing import Any

import plugrad
from plugrad import Tensor

from ..parameter import UninitializedBuffer, UninitializedParameter
from .batchnorm import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)
from .lazy import LazyModuleMixin

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
]


class _LazyNormBase(LazyModuleMixin):
    """What the lazy normalizing layers have in common."""

    def __init__(
        self: Any,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        place = {"device": device, "dtype": dtype}
        super().__init__(0, eps, momentum, False, False, **place)
        self.affine = affine
        self.track_running_stats = track_running_stats
        if affine:
            self.weight = UninitializedParameter(**place)
            if bias:
                self.bias = UninitializedParameter(**place)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(**place)
            self.running_var = UninitializedBuffer(**place)
            self.num_batches_tracked = plugrad.tensor(0, device=device)

    def reset_parameters(self: Any) -> None:
        """Set parameters and running values to what they are at first, once they are
        there."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self: Any, input: Tensor) -> None:
        """Take the number of channels from `input`."""
        if not self.has_uninitialized_params():
            return
        self.num_features = input.shape[1]
        for name in ("weight", "bias", "running_mean", "running_var"):
            value = getattr(self, name)
            if value is not None:
                value.materialize((self.num_features,))
        self.reset_parameters()


class LazyBatchNorm1d(_LazyNormBase, BatchNorm1d):
    """`BatchNorm1d` for as many channels as its first input has.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyBatchNorm1d()
    >>> layer(plugrad.ones(2, 3, 4)).shape
    plugrad.Size([2, 3, 4])
    >>> layer.num_features
    3
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNormBase, BatchNorm2d):
    """`BatchNorm2d` for as many channels as its first input has.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyBatchNorm2d()
    >>> layer(plugrad.ones(2, 3, 4, 4)).shape
    plugrad.Size([2, 3, 4, 4])
    >>> layer.num_features
    3
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNormBase, BatchNorm3d):
    """`BatchNorm3d` for as many channels as its first input has.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyBatchNorm3d()
    >>> layer(plugrad.ones(2, 3, 2, 4, 4)).shape
    plugrad.Size([2, 3, 2, 4, 4])
    >>> layer.num_features
    3
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNormBase, InstanceNorm1d):
    """`InstanceNorm1d` for as many channels as its first input has.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyInstanceNorm1d()
    >>> layer(plugrad.ones(2, 3, 4)).shape
    plugrad.Size([2, 3, 4])
    >>> layer.num_features
    3
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNormBase, InstanceNorm2d):
    """`InstanceNorm2d` for as many channels as its first input has.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyInstanceNorm2d()
    >>> layer(plugrad.ones(2, 3, 4, 4)).shape
    plugrad.Size([2, 3, 4, 4])
    >>> layer.num_features
    3
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNormBase, InstanceNorm3d):
    """`InstanceNorm3d` for as many channels as its first input has.

    >>> import plugrad
    >>> layer = plugrad.nn.LazyInstanceNorm3d()
    >>> layer(plugrad.ones(2, 3, 2, 4, 4)).shape
    plugrad.Size([2, 3, 2, 4, 4])
    >>> layer.num_features
    3
    """

    cls_to_become = InstanceNorm3d
