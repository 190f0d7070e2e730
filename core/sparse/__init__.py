"""Sparse tensors under PyTorch's names: `plugrad.sparse`.

>>> import plugrad
>>> x = plugrad.sparse_csr_tensor([0, 1, 2], [1, 0], [2.0, 3.0])
>>> plugrad.sparse.mm(x, plugrad.ones(2, 1))
tensor([[2.],
        [3.]])
"""

from __future__ import annotations

from ..interface import OPS
from ..ops.linalg import addmm as _addmm
from ..ops.linalg import mm as _mm
from .ops import (
    SAMPLED,
    built,
    by_rows,
    coalesced,
    compressed,
    is_sparse,
    pattern_of,
    values_of,
)
from .shapes import softmax_along, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..tensor import Tensor

    Number = bool | int | float | complex

__all__ = [
    "addmm",
    "log_softmax",
    "mm",
    "sampled_addmm",
    "softmax",
    "spdiags",
    "sum",
]


def need_sparse(name: str, x: Tensor) -> None:
    """Raise for a dense tensor where a sparse one is expected."""
    if not is_sparse(x):
        raise RuntimeError(f"{name}: expected a sparse tensor; x.to_sparse() makes one")


def mm(mat1: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, sparse or dense; of two sparse ones it is sparse.
    The gradient of a sparse matrix is sparse, with values where it has some.

    >>> import plugrad
    >>> x = plugrad.eye(2).to_sparse().requires_grad_()
    >>> plugrad.sparse.mm(x, plugrad.ones(2, 2)).sum().backward()
    >>> x.grad.values()
    tensor([2., 2.])
    """
    return _mm(mat1, mat2)


def addmm(
    mat: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * mat + alpha * (mat1 @ mat2), where `mat1` is sparse.

    >>> import plugrad
    >>> x = plugrad.eye(2).to_sparse()
    >>> plugrad.sparse.addmm(plugrad.ones(2, 2), x, plugrad.ones(2, 2), beta=2.0)
    tensor([[3., 3.],
            [3., 3.]])
    """
    return _addmm(mat, mat1, mat2, beta=beta, alpha=alpha)


def sum(input: Tensor, dim: Any = None, dtype: Any = None) -> Tensor:
    """The sum over all dimensions, which is dense, or over some, which is sparse while
    a sparse dimension is left.

    >>> import plugrad
    >>> x = plugrad.tensor([[0.0, 2.0], [3.0, 4.0]]).to_sparse()
    >>> plugrad.sparse.sum(x), plugrad.sparse.sum(x, 1).to_dense()
    (tensor(9.), tensor([2., 7.]))
    """
    need_sparse("sum", input)
    found = total(OPS["sum"], input, dim, False, dtype)
    if dtype is None and is_sparse(found):  # PyTorch widens the total alone
        return found.to(input.dtype)
    return found


def softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The softmax along one dimension of the values that are there: what is not counts
    as minus infinity.

    >>> import plugrad
    >>> x = plugrad.tensor([[0.0, 2.0], [3.0, 3.0]]).to_sparse()
    >>> plugrad.sparse.softmax(x, 1).values()
    tensor([1.0000, 0.5000, 0.5000])
    """
    need_sparse("softmax", input)
    return softmax_along(input if dtype is None else input.to(dtype), dim, False)


def log_softmax(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The logarithm of `softmax`, exact where that is tiny.

    >>> import plugrad
    >>> x = plugrad.tensor([[0.0, 2.0], [3.0, 3.0]]).to_sparse()
    >>> plugrad.sparse.log_softmax(x, 1).values()
    tensor([ 0.0000, -0.6931, -0.6931])
    """
    need_sparse("log_softmax", input)
    return softmax_along(input if dtype is None else input.to(dtype), dim, True)


def sampled_addmm(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    *,
    beta: Number = 1.0,
    alpha: Number = 1.0,
) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2) at the positions of `input`; the product is
    computed nowhere else.

    >>> import plugrad
    >>> x = plugrad.eye(2).to_sparse_csr()
    >>> y = plugrad.ones(2, 3)
    >>> plugrad.sparse.sampled_addmm(x, y, y.t()).values()
    tensor([4., 4.])
    """
    need_sparse("sampled_addmm", input)
    if mat1.ndim != 2 or mat2.ndim != 2 or mat1.shape[1] != mat2.shape[0]:
        raise RuntimeError(
            f"sampled_addmm: matrices of shapes {list(mat1.shape)} and "
            f"{list(mat2.shape)} cannot be multiplied"
        )
    if tuple(input.shape) != (mat1.shape[0], mat2.shape[1]):
        raise RuntimeError(
            f"sampled_addmm: the product has shape "
            f"{[mat1.shape[0], mat2.shape[1]]}, but input {list(input.shape)}"
        )
    input = coalesced(input)
    pattern = pattern_of(input)
    found = SAMPLED.apply(mat1, mat2.t(), pattern)
    return built(values_of(input) * beta + found * alpha, pattern)


def spdiags(
    diagonals: Tensor, offsets: Tensor, shape: tuple[int, int], layout: Any = None
) -> Tensor:
    """The matrix of a shape whose diagonals are the rows of `diagonals`; `offsets` says
    how far each lies above the main one.

    >>> import plugrad
    >>> rows = plugrad.tensor([[1.0, 2.0, 3.0]])
    >>> plugrad.sparse.spdiags(rows, plugrad.tensor([1]), (3, 3)).to_dense()
    tensor([[0., 2., 0.],
            [0., 0., 3.],
            [0., 0., 0.]])
    """
    from ..creation.sparse import sparse_coo_tensor
    from ..layouts import SHORT, sparse_coo

    if diagonals.ndim == 1:
        diagonals = diagonals.unsqueeze(0)
    steps = [int(each) for each in offsets.reshape(-1).tolist()]
    if len(steps) != diagonals.shape[0] or len(set(steps)) != len(steps):
        raise RuntimeError("spdiags: expected one offset for each diagonal, each once")
    rows, columns, source = [], [], []
    for i, step in enumerate(steps):
        for column in range(max(step, 0), min(shape[1], shape[0] + step)):
            if column < diagonals.shape[1]:
                rows.append(column - step)
                columns.append(column)
                source.append(i * diagonals.shape[1] + column)
    at = offsets.new_tensor([rows, columns]).long()
    values = diagonals.reshape(-1)[offsets.new_tensor(source).long()]
    found = sparse_coo_tensor(at, values, shape)
    wanted = "coo" if layout is None else SHORT[layout.name]
    if layout is sparse_coo or layout is None:
        return found
    return by_rows(found) if wanted == "coo" else compressed(found, wanted)
