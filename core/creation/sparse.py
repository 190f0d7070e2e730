"""Sparse tensors under PyTorch's names: how they are made, and older names of products.

`sparse_coo_tensor`, `sparse_csr_tensor` and the like make them of indices and values;
gradients go on to the values. The arrays belong to the sparse backend that the dense
one names (`Backend.sparse`); what ops do to them stands in `plugrad.sparse.composed`.
"""

from __future__ import annotations

from .. import layouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..tensor import Tensor

__all__ = [
    "hspmm",
    "smm",
    "sparse_compressed_tensor",
    "sparse_coo_tensor",
    "sparse_csc_tensor",
    "sparse_csr_tensor",
    "spmm",
]

COMPRESSED = {"csr": ("row", "col"), "csc": ("column", "row")}


# --- Making them ----------------------------------------------------------------------


def sparse_coo_tensor(
    indices: Any,
    values: Any = None,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
    is_coalesced: bool | None = None,
) -> Tensor:
    """The tensor with `values` at `indices`, one column for each value, and zeros
    elsewhere. Values of one position count together. Dimensions that `values` has after
    the first are dense. With a size alone, all zeros.

    >>> import plugrad
    >>> plugrad.sparse_coo_tensor([[0, 1, 1], [2, 0, 2]], [3.0, 4.0, 5.0], (2, 3))
    tensor(indices=tensor([[0, 1, 1],
                           [2, 0, 2]]),
           values=tensor([3., 4., 5.]),
           size=(2, 3), nnz=3, layout=plugrad.sparse_coo)
    """
    name = "sparse_coo_tensor"
    layouts.check_options(name, None, pin_memory)
    if values is None:
        size = tuple(indices) if size is None else size
        indices, values = [[]] * len(size), []
    values, k = given_values(name, values, dtype, device)
    indices = given_indices(name, indices, values)
    if indices.ndim != 2:
        raise RuntimeError(
            f"{name}: indices must be sparse_dim x nnz, but got {list(indices.shape)}"
        )
    nnz = values.shape[0] if values.ndim else 1
    if values.ndim == 0:
        values = values.expand(indices.shape[1])
        nnz = indices.shape[1]
    if indices.shape[1] != nnz:
        raise RuntimeError(
            f"{name}: indices and values must have same nnz, but got nnz from indices: "
            f"{indices.shape[1]}, nnz from values: {nnz}"
        )
    inner = tuple(values.shape[1:])
    array = indices._a
    if size is None:
        least = array.max(axis=1) + 1 if nnz else [0] * indices.shape[0]
        size = (*map(int, least), *inner)
    size = tuple(map(int, size))
    check_coordinates(name, array, size, indices.shape[0], inner)
    pattern = k.coo(array, size, bool(is_coalesced))
    if is_coalesced and check_invariants:
        check_order(name, pattern)
    return made(values, pattern, requires_grad)


def check_coordinates(
    name: str, array: Any, size: tuple[int, ...], sparse_dim: int, inner: Any
) -> None:
    """Raise unless indices and values fit a size."""
    if len(size) != sparse_dim + len(inner):
        raise RuntimeError(
            f"{name}: 'len(size) == sparse_dim + dense_dim' is not satisfied: len(size)"
            f" = {len(size)}, sparse_dim = {sparse_dim}, dense_dim = {len(inner)}"
        )
    if tuple(size[sparse_dim:]) != inner:
        raise RuntimeError(
            f"{name}: values of shape {list(inner)} do not fit the size {list(size)}"
        )
    for dim in range(sparse_dim if array.shape[1] else 0):
        low, high = int(array[dim].min()), int(array[dim].max())
        if low < 0:
            raise RuntimeError(f"{name}: found negative index {low} for dim {dim}")
        if high >= size[dim]:
            raise RuntimeError(
                f"{name}: size is inconsistent with indices: for dim {dim}, size is "
                f"{size[dim]} but found index {high}"
            )


def check_order(name: str, pattern: Any) -> None:
    """Raise unless coordinates said to be coalesced are in order, each once."""
    linear = pattern.linear()
    if not bool((linear[1:] > linear[:-1]).all()):
        raise RuntimeError(
            f"{name}: cannot set is_coalesced to true if indices correspond to "
            "uncoalesced COO tensor"
        )


def sparse_compressed_tensor(
    compressed_indices: Any,
    plain_indices: Any,
    values: Any,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """The matrix of `layout` sparse_csr or sparse_csc: where each row (column) begins,
    the column (row) of each value, and the values.

    >>> import plugrad
    >>> x = plugrad.sparse_compressed_tensor(
    ...     [0, 1, 2], [1, 0], [3.0, 4.0], layout=plugrad.sparse_csc
    ... )
    >>> x.to_dense()
    tensor([[0., 4.],
            [3., 0.]])
    """
    name = "sparse_compressed_tensor"
    if layout is None:
        raise RuntimeError(f"{name}: expected layout=plugrad.sparse_csr or sparse_csc")
    short = layouts.SHORT.get(getattr(layout, "name", ""), "coo")
    if short == "coo":
        raise RuntimeError(
            f"{name}: layout must be plugrad.sparse_csr or plugrad.sparse_csc, not "
            f"{layout}"
        )
    layouts.check_options(name, None, pin_memory)
    values, k = given_values(name, values, dtype, device)
    starts = given_indices(name, compressed_indices, values, keep=True)
    plain = given_indices(name, plain_indices, values, keep=True)
    if starts.ndim != 1 or plain.ndim != 1 or values.ndim != 1:
        raise RuntimeError(
            f"{name}: batches and dense dimensions are not supported: indices and "
            "values must be 1-D"
        )
    if starts.dtype is not plain.dtype:
        raise RuntimeError(f"{name}: indices must have one dtype")
    lines = starts.shape[0] - 1
    if size is None:
        other = int(plain._a.max()) + 1 if plain.numel() else 0
        size = (lines, other) if short == "csr" else (other, lines)
    size = tuple(map(int, size))
    check_lines(name, short, starts._a, plain._a, values.shape[0], size)
    pattern = k.compressed(short, starts._a, plain._a, size)
    return made(values, pattern, requires_grad)


def check_lines(
    name: str, short: str, starts: Any, plain: Any, nnz: int, size: tuple[int, ...]
) -> None:
    """Raise unless compressed indices fit each other and a size."""
    major, minor = COMPRESSED[short]
    if len(size) != 2:
        raise RuntimeError(f"{name}: a matrix has 2 dimensions, not {len(size)}")
    lines, across = size if short == "csr" else size[::-1]
    if starts.shape[0] != lines + 1:
        raise RuntimeError(
            f"{name}: the {major} starts must be {lines + 1}, one more than the {major}"
            f"s, but there are {starts.shape[0]}"
        )
    if plain.shape[0] != nnz:
        raise RuntimeError(
            f"{name}: {minor} indices and values must be as many, but got "
            f"{plain.shape[0]} and {nnz}"
        )
    if (
        int(starts[0])
        or int(starts[-1]) != nnz
        or bool((starts[1:] < starts[:-1]).any())
    ):
        raise RuntimeError(
            f"{name}: the {major} starts must rise from 0 to the number of values, "
            f"{nnz}"
        )
    if nnz and not 0 <= int(plain.min()) <= int(plain.max()) < across:
        raise RuntimeError(
            f"{name}: {minor} indices must lie between 0 and {across - 1}"
        )


def sparse_csr_tensor(
    crow_indices: Any,
    col_indices: Any,
    values: Any,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """The matrix by rows: where each row begins, the column of each value, the values.

    >>> import plugrad
    >>> x = plugrad.sparse_csr_tensor([0, 1, 3], [2, 0, 2], [3.0, 4.0, 5.0])
    >>> x @ plugrad.ones(3)
    tensor([3., 9.])
    """
    return sparse_compressed_tensor(
        crow_indices,
        col_indices,
        values,
        size,
        dtype=dtype,
        layout=layouts.sparse_csr,
        device=device,
        pin_memory=pin_memory,
        requires_grad=requires_grad,
    )


def sparse_csc_tensor(
    ccol_indices: Any,
    row_indices: Any,
    values: Any,
    size: Sequence[int] | None = None,
    *,
    dtype: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
    check_invariants: bool | None = None,
) -> Tensor:
    """The matrix by columns: where each column begins, the row of each value, the
    values.

    >>> import plugrad
    >>> plugrad.sparse_csc_tensor([0, 1, 2], [1, 0], [3.0, 4.0]).to_dense()
    tensor([[0., 4.],
            [3., 0.]])
    """
    return sparse_compressed_tensor(
        ccol_indices,
        row_indices,
        values,
        size,
        dtype=dtype,
        layout=layouts.sparse_csc,
        device=device,
        pin_memory=pin_memory,
        requires_grad=requires_grad,
    )


def given_values(name: str, values: Any, dtype: Any, device: Any) -> tuple[Tensor, Any]:
    """The values as a dense tensor, and the backend of their sparse tensors."""
    from ..sparse.ops import is_sparse, sparse_backend
    from .data import as_tensor

    found = as_tensor(values, dtype=dtype, device=device)
    if is_sparse(found):
        raise TypeError(f"{name}: values must be a dense tensor")
    return found, sparse_backend(found._k)


def given_indices(
    name: str, indices: Any, values: Tensor, keep: bool = False
) -> Tensor:
    """Indices as a tensor of int64 beside the values; int32 is kept where asked."""
    from .. import dtypes
    from .data import as_tensor

    found = as_tensor(indices)
    if found._k is not values._k:
        found = found.to(backend=values._k.name)
    if found.dtype.kind == "c" or found.dtype.kind == "b":
        raise RuntimeError(f"{name}: indices must be an int64 tensor")
    if found.dtype is not dtypes.int64 and not (keep and found.dtype is dtypes.int32):
        found = found.to(dtypes.int64)
    return found.detach()


def made(values: Tensor, pattern: Any, requires_grad: bool) -> Tensor:
    """A sparse tensor; a leaf if its gradient is asked for."""
    from ..sparse.ops import built

    if requires_grad:
        return built(values.detach(), pattern).requires_grad_()
    return built(values, pattern)


# --- Products by PyTorch's older names ------------------------------------------------


def spmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix, which is dense.

    >>> import plugrad
    >>> x = plugrad.eye(2).to_sparse()
    >>> plugrad.spmm(x, plugrad.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[1., 2.],
            [3., 4.]])
    """
    from ..ops.linalg import mm

    return mm(input, mat2)


def smm(input: Tensor, mat: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix as a sparse tensor.

    >>> import plugrad
    >>> plugrad.smm(plugrad.eye(2).to_sparse(), plugrad.eye(2)).layout
    plugrad.sparse_coo
    """
    return spmm(input, mat).to_sparse()


def hspmm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """The product of a sparse and a dense matrix: its rows that are not zero, as a
    tensor with one sparse dimension and a dense one.

    >>> import plugrad
    >>> x = plugrad.sparse_coo_tensor([[1], [0]], [2.0], (3, 2))
    >>> plugrad.hspmm(x, plugrad.ones(2, 2))
    tensor(indices=tensor([[1]]),
           values=tensor([[2., 2.]]),
           size=(3, 2), nnz=1, layout=plugrad.sparse_coo)
    """
    from ..sparse.ops import PRODUCT, built, by_rows, is_sparse, pattern_of, values_of

    if not is_sparse(mat1) or mat1.ndim != 2 or mat2.ndim != 2:
        raise RuntimeError("hspmm: expected a sparse and a dense matrix")
    x: Any = by_rows(mat1)
    rows, to = pattern_of(x).grouped((1,))
    k = x._k
    short = k.coo(
        k.dense.stack((k.dense.asarray(to), pattern_of(x).indices[1])),
        (rows.shape[1], x.shape[1]),
        True,
    )
    y = PRODUCT.apply(values_of(x), mat2, short)
    return built(y, k.coo(rows, (x.shape[0], mat2.shape[1]), True))


METHODS = [smm]
