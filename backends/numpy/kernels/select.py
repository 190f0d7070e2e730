"""Picking, putting and sorting by index arrays.

Adding at repeated positions is `np.add.at`. On one dimension that has a fast way: rows
are added as flat positions (64 columns, 30,000 rows: 0.4 ms, against 1.8 ms for rows
and 1.1 ms for sorting them and `reduceat` or for `bincount`).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np


def _add_rows(y: Any, rows: Any, values: Any) -> None:
    """y[rows] += values, repeated rows adding up; `y` is contiguous, `values` 2-D."""
    width = values.shape[1]
    if values.size <= 64:
        np.add.at(y.reshape(-1, width), rows, values)
        return
    flat = (
        rows if width == 1 else (rows[:, None] * width + np.arange(width)).reshape(-1)
    )
    np.add.at(y.reshape(-1), flat, values.reshape(-1))


def pick(x: Any, index: Any, dim: int) -> Any:
    """`x` with one dimension replaced by those of an index."""
    if not x.size and index.size and not x.shape[dim]:
        raise IndexError(f"an index is out of bounds for dimension {dim} with size 0")
    return x.take(index, dim)


def spread(x: Any, index: Any, dim: int, shape: tuple[int, ...]) -> Any:
    """Zeros of `shape`, with each part of `x` added where `index` says."""
    n = shape[dim]
    if not x.size:
        return np.zeros(shape, x.dtype)
    rows = index.reshape(-1)
    if dim:  # the dimensions of the index to the front
        order = (
            *range(dim, dim + index.ndim),
            *range(dim),
            *range(dim + index.ndim, x.ndim),
        )
        x = x.transpose(order)
    rest = (*shape[:dim], *shape[dim + 1 :])
    y = np.zeros((n, *rest), x.dtype)
    _add_rows(y, rows, x.reshape(rows.size, -1))
    return np.moveaxis(y, 0, dim) if dim else y


def _in_range(index: Any, n: int) -> bool:
    if index.dtype is INT64:  # negative ones are the largest without a sign
        index = index.view(np.uint64)
        return not index.size or np.maximum.reduce(index, None) < n
    return not index.size or (index.min() >= 0 and index.max() < n)


INT64 = np.dtype(np.int64)


def _flat(index: Any, shape: tuple[int, ...], dim: int) -> Any:
    """Where in an array of a shape, laid out in order, an index along one dimension
    points to; `dim` is not negative."""
    if index.dtype is not INT64:
        index = index.astype(INT64)
    few = index.size <= 1024
    base, step = (_base if few else _base.__wrapped__)(index.shape, shape, dim)
    if step != 1:
        index = index * step
    return index if base is None else index + base


@lru_cache(256)
def _base(index: tuple[int, ...], shape: tuple[int, ...], dim: int) -> tuple[Any, int]:
    """What the positions in all other dimensions add, and the step along `dim`."""
    steps = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
    base = None
    for i, n in enumerate(index):
        if i != dim and n > 1:
            row = np.arange(0, n * steps[i], steps[i])
            row = row.reshape((n,) + (1,) * (len(index) - i - 1))
            base = row if base is None else base + row
    return base, steps[dim]


def _along(x: Any, index: Any, dim: int) -> Any:
    """The elements at an index along one dimension, which is known to be in range."""
    dim %= x.ndim
    if x.flags.c_contiguous:
        return x.reshape(-1).take(_flat(index, x.shape, dim))
    if x.ndim == 1:
        return x[index]
    part = x[tuple(slice(None if i == dim else n) for i, n in enumerate(index.shape))]
    return np.take_along_axis(part, index, dim)


def index_select(x: Any, dim: int, index: Any) -> Any:
    """The positions along a dimension that a vector of indices names."""
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if index.dtype.kind not in "iu":
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if not x.ndim:
        return x.reshape(1).take(index.reshape(-1), dim).reshape(())
    if index.size and index.min() < 0:
        raise IndexError("index out of range in self")
    return x.take(index if index.ndim else index.reshape(1), dim)


def embedding(
    weight: Any,
    indices: Any,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Any:
    """The rows of `weight` that the indices name."""
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if indices.dtype.kind not in "iu":
        raise RuntimeError(
            "Expected tensor for argument 'indices' to have scalar types Long or Int"
        )
    if indices.size and indices.min() < 0:
        raise IndexError("index out of range in self")
    return weight.take(indices, 0)


def index(x: Any, indices: Any) -> Any:
    """The elements at index arrays."""
    found = x[tuple(slice(None) if each is None else each for each in indices)]
    return found if type(found) is np.ndarray else np.asarray(found)


def index_put(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """A copy with values put, or added, at index arrays."""
    y = np.array(x, order="C")
    index_put_(y, indices, values, accumulate)
    return y


def index_put_(x: Any, indices: Any, values: Any, accumulate: bool = False) -> Any:
    """Values put, or added, at index arrays."""
    where = tuple(slice(None) if each is None else each for each in indices)
    if not accumulate:
        if type(values) is np.ndarray and values.dtype.kind == "c" != x.dtype.kind:
            values = values.real
        x[where] = values
        return x
    first = indices[0]
    if (
        len([each for each in indices if each is not None]) == 1
        and first is not None
        and x.flags.c_contiguous
        and values.shape == (*first.shape, *x.shape[1:])
        and values.size
    ):
        rows = first.reshape(-1)
        if rows.min() < -len(x) or rows.max() >= len(x):
            raise IndexError(
                f"an index is out of bounds for dimension 0 of size {len(x)}"
            )
        _add_rows(x, rows, values.reshape(rows.size, -1))
    else:
        np.add.at(x, where, values)
    return x


def put_flat(x: Any, flat: Any, values: Any, accumulate: bool) -> Any:
    """A copy of a vector with values put, or added, at positions."""
    y = x.copy()
    if accumulate:
        np.add.at(y, flat, values)
    else:
        y[flat] = values
    return y


_COMBINE = {"amax": np.maximum, "amin": np.minimum, "prod": np.multiply}


def combine_flat(x: Any, flat: Any, values: Any, reduce: str) -> Any:
    """A copy of a vector with values combined into it at positions."""
    if x.dtype.kind == "c" and reduce != "prod":
        raise RuntimeError(f"{reduce} of complex numbers: they have no order")
    y = x.copy()
    _COMBINE[reduce].at(y, flat, values)
    return y


def gather(x: Any, dim: int, index: Any) -> Any:
    """Along one dimension, the elements that an index names for each position."""
    at = _checked("gather", x, dim, index, x)
    if not x.ndim:
        return np.broadcast_to(x, index.shape).copy()
    if not index.size:
        return np.empty(index.shape, x.dtype)
    found = _along(x, index, at)
    return found if type(found) is np.ndarray else np.asarray(found)


def _checked(name: str, x: Any, dim: int, index: Any, src: Any) -> int:
    """The dimension counted from the front, once the index is known to fit."""
    n = x.ndim
    at = dim + (n or 1) if dim < 0 else dim
    if not 0 <= at < (n or 1):
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but "
            f"got {dim})"
        )
    if index.dtype.kind not in "iu":
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    if not index.size:
        return at
    if max(index.ndim, 1) != max(n, 1):
        raise RuntimeError(
            f"{name}(): Index tensor must have the same number of dimensions as input "
            f"tensor, not {index.ndim} for {n}"
        )
    for i, size in enumerate(index.shape):
        if (i != at and size > x.shape[i]) or (
            src is not x and src.ndim and size > src.shape[i]
        ):
            raise RuntimeError(
                f"{name}(): Expected index {list(index.shape)} to be no larger than "
                f"self {list(x.shape)} apart from dimension {at} and to be no larger "
                f"size than src {list(src.shape)}"
            )
    if not _in_range(index, x.shape[at] if n else 1):
        raise RuntimeError(
            f"{name}(): an index is out of bounds for dimension {at} with size "
            f"{x.shape[at] if n else 1}"
        )
    return at


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with elements of `src` added where an index says."""
    at = _checked("scatter_add", x, dim, index, src)
    y = np.array(x, order="C")  # x may be a NumPy scalar
    _check_dtypes("scatter_add", x, src)
    if not index.size:
        return y
    part = src if src.shape == index.shape else src[tuple(map(slice, index.shape))]
    where = _flat(index, x.shape, at) if x.ndim else index
    np.add.at(y.reshape(-1), where.reshape(-1), part.reshape(-1))
    return y


def _check_dtypes(name: str, x: Any, src: Any) -> None:
    if x.dtype != src.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, got {x.dtype} "
            f"and {src.dtype}"
        )


def scatter(x: Any, dim: int, index: Any, src: Any) -> Any:
    """A copy with elements of `src`, or a number, put where an index says."""
    number = type(src) is not np.ndarray
    at = _checked("scatter", x, dim, index, x if number else src)
    if not number:
        _check_dtypes("scatter", x, src)
        if src.shape != index.shape:
            src = src[tuple(map(slice, index.shape))] if src.ndim else src
    y = np.array(x, order="C")
    if not x.ndim:
        if index.size:
            y[...] = src if number else src.reshape(-1)[-1]
    elif index.size:
        y.reshape(-1)[_flat(index, x.shape, at)] = src
    return y


def masked_select(x: Any, mask: Any) -> Any:
    """The elements where a mask is true."""
    if mask.dtype.kind != "b":
        raise RuntimeError(
            f"masked_select: expected BoolTensor for mask, got {mask.dtype}"
        )
    if x.shape != mask.shape:
        x, mask = np.broadcast_arrays(x, mask)
    return x[mask]


def masked_scatter(x: Any, mask: Any, source: Any) -> Any:
    """A copy with the elements of `source`, in order, where a mask is true."""
    if mask.dtype.kind != "b":
        raise RuntimeError(
            f"masked_scatter: expected BoolTensor for mask, got {mask.dtype}"
        )
    _check_dtypes("masked_scatter", x, source)
    y = np.array(x, order="C")
    if y.shape != mask.shape:
        y, mask = np.broadcast_arrays(y, mask)
        y = y.copy()
    count = np.count_nonzero(mask)
    if count > source.size:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes and as many "
            f"elements in source ({source.size}) as ones in mask ({count})"
        )
    y[mask] = source.reshape(-1)[:count]
    return y


def nonzero(x: Any) -> Any:
    """The positions of all elements that are not zero, one in each row."""
    return np.argwhere(x)


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = False) -> Any:
    """Sorted values, and where they were; equal elements stay in order."""
    if x.dtype.kind == "c":
        raise RuntimeError("sort does not support complex dtypes")
    if not x.ndim:
        x.reshape(1).argsort(dim)  # the dimension must be there
        return x.copy(), np.zeros((), np.int64)
    order = _order(x, dim, descending)
    return _along(x, order, dim), order


def _order(x: Any, dim: int, descending: bool) -> Any:
    """Where the elements are that stand in order."""
    if not descending:
        return x.argsort(dim, kind="stable")
    back = (slice(None),) * (dim % x.ndim) + (slice(None, None, -1),)
    return (x.shape[dim] - 1 - x[back].argsort(dim, kind="stable"))[back]


sort_both = sort


def topk(
    x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True
) -> Any:
    """The k largest or smallest; of long rows only those are sorted."""
    n = x.shape[dim] if x.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(f"selected index k out of range: {k} of {list(x.shape)}")
    if not x.ndim or x.dtype.kind == "c":
        return sort(x, dim)
    if n < 64 or k > n // 4 or not k:
        part = (slice(None),) * (dim % x.ndim) + (slice(k),)
        order = _order(x, dim, largest)[part].copy()
        return _along(x, order, dim), order
    part = (slice(None),) * (dim % x.ndim)
    cut = np.argpartition(x, n - k if largest else k - 1, dim)
    some = cut[(*part, slice(n - k, None) if largest else slice(k))]
    some.sort(dim)
    values, order = sort(_along(x, some, dim), dim, largest)
    return values, _along(some, order, dim)


def find_sorted(sequence: Any, values: Any, right: bool = False) -> Any:
    """Where values would go in sequences sorted along the last dimension."""
    side = "right" if right else "left"
    if sequence.ndim == 1:
        return np.asarray(sequence.searchsorted(values, side))
    found = np.empty(values.shape, np.int64)
    rows = sequence.reshape(-1, sequence.shape[-1])
    wanted = values.reshape(-1, values.shape[-1])
    for row, each, out in zip(rows, wanted, found.reshape(wanted.shape)):
        out[...] = row.searchsorted(each, side)
    return found


def isin(elements: Any, test_elements: Any) -> Any:
    """Which elements occur in another array."""
    return np.isin(elements, test_elements)
