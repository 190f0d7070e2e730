"""Dropout: random elements or channels replaced, so that none can be relied on.

What is kept is drawn from plugrad's one random stream, so that a seed drops the same
elements on every backend.
"""

from __future__ import annotations

import warnings
from math import sqrt
from typing import Any

import plugrad
from plugrad import Tensor

__all__ = [
    "alpha_dropout",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "feature_alpha_dropout",
]

# where selu goes to on the left, which is what alpha dropout puts in an element's place
LOWEST = -1.7580993408473766


def check(p: float) -> None:
    """Raise unless `p` is a probability."""
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def drawn(x: Tensor, shape: Any, p: float) -> Tensor:
    """0 with probability `p`, else 1."""
    return plugrad.empty(shape, dtype=x.dtype, device=x.device).bernoulli_(1 - p)


def plain(x: Tensor, shape: Any, p: float, inplace: bool) -> Tensor:
    """Zeros with probability `p`; what is kept grows by as much as makes up for it."""
    if p == 1:
        noise = plugrad.zeros(shape, dtype=x.dtype, device=x.device)
    else:
        noise = drawn(x, shape, p).div_(1 - p)
    return x.mul_(noise) if inplace else x * noise


def alpha(x: Tensor, shape: Any, p: float, inplace: bool) -> Tensor:
    """The lowest value of selu with probability `p`; then scaled and shifted so that
    mean 0 and variance 1 stay."""
    if p == 1:
        return plain(x, shape, p, inplace)
    scale = 1 / sqrt((LOWEST * LOWEST * p + 1) * (1 - p))
    kept = drawn(x, shape, p)
    shift = (1 - kept).mul_(LOWEST * scale).add_(-LOWEST * scale * p)
    kept.mul_(scale)
    return x.mul_(kept).add_(shift) if inplace else x * kept + shift


def channels_of(x: Tensor, batched: bool = True) -> tuple[int, ...]:
    """The shape of numbers of which there is one for each channel of each input."""
    n = 2 if batched else 1
    if x.ndim < n:
        raise RuntimeError(
            "Feature dropout requires at least 2 dimensions in the input, but it has "
            f"shape {list(x.shape)}"
        )
    return (*x.shape[:n], *(1,) * (x.ndim - n))


def dropout(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, each element zero with probability `p`, and the others divided by
    1 - p.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> y = F.dropout(plugrad.ones(1000), 0.5)
    >>> y.unique()
    tensor([0., 2.])
    >>> F.dropout(plugrad.ones(2), training=False)
    tensor([1., 1.])
    """
    check(p)
    if not training or p == 0 or not input.numel():
        return input
    return plain(input, input.shape, p, inplace)


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """In training, each element the lowest value of `selu` with probability `p`, and
    all scaled and shifted so that mean 0 and variance 1 stay.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> y = F.alpha_dropout(plugrad.randn(100000), 0.3, training=True)
    >>> abs(y.mean().item()) < 0.02, abs(y.std().item() - 1) < 0.02
    (True, True)
    """
    check(p)
    if not training or p == 0 or not input.numel():
        return input
    return alpha(input, input.shape, p, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """`alpha_dropout` of whole channels, the second dimension.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> y = F.feature_alpha_dropout(plugrad.zeros(1, 20, 5), 0.5, training=True)
    >>> bool((y == y[:, :, :1]).all())
    True
    """
    check(p)
    if not training or p == 0 or not input.numel():
        return input
    return alpha(input, channels_of(input), p, inplace)


def feature_dropout(
    input: Tensor, p: float, training: bool, inplace: bool, batched: bool
) -> Tensor:
    """In training, each channel zero with probability `p`."""
    if not training or p == 0 or not input.numel():
        return input
    return plain(input, channels_of(input, batched), p, inplace)


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, each channel of (batch, channels, length), or without a batch, zero
    with probability `p`, and the others divided by 1 - p.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> y = F.dropout1d(plugrad.ones(20, 5), 0.5)
    >>> bool((y == y[:, :1]).all())
    True
    """
    check(p)
    if input.ndim not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.ndim}D input. "
            "Note that dropout1d drops whole channels, the first or second dimension"
        )
    return feature_dropout(input, p, training, inplace, input.ndim == 3)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, each channel of (batch, channels, height, width) zero with
    probability `p`, and the others divided by 1 - p.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> y = F.dropout2d(plugrad.ones(1, 20, 2, 2), 0.5)
    >>> bool((y == y[..., :1, :1]).all())
    True
    """
    check(p)
    if input.ndim not in (3, 4):
        warn(2, input.ndim, 3)
    if input.ndim == 3:
        warnings.warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-"
            "wise 1D dropout behavior is desired - input is interpreted as shape (N, "
            "C, L), where C is the channel dim. Use dropout1d for this, and "
            "unsqueeze(0) for an image without a batch",
            stacklevel=2,
        )
    return feature_dropout(input, p, training, inplace, True)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """In training, each channel of (batch, channels, depth, height, width), or without
    a batch, zero with probability `p`, and the others divided by 1 - p.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> y = F.dropout3d(plugrad.ones(20, 1, 2, 2), 0.5)
    >>> bool((y == y[:, :, :1, :1]).all())
    True
    """
    check(p)
    if input.ndim not in (4, 5):
        warn(3, input.ndim, 4)
    return feature_dropout(input, p, training, inplace, input.ndim != 4)


def warn(n: int, ndim: int, least: int) -> None:
    """Say that an input has an unusual number of dimensions."""
    warnings.warn(
        f"dropout{n}d: Received a {ndim}-D input to dropout{n}d, which is deprecated "
        f"and will result in an error in a future release. Use an input of {least} or "
        f"{least + 1} dimensions, or dropout, which drops single elements",
        stacklevel=3,
    )
