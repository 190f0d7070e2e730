"""Layers that normalize channels, over a batch or in each input."""

from __future__ import annotations

import warnings
from typing import Any

import plugrad
from plugrad import Tensor

from .. import functional as F
from .module import Module
from .normalization import Scaled

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "SyncBatchNorm",
]


class _NormBase(Scaled):
    """What batch and instance normalization have in common: a weight and a bias, and
    running values of mean and variance, each one number for each channel."""

    _version = 2
    dims: tuple[int, ...] = ()  # that the input may have
    num_features: int
    eps: float
    momentum: float | None
    affine: bool
    track_running_stats: bool
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        if track_running_stats:
            running = {"device": device, "dtype": dtype}
            buffers: Any = {
                "running_mean": plugrad.zeros(num_features, **running),
                "running_var": plugrad.ones(num_features, **running),
                "num_batches_tracked": plugrad.tensor(0, device=device),
            }
        else:
            buffers = dict.fromkeys(("running_mean", "running_var"))
            buffers["num_batches_tracked"] = None
        for name, buffer in buffers.items():
            self.register_buffer(name, buffer)
        self.make_parameters(num_features, affine, bias, device, dtype)

    def reset_running_stats(self) -> None:
        """Forget what was seen: mean 0, variance 1, no batches."""
        if self.track_running_stats:
            for name, value in (("mean", 0), ("var", 1)):
                getattr(self, f"running_{name}").fill_(value)
            self.num_batches_tracked.zero_()  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Set weight and bias, and the running values, to what they were at first."""
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self.dims:
            expected = " or ".join(f"{n}D" for n in self.dims)
            raise ValueError(f"expected {expected} input (got {input.ndim}D input)")

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        *args: Any,
    ) -> None:
        """Before version 2 the number of batches was not counted."""
        key = prefix + "num_batches_tracked"
        old = (local_metadata.get("version") or 0) < 2
        if old and self.track_running_stats and key not in state_dict:
            known = self.num_batches_tracked
            state_dict[key] = plugrad.tensor(0) if known is None else known
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


# --- Over a batch ---------------------------------------------------------------------


class _BatchNorm(_NormBase):
    """Batch normalization of any number of dimensions."""

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        momentum = 0.0 if self.momentum is None else self.momentum
        mean, var = self.running_mean, self.running_var
        own = self.training or (mean is None and var is None)
        if self.training:
            if not self.track_running_stats:
                mean = var = None
            elif self.num_batches_tracked is not None:
                self.num_batches_tracked.add_(1)
                if self.momentum is None:  # the mean of all batches so far
                    momentum = 1.0 / float(self.num_batches_tracked)
        scale = self.weight, self.bias
        return F.batch_norm(input, mean, var, *scale, own, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Each channel of a batch, (batch, channels) or (batch, channels, length), less its
    mean over its standard deviation, times a weight, plus a bias.

    In training the running mean and variance move towards the batch's own by the share
    `momentum` (None: they become the mean of all batches); in evaluation they are what
    is used.

    >>> import plugrad
    >>> layer = plugrad.nn.BatchNorm1d(1)
    >>> layer(plugrad.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    >>> layer.running_mean
    tensor([0.2000])
    """

    dims = 2, 3


class BatchNorm2d(_BatchNorm):
    """`BatchNorm1d` of images, (batch, channels, height, width).

    >>> import plugrad
    >>> plugrad.nn.BatchNorm2d(3)(plugrad.ones(2, 3, 4, 4)).shape
    plugrad.Size([2, 3, 4, 4])
    """

    dims = (4,)


class BatchNorm3d(_BatchNorm):
    """`BatchNorm1d` of volumes, (batch, channels, depth, height, width).

    >>> import plugrad
    >>> plugrad.nn.BatchNorm3d(3)(plugrad.ones(2, 3, 2, 4, 4)).shape
    plugrad.Size([2, 3, 2, 4, 4])
    """

    dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalization over all processes of a group; there is one process, so it
    is that of any number of dimensions.

    >>> import plugrad
    >>> net = plugrad.nn.Sequential(plugrad.nn.BatchNorm1d(3))
    >>> plugrad.nn.SyncBatchNorm.convert_sync_batchnorm(net)[0].num_features
    3
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        settings = eps, momentum, affine, track_running_stats, device, dtype
        super().__init__(num_features, *settings, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ValueError(f"expected at least 2D input (got {input.ndim}D input)")
        if input.shape[1] == 0:
            raise ValueError(
                "SyncBatchNorm number of input channels should be non-zero"
            )

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Any:
        """The same module with all layers of batch normalization in it replaced by
        these, which take over their parameters and running values.

        >>> import plugrad
        >>> layer = plugrad.nn.BatchNorm2d(3)
        >>> found = plugrad.nn.SyncBatchNorm.convert_sync_batchnorm(layer)
        >>> found.weight is layer.weight
        True
        """
        found: Any = module
        if isinstance(module, _BatchNorm):
            found = SyncBatchNorm(
                module.num_features,
                module.eps,
                module.momentum,
                module.affine,
                module.track_running_stats,
                process_group,
                bias=module.bias is not None,
            )
            names = "weight bias running_mean running_var num_batches_tracked training"
            for name in names.split():
                setattr(found, name, getattr(module, name))
        for name, child in module.named_children():
            found.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return found


# --- In each input --------------------------------------------------------------------


class _InstanceNorm(_NormBase):
    """Instance normalization; an input of the fewest dimensions has no batch."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        settings = eps, momentum, affine, track_running_stats, device, dtype
        super().__init__(num_features, *settings, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        single = input.ndim == self.dims[0]
        place = 0 if single else 1
        if input.shape[place] != self.num_features:
            text = (
                f"input's size at dim={place} is {input.shape[place]}, and does not "
                f"match num_features ({self.num_features})"
            )
            if self.affine:
                raise ValueError(text)
            warnings.warn(
                f"{text}, which is not used because affine=False", stacklevel=2
            )
        if single:
            return self.normalized(input.unsqueeze(0)).squeeze(0)
        return self.normalized(input)

    def normalized(self, input: Tensor) -> Tensor:
        """The output for a batch."""
        return F.instance_norm(
            input,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Before there was a version, running values were kept and not used."""
        if local_metadata.get("version") is None and not self.track_running_stats:
            keys = [prefix + name for name in ("running_mean", "running_var")]
            found = [key for key in keys if key in state_dict]
            if found:
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {' and '.join(found)} for "
                    f"{type(self).__name__} with track_running_stats=False. Remove "
                    "them from the state_dict, or set track_running_stats=True"
                )
            for key in found:
                state_dict.pop(key)
        lists = strict, missing_keys, unexpected_keys, error_msgs
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *lists)


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each input, (batch, channels, length) or without a batch, less
    its mean over its standard deviation; with `affine` times a weight, plus a bias.

    With `track_running_stats` evaluation uses the running mean and variance, which
    training moves by the share `momentum`.

    >>> import plugrad
    >>> plugrad.nn.InstanceNorm1d(1)(plugrad.tensor([[1.0, 3.0]]))
    tensor([[-1.0000,  1.0000]])
    """

    dims = 2, 3


class InstanceNorm2d(_InstanceNorm):
    """`InstanceNorm1d` of images, (batch, channels, height, width) or without a batch.

    >>> import plugrad
    >>> plugrad.nn.InstanceNorm2d(3)(plugrad.ones(2, 3, 4, 4)).shape
    plugrad.Size([2, 3, 4, 4])
    """

    dims = 3, 4


class InstanceNorm3d(_InstanceNorm):
    """`InstanceNorm1d` of volumes, (batch, channels, depth, height, width) or without a
    batch.

    >>> import plugrad
    >>> plugrad.nn.InstanceNorm3d(3)(plugrad.ones(2, 3, 2, 4, 4)).shape
    plugrad.Size([2, 3, 2, 4, 4])
    """

    dims = 4, 5
