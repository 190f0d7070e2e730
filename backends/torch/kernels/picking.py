"""Elements picked, put and added where indices and masks say.

plugrad's indices may be of any integer dtype, torch's are int64.
"""

from __future__ import annotations

from typing import Any

import torch

from .default import SIGNED, by_bits, default

masked_select = by_bits(torch.masked_select)


def nonzero(x: Any) -> Any:
    """The positions of all elements that are not zero, one in each row."""
    return torch.nonzero(x.view(SIGNED.get(x.dtype, x.dtype)))


@by_bits
def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """A copy with the elements of `source`, in order, where a mask is true."""
    return torch.masked_scatter(x, mask, source)


@by_bits
def taken(x: Any, indices: Any, axis: Any = None) -> Any:
    """The standard's `take`: positions along an axis."""
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: axis is needed for {x.ndim} dimensions")
        axis = 0
    return torch.index_select(x, axis, indices)


def where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where the condition holds, else `other`."""
    if condition.dtype is not torch.bool or other is None:
        return default("where", condition, input, other)
    return torch.where(condition, input, other)


@by_bits
def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """x with `value` where the mask holds."""
    if mask.dtype is not torch.bool or getattr(value, "dtype", x.dtype) != x.dtype:
        return default("masked_fill", x, mask, value)
    if getattr(value, "ndim", 0):
        return default("masked_fill", x, mask, value)
    return torch.masked_fill(x, mask, value)


@by_bits
def pick(x: Any, index: Any, dim: int) -> Any:
    """`x` with one dimension replaced by those of an index."""
    return x[(slice(None),) * dim + (index.long(),)]


@by_bits
def spread(x: Any, index: Any, dim: int, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape`, with each part of `x` added where `index` says."""
    n = shape[dim]
    rows = index.reshape(-1).long()
    rows = torch.where(rows < 0, rows + n, rows)
    y = torch.zeros(shape, dtype=x.dtype)
    parts = x.reshape(*shape[:dim], rows.shape[0], *shape[dim + 1 :])
    return y.index_add_(dim, rows, parts)


def places(indices: Any) -> list[Any]:
    """Indices as torch takes them."""
    return [
        each.long() if each is not None and each.dtype is not torch.bool else each
        for each in indices
    ]


def index(x: Any, indices: Any) -> Any:
    """The elements at index arrays."""
    where = places(indices)
    return x[tuple(slice(None) if each is None else each for each in where)]


@by_bits
def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy with values put, or added, at index arrays."""
    y = x.clone(memory_format=torch.contiguous_format)
    return index_put_(y, indices, values, accumulate)


def index_put_(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Values put, or added, at index arrays."""
    if values.dtype != x.dtype:
        if values.is_complex() and not x.is_complex():
            values = values.real
        values = values.to(x.dtype)
    return torch.ops.aten.index_put_(x, places(indices), values, accumulate)


@by_bits
def put_flat(x: Any, flat: Any, values: Any, accumulate: bool) -> Any:
    """A copy of a vector with values put, or added, at positions."""
    return torch.index_put(x, (flat.long(),), values, accumulate)


def combine_flat(x: Any, flat: Any, values: Any, reduce: str) -> Any:
    """A copy of a vector with values combined into it at positions."""
    if x.is_complex() or x.dtype is torch.bool:
        return default("combine_flat", x, flat, values, reduce)
    return x.scatter_reduce(0, flat.long(), values, reduce)


@by_bits
def gather(x: Any, dim: int, index: Any) -> Any:
    """Along one dimension, the elements that an index names for each position."""
    return torch.gather(x, dim, index.long())


@by_bits
def scatter(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with elements of `src`, or a number, put where an index says."""
    return torch.scatter(x, dim, index.long(), src)


@by_bits
def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with elements of `src` added where an index says."""
    return torch.scatter_add(x, dim, index.long(), src)


@by_bits
def index_select(x: Any, dim: int, index: Any) -> Any:
    """The positions along a dimension that a vector of indices names."""
    if index.dtype not in (torch.int64, torch.int32):
        return default("index_select", x, dim, index)
    return torch.index_select(x, dim, index)


@by_bits
def index_add(x: Any, dim: int, index: Any, source: Any) -> Any:
    """A copy with parts of `source` added where an index says."""
    return torch.index_add(x, dim, index.long(), source)


def embedding(
    weight: Any,
    indices: Any,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` that the indices name."""
    if indices.dtype not in (torch.int64, torch.int32):
        return default("embedding", weight, indices)
    return torch.embedding(weight, indices)


def getitem(x: Any, index: Any) -> Any:
    """The view that an index of numbers, slices, None and ... gives; a copy where a
    slice steps back, which torch's strides cannot."""
    items = index if isinstance(index, tuple) else (index,)
    if not any(steps_back(each) for each in items):
        return x[index]
    plain, turned, dim = [], [], 0
    items = whole(items, x.ndim)
    at = 0
    for each in items:
        if isinstance(each, slice):
            if steps_back(each):
                each = forward(each, x.shape[at])
                turned.append(dim)
            dim += 1
        elif each is None:
            dim += 1
        at += each is not None
        plain.append(each)
    return x[tuple(plain)].flip(turned)


def embed(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape`, with `x` at a basic index."""
    items = index if isinstance(index, tuple) else (index,)
    if any(steps_back(each) for each in items):
        return default("embed", x, index, shape)
    y = torch.zeros(shape, dtype=x.dtype)
    y[items] = x
    return y


def steps_back(item: Any) -> bool:
    """Whether an item of an index is a slice with a negative step."""
    return isinstance(item, slice) and item.step is not None and item.step < 0


def whole(items: tuple[Any, ...], ndim: int) -> tuple[Any, ...]:
    """The items of an index, with full slices where ... stands."""
    if Ellipsis not in items:
        return items
    at = items.index(Ellipsis)
    taken = sum(each is not None for each in items) - 1
    return (*items[:at], *(slice(None),) * (ndim - taken), *items[at + 1 :])


def forward(item: slice, n: int) -> slice:
    """The slice with the same elements of n, in rising order."""
    found = range(n)[item]
    if not found:
        return slice(0, 0)
    return slice(found[-1], found[0] + 1, -found.step)
