"""Elements moved between channels and places."""

from __future__ import annotations

from typing import Any

from plugrad import Tensor

__all__ = ["channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


def positive(name: str, what: str, value: Any) -> int:
    """`value` as an int above 0."""
    if isinstance(value, float) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {what} must be an int, not {value!r}")
    value = value.__index__()
    if value < 1:
        raise RuntimeError(f"{name}: {what} must be above 0, not {value}")
    return value


def need_image(name: str, x: Tensor) -> None:
    """Raise unless `x` ends in (C, H, W)."""
    if x.ndim < 3:
        raise RuntimeError(
            f"{name}: expected an input (..., C, H, W), but got shape {list(x.shape)}"
        )


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels become places: (..., C * r * r, H, W) becomes (..., C, H * r, W * r).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.pixel_shuffle(plugrad.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    need_image("pixel_shuffle", input)
    r = positive("pixel_shuffle", "upscale_factor", upscale_factor)
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeError(
            f"pixel_shuffle: the {c} channels of shape {list(input.shape)} cannot be "
            f"divided by the square of the upscale_factor, {r * r}"
        )
    c //= r * r
    n = len(lead)
    x = input.reshape(*lead, c, r, r, h, w)
    x = x.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return x.reshape(*lead, c, h * r, w * r)


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Places become channels: (..., C, H * r, W * r) becomes (..., C * r * r, H, W).

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.pixel_unshuffle(plugrad.arange(4).reshape(1, 2, 2), 2).flatten()
    tensor([0, 1, 2, 3])
    """
    need_image("pixel_unshuffle", input)
    r = positive("pixel_unshuffle", "downscale_factor", downscale_factor)
    *lead, c, h, w = input.shape
    if h % r or w % r:
        raise RuntimeError(
            f"pixel_unshuffle: height and width of {list(input.shape)} cannot both "
            f"be divided by the downscale_factor {r}"
        )
    n = len(lead)
    x = input.reshape(*lead, c, h // r, r, w // r, r)
    x = x.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return x.reshape(*lead, c * r * r, h // r, w // r)


def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Channels in another order: the first of each of the `groups`, then the second of
    each, and so on.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.channel_shuffle(plugrad.arange(4).reshape(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    if input.ndim < 3:
        raise RuntimeError(
            "channel_shuffle: expected an input (N, C, ...) of more than two "
            f"dimensions, but got shape {list(input.shape)}"
        )
    groups = positive("channel_shuffle", "groups", groups)
    n, c, *rest = input.shape
    if c % groups:
        raise RuntimeError(
            f"channel_shuffle: {c} channels cannot be divided into {groups} groups"
        )
    x = input.reshape(n, groups, c // groups, *rest)
    return x.transpose(1, 2).reshape(n, c, *rest)
