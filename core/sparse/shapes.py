"""Reductions, dimensions and products of sparse tensors, composed of ops on values.

Which values come together, and where they go, a pattern says (`grouped`, `permuted`,
`selected`, ...); what is computed with them are ops of the dense backend.
"""

from __future__ import annotations

from .. import dtypes
from ..interface import OPS
from ..tensor import Tensor
from .ops import (
    PRODUCT,
    SPARSE_PRODUCT,
    built,
    by_rows,
    coalesced,
    compose,
    dense,
    folded,
    is_sparse,
    like,
    pattern_of,
    taken,
    unsupported,
    values_of,
    zeros,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# --- Reductions -----------------------------------------------------------------------


def dims_of(x: Tensor, dim: Any) -> tuple[int, ...]:
    """The dimensions that `dim` means, counted from the front."""
    from ..ops.dims import several

    found = several(x.ndim, dim)
    if found is None or found == ():
        return tuple(range(x.ndim))
    return (found,) if isinstance(found, int) else tuple(found)


@compose("sum")
def total(
    op: Any, x: Tensor, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> Tensor:
    dims = dims_of(x, dim)
    if 0 < len(dims) < x.ndim:
        x = coalesced(x)
    pattern, values = pattern_of(x), values_of(x)
    if dtype is not None:
        values = values.to(dtype)
    elif values.dtype.kind in "biu":
        values = values.to(dtypes.int64)
    if len(dims) == x.ndim:
        y = op.function(values)
        return y.reshape((1,) * x.ndim) if keepdim else y
    sparse = tuple(d for d in dims if d < pattern.sparse_dim)
    inner = tuple(d - pattern.sparse_dim + 1 for d in dims if d >= pattern.sparse_dim)
    if inner:
        values = op.function(values, inner)
    sizes = [n for d, n in enumerate(pattern.shape) if d not in dims]
    if len(sparse) == pattern.sparse_dim:
        y = op.function(values, 0)
        return y.reshape(kept(x.shape, dims)) if keepdim else y
    if not sparse:
        found = built(values, pattern.with_dense(tuple(sizes[pattern.sparse_dim :])))
        return keeping(found, x.shape, dims) if keepdim else found
    indices, to = pattern.grouped(sparse)
    made: Any = x._k
    kind = made.coo(indices, tuple(sizes), True)
    found = built(folded(values, to, kind.nnz), kind)
    if keepdim:
        found = keeping(found, x.shape, dims)
    return like(found, pattern.layout) if pattern.layout != "coo" and keepdim else found


def kept(shape: Sequence[int], dims: tuple[int, ...]) -> tuple[int, ...]:
    """A shape with the reduced dimensions of size 1."""
    return tuple(1 if d in dims else n for d, n in enumerate(shape))


def keeping(x: Tensor, shape: Sequence[int], dims: tuple[int, ...]) -> Tensor:
    """`x` with reduced dimensions put in again."""
    for d in sorted(dims):
        x = unsqueeze(OPS["unsqueeze"], x, d)
    return x


@compose("any")
def any_true(op: Any, x: Tensor, dim: Any = None, keepdim: bool = False) -> Tensor:
    if len(dims_of(x, dim)) != x.ndim or keepdim:
        raise unsupported(x, "any(dim)")
    return op.function(values_of(coalesced(x)))


@compose("vector_norm")
def norm(
    op: Any,
    x: Tensor,
    ord: Any = 2,
    dim: Any = None,
    keepdim: bool = False,
    dtype: Any = None,
) -> Tensor:
    if len(dims_of(x, dim)) != x.ndim:
        raise RuntimeError(
            "norm_sparse currently only supports full reductions, so 'dim' must either "
            "be empty or contain all dimensions of the input"
        )
    if not ord > 0:
        raise unsupported(x, f"norm(p={ord})")
    y = op.function(values_of(coalesced(x)), ord, None, False, dtype=dtype)
    return y.reshape((1,) * x.ndim) if keepdim else y


def largest_of(values: Tensor, to: Any, count: int) -> Tensor:
    """The largest of the values that belong together."""
    index = dense(values, to).reshape((-1,) + (1,) * (values.ndim - 1))
    into = zeros(values, (count, *values.shape[1:]))
    return OPS["scatter_reduce"].function(
        into, 0, index.expand(values.shape), values, "amax", include_self=False
    )


def softmax_along(x: Tensor, dim: int, logs: bool) -> Tensor:
    """The softmax of the values that are there, along one dimension."""
    x = by_rows(x) if x._a.layout == "coo" else x
    pattern, values = pattern_of(x), values_of(x)
    (dim,) = dims_of(x, dim)
    if dim >= pattern.sparse_dim:
        name = "log_softmax" if logs else "softmax"
        inner = dim - pattern.sparse_dim + 1
        return built(OPS[name].function(values, inner), pattern)
    _, to = pattern.grouped((dim,))
    count = int(to.max()) + 1 if pattern.nnz else 0
    largest = largest_of(values.detach(), to, count)
    shifted = values - taken(largest, to)
    e = shifted.exp()
    sums = folded(e, to, count)
    found = shifted - taken(sums.log(), to) if logs else e / taken(sums, to)
    return built(found, pattern)


# --- Dimensions -----------------------------------------------------------------------


@compose("permute")
def permute(op: Any, x: Tensor, dims: Any) -> Tensor:
    pattern = pattern_of(x)
    n = pattern.sparse_dim
    order = tuple(d % x.ndim if -x.ndim <= d < x.ndim else d for d in dims)
    if sorted(order) != list(range(x.ndim)):
        raise RuntimeError(f"permute: {list(dims)} does not name each dimension once")
    if sorted(order[:n]) != list(range(n)):
        raise RuntimeError(
            "permute: sparse and dense dimensions of a sparse tensor do not change "
            f"places, as {list(dims)} would have it"
        )
    values = values_of(x)
    inner = tuple(d - n + 1 for d in order[n:])
    if inner != tuple(range(1, len(inner) + 1)):
        values = op.function(values, 0, *inner)
    turned = pattern.with_dense(tuple(values.shape[1:])).permuted(order[:n])
    return built(values, turned)


@compose("transpose", "swapaxes")
def transpose(op: Any, x: Tensor, *args: int, **named: int) -> Tensor:
    one, other = (d % x.ndim for d in (*args, *named.values()))
    order = list(range(x.ndim))
    order[one], order[other] = other, one
    return permute(OPS["permute"], x, tuple(order))


@compose("mT")
def matrix_transpose(op: Any, x: Tensor) -> Tensor:
    return transpose(op, x, -2, -1)


@compose("unsqueeze")
def unsqueeze(op: Any, x: Tensor, dim: int) -> Tensor:
    k: Any = x._k
    pattern = pattern_of(x)
    if pattern.layout != "coo":
        x = by_rows(x)
        pattern = pattern_of(x)
    if not -x.ndim - 1 <= dim <= x.ndim:
        from ..attributes import out_of_range

        raise out_of_range(dim, x.ndim + 1)
    dim %= x.ndim + 1
    if dim > pattern.sparse_dim:
        inner = dim - pattern.sparse_dim + 1
        values = op.function(values_of(x), inner)
        return built(values, pattern.with_dense(tuple(values.shape[1:])))
    shape = (*x.shape[:dim], 1, *x.shape[dim:])
    d = k.dense
    row = d.zeros((1, pattern.nnz), dtype=pattern.indices.dtype)
    parts = (pattern.indices[:dim], row, pattern.indices[dim:])
    new = k.coo(d.concat(parts, axis=0), shape, pattern.is_coalesced)
    return built(values_of(x), new)


@compose("index_select")
def index_select(op: Any, x: Tensor, dim: int, index: Tensor) -> Tensor:
    pattern = pattern_of(x)
    if pattern.layout != "coo":
        raise unsupported(x, "index_select")
    (dim,) = dims_of(x, dim)
    if dim >= pattern.sparse_dim:
        inner = dim - pattern.sparse_dim + 1
        values = op.function(values_of(x), inner, index)
        return built(values, pattern.with_dense(tuple(values.shape[1:])))
    places = index._a
    size = x.shape[dim]
    if index.ndim != 1 or index.dtype.kind not in "iu":
        raise IndexError("index_select: index should be one-dimensional, of integers")
    if places.shape[0] and not 0 <= int(places.min()) <= int(places.max()) < size:
        raise IndexError(f"index_select: index out of range for {size} slices")
    found, source = pattern.selected(dim, places)
    return built(taken(values_of(x), source), found)


@compose("getitem")
def getitem(op: Any, x: Tensor, index: Any) -> Tensor:
    pattern = pattern_of(x)
    items = index if isinstance(index, tuple) else (index,)
    if not all(hasattr(i, "__index__") and not hasattr(i, "shape") for i in items):
        raise unsupported(x, "indexing by anything but integers")
    if len(items) > pattern.sparse_dim:
        raise unsupported(x, "indexing dense dimensions")
    x = by_rows(x)
    for i in items:
        pattern, size = pattern_of(x), x.shape[0]
        i = i.__index__()
        if not -size <= i < size:
            raise IndexError(
                f"index {i} is out of bounds for dimension 0 with size {size}"
            )
        found, source = pattern.picked(0, i % size)
        values = taken(values_of(x), source)
        if found.sparse_dim == 0:
            return op_sum(values, 0)
        x = built(values, found)
    return x


def op_sum(values: Tensor, dim: int) -> Tensor:
    """The sum over one dimension, in the dtype of the values."""
    return OPS["sum"].function(values, dim).to(values.dtype)


def check_coordinates(op: Any, tensors: Sequence[Tensor]) -> None:
    """Raise unless all are sparse, and kept by coordinates."""
    if not all(is_sparse(x) and x._a.layout == "coo" for x in tensors):
        raise RuntimeError(
            f"{op.name}: expected sparse tensors alone, in layout plugrad.sparse_coo"
        )


@compose("cat")
def cat(op: Any, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    check_coordinates(op, tensors)
    first, *rest = (pattern_of(x) for x in tensors)
    (dim,) = dims_of(tensors[0], dim)
    for p in rest:
        sizes = [(p.shape[d], n) for d, n in enumerate(first.shape) if d != dim]
        if len(p.shape) != len(first.shape) or any(a != b for a, b in sizes):
            raise RuntimeError(
                f"cat: sizes must match but in dimension {dim}, got "
                f"{list(first.shape)} and {list(p.shape)}"
            )
        if p.sparse_dim != first.sparse_dim or dim >= p.sparse_dim:
            raise unsupported(tensors[0], "cat of dense dimensions")
    values = op.function([values_of(x) for x in tensors], 0)
    return built(values, first.joined(rest, dim))


@compose("stack")
def stack(op: Any, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    check_coordinates(op, tensors)
    return cat(
        OPS["cat"],
        [unsqueeze(OPS["unsqueeze"], x, dim) for x in tensors],
        dim if dim >= 0 else dim + tensors[0].ndim + 1,
    )


# --- Products -------------------------------------------------------------------------


@compose("matmul")
def matmul(op: Any, a: Tensor, b: Tensor) -> Tensor:
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"matmul: expected tensors of the same dtype, but got {a.dtype} and "
            f"{b.dtype}; cast with .to(dtype)"
        )
    for x in (a, b):
        if x.ndim > 2 or x.ndim == 0 or (is_sparse(x) and x._a.pattern.dense_dim):
            raise unsupported(x, f"matmul of {x.ndim} dimensions")
    if a.shape[-1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({list(a.shape)} and "
            f"{list(b.shape)})"
        )
    if is_sparse(a) and is_sparse(b):
        return SPARSE_PRODUCT.apply(a, b)
    if is_sparse(a):
        if b.ndim == 1:
            return right_of(a, b.unsqueeze(1)).squeeze(1)
        return right_of(a, b)
    turned = transpose(op, b, 0, 1)
    if a.ndim == 1:
        return right_of(turned, a.unsqueeze(1)).squeeze(1)
    return right_of(turned, a.t()).t()


def right_of(a: Tensor, b: Tensor) -> Tensor:
    """A sparse matrix times a dense one."""
    if a.ndim != 2:
        raise unsupported(a, "matmul of a sparse vector")
    return PRODUCT.apply(values_of(a), b, pattern_of(a))
