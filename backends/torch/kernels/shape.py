"""Shapes and views; what can be on the same memory is."""

from __future__ import annotations

from typing import Any

import torch

from plugrad import get_backend

from .default import by_bits, default

permute, transpose, swapaxes = torch.permute, torch.transpose, torch.swapaxes
flatten, unsqueeze, unbind = torch.flatten, torch.unsqueeze, torch.unbind
diagonal, split_with_sizes = torch.diagonal, torch.split_with_sizes
view_as_real = torch.view_as_real
expand, repeat = torch.Tensor.expand, torch.Tensor.repeat
reshape, stack = torch.reshape, torch.stack
flip, roll = by_bits(torch.flip), by_bits(torch.roll)
tril, triu = by_bits(torch.tril), by_bits(torch.triu)
real, imag = torch.real, torch.imag


def view(x: Any, shape: tuple[int, ...]) -> Any:
    """A view of another shape, or an error."""
    return x.view(shape)


def view_as_complex(x: Any) -> Any:
    """Pairs along the last dimension as complex numbers, on the same memory."""
    if x.dtype is torch.float16:
        return default("view_as_complex", x)
    return torch.view_as_complex(x)


def view_as_dtype(x: Any, dtype: Any) -> Any:
    """The same bytes as elements of another dtype."""
    return x.view(get_backend("torch").native(dtype))


def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    """All windows along a dimension."""
    return x.unfold(dimension, size, step)


def as_strided(x: Any, size: Any, stride: Any, storage_offset: Any = None) -> Any:
    """A view by steps through the memory of a contiguous array, from its first
    element, and no further than its last."""
    if not x.is_contiguous():
        raise RuntimeError(
            "as_strided needs a contiguous tensor; call .contiguous() first"
        )
    first = storage_offset or 0
    last = first + sum((n - 1) * step for n, step in zip(size, stride))
    if 0 not in size and last >= x.numel():
        raise RuntimeError(
            f"as_strided: sizes {list(size)}, strides {list(stride)} and storage "
            f"offset {first} reach element {last} of {x.numel()}"
        )
    return torch.as_strided(x, size, stride, x.storage_offset() + first)
