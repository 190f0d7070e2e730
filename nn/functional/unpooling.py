"""Pooling in windows at random places; and pooling undone."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import plugrad
from plugrad import Tensor

from .adaptive import chosen, made_like, row_major
from .windows import Ints, check_input, ints

__all__ = [
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]

Size = int | Sequence[int]


# --- Windows at random places -------------------------------------------------------


def fractional(
    name: str,
    dims: int,
    x: Tensor,
    kernel: Any,
    size: Any,
    ratio: Any,
    samples: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The largest of windows at random places, and where they are."""
    if size is None and ratio is None:
        raise ValueError(f"{name} needs an output_size or an output_ratio")
    check_input(name, x, dims)
    own = tuple(x.shape[-dims:])
    if size is None:
        ratios = ratio if isinstance(ratio, (tuple, list)) else (ratio,) * dims
        if len(ratios) != dims:
            raise ValueError(f"{name}: output_ratio must be one or {dims} numbers")
        size = [int(n * each) for n, each in zip(own, ratios)]
    kernel = ints(name, "kernel_size", kernel, dims)
    new = ints(name, "output_size", size, dims)
    for n, k, count in zip(own, kernel, new):
        if k < 1 or count < 1 or count + k - 1 > n:
            raise RuntimeError(
                f"{name}: {count} windows of {k} elements are too many for the {n} of "
                f"an input of shape {list(x.shape)}"
            )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{name}: not implemented for {x.dtype}")
    batched = x if x.ndim == dims + 2 else x.unsqueeze(0)
    lead = batched.shape[:2]
    if samples is None:
        samples = x.new_empty((*lead, dims)).uniform_()
    tables = []
    for i, (n, k, count) in enumerate(zip(own, kernel, new)):
        # in two dimensions, the first number is of the last dimension
        start = starts(samples[..., i if dims == 3 else dims - 1 - i], n, k, count)
        steps = made_like(x, list(range(k))).unsqueeze(-1)
        tables.append(start.unsqueeze(-2) + steps)  # (N, C, elements, windows)
    values, indices = chosen(batched, row_major(x, tables, own), dims)
    shape = (*x.shape[: x.ndim - dims], *new)
    return values.reshape(shape), indices.reshape(shape)


def starts(sample: Tensor, n: int, k: int, count: int) -> Tensor:
    """Where `count` windows of `k` of `n` elements start: steps of one mean size,
    rounded down from a random beginning; the last window ends with the input."""
    last = sample.new_full((*sample.shape, 1), n - k).to(plugrad.int64)
    if count == 1:
        return last
    alpha = (n - k) / (count - 1)
    sample = sample.unsqueeze(-1)
    steps = made_like(sample, list(range(count - 1)), sample.dtype)
    whole = ((steps + sample) * alpha).to(plugrad.int64)
    return plugrad.cat([whole - (sample * alpha).to(plugrad.int64), last], -1)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest elements of windows at random places, `output_size` of them or
    `output_ratio` times the size of the input.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.fractional_max_pool2d(plugrad.ones(1, 2, 5, 5), 2, output_size=3).shape
    plugrad.Size([1, 2, 3, 3])
    """
    found = fractional(
        "fractional_max_pool2d",
        2,
        input,
        kernel_size,
        output_size,
        output_ratio,
        _random_samples,
    )
    return found if return_indices else found[0]


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.ones(1, 2, 3, 3)
    >>> F.fractional_max_pool2d_with_indices(x, 2, output_size=1)[1].shape
    plugrad.Size([1, 2, 1, 1])
    """
    return fractional_max_pool2d(
        input, kernel_size, output_size, output_ratio, True, _random_samples
    )


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The largest elements of windows at random places, `output_size` of them or
    `output_ratio` times the size of the input.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> F.fractional_max_pool3d(plugrad.ones(1, 2, 5, 5), 2, output_size=1).shape
    plugrad.Size([1, 1, 1, 1])
    """
    found = fractional(
        "fractional_max_pool3d",
        3,
        input,
        kernel_size,
        output_size,
        output_ratio,
        _random_samples,
    )
    return found if return_indices else found[0]


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d` with `return_indices`.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.ones(1, 2, 3, 3)
    >>> F.fractional_max_pool3d_with_indices(x, 2, output_size=1)[1].shape
    plugrad.Size([1, 1, 1, 1])
    """
    return fractional_max_pool3d(
        input, kernel_size, output_size, output_ratio, True, _random_samples
    )


# --- Back to the size before --------------------------------------------------------


def unpool(
    name: str,
    dims: int,
    x: Tensor,
    indices: Tensor,
    kernel: Any,
    stride: Any,
    padding: Any,
    size: Any,
) -> Tensor:
    """Elements put to row-major places of the last dimensions of zeros."""
    kernel = ints(name, "kernel_size", kernel, dims)
    stride = ints(name, "stride", kernel if stride in (None, (), []) else stride, dims)
    padding = ints(name, "padding", padding, dims)
    check_input(name, x, dims)
    new = unpooled_size(name, tuple(x.shape[-dims:]), kernel, stride, padding, size)
    if indices.dtype != plugrad.int64:
        raise RuntimeError(f"{name}: indices must be int64, not {indices.dtype}")
    if indices.shape != x.shape:
        raise RuntimeError(
            f"{name}: indices must have the input's shape {list(x.shape)}, not "
            f"{list(indices.shape)}"
        )
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{name}: not implemented for {x.dtype}")
    lead = x.shape[: x.ndim - dims]
    zeros = x.new_zeros((*lead, prod(new)))
    rows = (*lead, prod(x.shape[x.ndim - dims :]))
    y = zeros.scatter(-1, indices.reshape(rows), x.reshape(rows))
    return y.reshape(*lead, *new)


def unpooled_size(
    name: str, own: Ints, kernel: Ints, stride: Ints, padding: Ints, size: Any
) -> Ints:
    """The size that was pooled: the smallest possible, or the one given."""
    least = [
        (n - 1) * s + k - 2 * p for n, k, s, p in zip(own, kernel, stride, padding)
    ]
    if size is None:
        return tuple(least)
    dims = len(own)
    if len(size) == dims + 2:
        size = size[2:]
    if len(size) != dims:
        raise ValueError(
            f"{name}: output_size must have {dims} or {dims + 2} ints, but got {size}"
        )
    for n, least_n, s in zip(size, least, stride):
        if not least_n - s < n < least_n + s:
            raise ValueError(
                f"{name}: output_size {tuple(size)} cannot have been pooled to "
                f"{list(own)}: {n} must lie between {least_n - s} and {least_n + s}"
            )
    return tuple(size)


def max_unpool1d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Elements put back to where `max_pool1d` found them, as its indices say, and zeros
    elsewhere.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.arange(4.0).reshape(1, 4)
    >>> values, indices = F.max_pool1d(x, 2, return_indices=True)
    >>> F.max_unpool1d(values, indices, 2)
    tensor([[0., 1., 0., 3.]])
    """
    return unpool(
        "max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size
    )


def max_unpool2d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Elements put back to where `max_pool2d` found them, as its indices say, and zeros
    elsewhere.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.arange(4.0).reshape(1, 2, 2)
    >>> values, indices = F.max_pool2d(x, 2, return_indices=True)
    >>> F.max_unpool2d(values, indices, 2)
    tensor([[[0., 0.],
             [0., 3.]]])
    """
    return unpool(
        "max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size
    )


def max_unpool3d(
    input: Tensor,
    indices: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    output_size: Sequence[int] | None = None,
) -> Tensor:
    """Elements put back to where `max_pool3d` found them, as its indices say, and zeros
    elsewhere.

    >>> import plugrad
    >>> from plugrad.nn import functional as F
    >>> x = plugrad.arange(8.0).reshape(1, 2, 2, 2)
    >>> values, indices = F.max_pool3d(x, 2, return_indices=True)
    >>> F.max_unpool3d(values, indices, 2).shape
    plugrad.Size([1, 2, 2, 2])
    """
    return unpool(
        "max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size
    )
