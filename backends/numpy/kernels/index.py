"""Shapes, views and indexing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

clone = ndarray.copy


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """A view with steps of 0; small ones are filled instead, which is faster, and so is
    what computes with them."""
    count = 1
    for n in shape:
        count *= n
    if x.ndim <= len(shape):  # else NumPy says why not
        if count <= 4096:
            y = np.empty(shape, x.dtype)
            y[...] = x
            return y
        if type(x) is ndarray:
            return expand(x, shape)
    return np.broadcast_to(x, shape)


def expand(x: Any, size: tuple[int, ...]) -> Any:
    """A view with steps of 0. Made from its strides, which takes 200 ns where
    `np.broadcast_to` takes 1800; that needs memory without gaps."""
    if -1 in size:
        added = len(size) - x.ndim
        size = tuple(
            x.shape[i - added] if n == -1 and i >= added else n
            for i, n in enumerate(size)
        )
    if not x.flags.c_contiguous or 0 in size or 0 in x.shape:
        y = np.broadcast_to(x, size)
        return np.lib.stride_tricks.as_strided(
            x, size, y.strides, writeable=y.size == x.size and x.flags.writeable
        )
    steps = [0] * len(size)
    i = len(size) - x.ndim
    if i < 0:
        raise ValueError(
            f"the number of sizes provided ({len(size)}) must be greater or equal to "
            f"the number of dimensions in the tensor ({x.ndim})"
        )
    for n, step in zip(x.shape, x.strides):
        if n == size[i]:
            steps[i] = step
        elif n != 1:
            raise ValueError(
                f"The expanded size of the tensor ({size[i]}) must match the existing "
                f"size ({n}) at non-singleton dimension {i}.  Target sizes: "
                f"{list(size)}.  Tensor sizes: {list(x.shape)}"
            )
        i += 1
    y = ndarray(size, x.dtype, x, 0, steps)
    if y.size != x.size:
        y.flags.writeable = False  # elements that share memory cannot be written
    return y


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    """A view where that is possible, else a copy."""
    for n in shape:
        if n < -1:
            raise ValueError(f"invalid shape dimension {n} in {list(shape)}")
    return x.reshape(shape)


def view(x: Any, shape: tuple[int, ...]) -> Any:
    """A view, or an error."""
    y = reshape(x, shape)
    base = y.base
    if base is x or (base is not None and base is x.base):
        return y
    raise ValueError(
        "view size is not compatible with input tensor's size and stride (at least one "
        "dimension spans across two contiguous subspaces). Use .reshape(...) instead."
    )


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Neighbouring dimensions as one."""
    n = x.ndim or 1
    start = start_dim + n if start_dim < 0 else start_dim
    end = end_dim + n if end_dim < 0 else end_dim
    if not (0 <= start < n and 0 <= end < n):
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but "
            f"got {start_dim if not 0 <= start < n else end_dim})"
        )
    if start > end:
        raise ValueError(
            "flatten() has invalid args: start_dim cannot come after end_dim"
        )
    if start == 0 and end == n - 1:
        return x.reshape(-1)
    shape = x.shape
    count = 1
    for size in shape[start : end + 1]:
        count *= size
    return x.reshape((*shape[:start], count, *shape[end + 1 :]))


def unsqueeze(x: Any, dim: int) -> Any:
    """A new dimension of size 1."""
    n = x.ndim + 1
    at = dim + n if dim < 0 else dim
    if not 0 <= at < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but "
            f"got {dim})"
        )
    shape = x.shape
    return x.reshape((*shape[:at], 1, *shape[at:]))


def permute(x: Any, dims: tuple[int, ...]) -> Any:
    """The dimensions in another order."""
    return x.transpose(dims) if dims else _nothing_to_permute(x)


def _nothing_to_permute(x: Any) -> Any:
    if x.ndim:
        raise ValueError(f"no dims were given for a tensor of {x.ndim} dimensions")
    return x.view()


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions exchanged."""
    return (
        x.swapaxes(dim0, dim1) if x.ndim else x.reshape(1).swapaxes(dim0, dim1)[0, ...]
    )


swapaxes = transpose


def mT(x: Any) -> Any:
    """The last two dimensions exchanged."""
    if x.ndim < 2:
        raise ValueError(
            "tensor.mT is only supported on matrices or batches of matrices. "
            f"Got {x.ndim}-D tensor."
        )
    return x.mT


def getitem(x: Any, index: Any) -> Any:
    """A view by a basic index; for a single element too, where NumPy gives a scalar."""
    y = x[index]
    if type(y) is ndarray:
        return y
    return x[(*index, ...)] if type(index) is tuple else x[index, ...]


def embed(x: Any, index: Any, shape: tuple[int, ...]) -> Any:
    """Zeros with `x` at a basic index."""
    y = np.zeros(shape, x.dtype)
    y[index] = x
    return y


def getitem_(x: Any, index: Any, value: Any) -> None:
    """Write at a basic index."""
    if type(value) is ndarray and value.ndim:
        if value.dtype.kind == "c" != x.dtype.kind:
            value = value.real
        x = getitem(x, index)
        extra = value.ndim - x.ndim
        if extra > 0:  # which NumPy takes for regions with dimensions alone
            value = value.reshape(value.shape[extra:])
        index = ...
    x[index] = value


def flip(x: Any, dims: tuple[int, ...]) -> Any:
    """A copy with dimensions reversed; NumPy's is a view."""
    if not x.ndim:
        return np.flip(x.reshape(1), dims).reshape(()).copy()
    return np.flip(x, dims).copy()


def unbind(x: Any, dim: int = 0) -> Any:
    """All positions along a dimension, as views."""
    if dim or x.ndim < 2:
        x = np.moveaxis(x, dim, 0)
        return [x[i, ...] for i in range(x.shape[0])]
    return list(x)


def view_as_dtype(x: Any, dtype: Any) -> Any:
    """The same memory read as another dtype."""
    return x.view(_native(dtype))


def _native(dtype: Any) -> Any:
    if dtype.name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(dtype.name)


def unfold(x: Any, dimension: int, size: int, step: int) -> Any:
    """All windows along a dimension, as a view."""
    n = x.shape[dimension] if x.ndim else 1
    if step <= 0 or not 0 <= size <= n:
        raise RuntimeError(
            f"maximum size for tensor at dimension {dimension} is {n} but size is "
            f"{size}, and step is {step}"
        )
    if not x.ndim:
        return x.reshape(1)[:size]
    at = dimension % x.ndim
    shape = (*x.shape[:at], (n - size) // step + 1, *x.shape[at + 1 :], size)
    steps = (*x.strides[:at], step * x.strides[at], *x.strides[at + 1 :], x.strides[at])
    return np.lib.stride_tricks.as_strided(x, shape, steps)


def as_strided(x: Any, size: Any, stride: Any, storage_offset: Any = None) -> Any:
    """A view by steps through the memory of a contiguous array."""
    if not x.flags.c_contiguous:
        raise RuntimeError(
            "as_strided needs a contiguous tensor; call .contiguous() first"
        )
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(step < 0 for step in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported: {stride}")
    first = storage_offset or 0
    last = first + sum((n - 1) * step for n, step in zip(size, stride))
    if 0 not in size and last >= x.size:
        raise RuntimeError(
            f"as_strided: sizes {list(size)}, strides {list(stride)} and storage "
            f"offset {first} reach element {last} of {x.size}"
        )
    steps = [step * x.itemsize for step in stride]
    return ndarray(tuple(size), x.dtype, x, first * x.itemsize, steps)


def stack(tensors: Any, dim: int = 0) -> Any:
    """Arrays joined along a new dimension; `np.stack` takes 6 us to say the same."""
    shape = tensors[0].shape
    n = len(shape) + 1
    at = dim + n if dim < 0 else dim
    if not 0 <= at < n:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but "
            f"got {dim})"
        )
    if not at and n > 1:
        joined = rows(tensors, shape)
        if joined is not None:
            return joined
    for i, x in enumerate(tensors):
        if x.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at "
                f"entry 0 and {list(x.shape)} at entry {i}"
            )
    if n == 1:  # 64 numbers: 1 us against 8
        return np.array(tensors)
    grown = (*shape[:at], 1, *shape[at:])
    return np.concatenate([x.reshape(grown) for x in tensors], at)


def rows(tensors: Any, shape: tuple[int, ...]) -> Any:
    """Arrays of one shape as the rows of a new one, None if they do not go together.
    64 of (3, 32, 32): 23 us against 37, and in C's order whatever theirs is."""
    count = len(tensors)
    try:
        if len(set(map(len, tensors))) > 1:
            return None
        y = np.empty((count, *shape), tensors[0].dtype)
        flat = y.reshape(count * shape[0], *shape[1:])
        np.concatenate(tensors, out=flat, casting="equiv")
    except (TypeError, ValueError):
        return None
    return y


def split_with_sizes(x: Any, split_sizes: Any, dim: int = 0) -> Any:
    """Parts of given sizes along a dimension, as views."""
    if not x.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    at = dim + x.ndim if dim < 0 else dim
    if not 0 <= at < x.ndim:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-x.ndim}, "
            f"{x.ndim - 1}], but got {dim})"
        )
    parts, start, before = [], 0, (slice(None),) * at
    for n in split_sizes:
        if n < 0:
            break
        parts.append(x[(*before, slice(start, start + n))])
        start += n
    if start != x.shape[at] or len(parts) < len(split_sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {x.shape[at]} "
            f"(input tensor's size at dimension {dim}), but got split_sizes="
            f"{list(split_sizes)}"
        )
    return parts


def squeeze(x: Any, dim: Any = None) -> Any:
    """Without dimensions of size 1: all, or those named."""
    shape = x.shape
    if dim is None:
        return x.reshape([n for n in shape if n != 1])
    if type(dim) is int and x.ndim:
        if not -x.ndim <= dim < x.ndim:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-x.ndim}, "
                f"{x.ndim - 1}], but got {dim})"
            )
        if shape[dim] != 1:
            return x[...]
        dim %= x.ndim
        return x.reshape((*shape[:dim], *shape[dim + 1 :]))
    found = []
    for each in (dim,) if type(dim) is int else dim:
        n = x.ndim or 1
        if not -n <= each < n:
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], "
                f"but got {each})"
            )
        if each % n in found:
            raise RuntimeError(f"dim {each} appears multiple times in the list of dims")
        found.append(each % n)
    return x.reshape([n for i, n in enumerate(shape) if n != 1 or i not in found])


def cat(tensors: Any, dim: int = 0) -> Any:
    """Arrays joined; those of shape (0,) fit everywhere."""
    try:
        return np.concatenate(tensors, dim)
    except ValueError:
        whole = [x for x in tensors if x.shape != (0,)]
        if not tensors or len(whole) == len(tensors):
            raise
        return np.concatenate(whole, dim)


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonals, as a view that can be written where `x` can; NumPy's own is
    read-only."""
    y = x.diagonal(offset, dim1, dim2)
    y.flags.writeable = x.flags.writeable
    return y
