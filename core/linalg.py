"""Linear algebra under PyTorch's names: `plugrad.linalg`.

>>> import plugrad
>>> A = plugrad.tensor([[2.0, 0.0], [0.0, 4.0]])
>>> plugrad.linalg.inv(A)
tensor([[0.5000, 0.0000],
        [0.0000, 0.2500]])
"""

from __future__ import annotations

from .errors import LinAlgError
from .ops.decompositions import cholesky, eigh, eigvalsh, svdvals
from .ops.decompositions import qr_ as qr
from .ops.decompositions import svd_ as _svd
from .ops.equations import det, inv, matrix_power, pinv, slogdet, solve
from .ops.linalg import matmul
from .ops.matrices import cross as _cross
from .ops.matrices import diagonal as _diagonal
from .ops.norms import vector_norm
from .ops.reflections import householder_product

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .tensor import Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "householder_product",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_triangular",
    "svd",
    "svdvals",
    "vecdot",
    "vector_norm",
]

INF = float("inf")


def svd(A: Tensor, full_matrices: bool = True) -> Any:
    """U, S, Vh with A = U @ diag(S) @ Vh; the singular values S fall.

    >>> import plugrad
    >>> A = plugrad.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    >>> U, S, Vh = plugrad.linalg.svd(A, full_matrices=False)
    >>> U.shape, Vh.shape, plugrad.allclose(U * S @ Vh, A, atol=1e-6)
    (plugrad.Size([2, 2]), plugrad.Size([2, 3]), True)
    """
    return _svd(A, full_matrices)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """The cross products of 3-vectors along `dim`.

    >>> import plugrad
    >>> plugrad.linalg.cross(plugrad.tensor([1, 0, 0]), plugrad.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    return _cross(input, other, dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The diagonals of matrices, as the last dimension.

    >>> import plugrad
    >>> plugrad.linalg.diagonal(plugrad.arange(8).reshape(2, 2, 2))
    tensor([[0, 3],
            [4, 7]])
    """
    return _diagonal(A, offset, dim1, dim2)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The inner products of vectors along `dim`, the first conjugated.

    >>> import plugrad
    >>> x = plugrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> plugrad.linalg.vecdot(x, plugrad.tensor([1.0, -1.0]))
    tensor([-1., -1.])
    """
    return (x.conj() * y).sum(dim)


def norm(
    A: Tensor,
    ord: float | str | None = None,
    dim: int | tuple[int, ...] | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The norm of vectors (one dimension) or matrices (two).

    >>> import plugrad
    >>> plugrad.linalg.norm(plugrad.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None:
        if A.ndim not in (1, 2):
            raise RuntimeError(
                "linalg.norm: if dim is not given but ord is, the input must be 1D or "
                f"2D, but it has shape {list(A.shape)}"
            )
        dim = tuple(range(A.ndim))
    if isinstance(ord, str) or (isinstance(dim, (tuple, list)) and len(dim) == 2):
        return matrix_norm(A, ord, dim, keepdim, dtype=dtype)
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def matrix_norm(
    A: Tensor,
    ord: float | str = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The norm of matrices: "fro", "nuc", or of order 1, 2 or inf, or their negatives
    with the smallest in place of the largest.

    >>> import plugrad
    >>> A = plugrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> plugrad.linalg.matrix_norm(A, 1), plugrad.linalg.matrix_norm(A, plugrad.inf)
    (tensor(6.), tensor(7.))
    """
    if not isinstance(dim, (tuple, list)) or len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple, but got {dim}")
    if ord == "fro":
        return vector_norm(A, 2, tuple(dim), keepdim, dtype=dtype)
    if dtype is not None:
        A = A.to(dtype)
    if ord == "nuc" or ord in (2, -2):
        s = svdvals(A.movedim(tuple(dim), (-2, -1)))
        y = s.sum(-1) if ord == "nuc" else s.amax(-1) if ord == 2 else s.amin(-1)
        return _with_dims(y, A.ndim, dim) if keepdim else y
    if isinstance(ord, str) or abs(ord) not in (1, INF):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported")
    rows, columns = (d % A.ndim for d in dim)
    first, second = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(A, 1, first, True)
    y = sums.amax(second, True) if ord > 0 else sums.amin(second, True)
    return y if keepdim else y.squeeze((rows, columns))


def _with_dims(y: Tensor, ndim: int, dims: Sequence[int]) -> Tensor:
    """`y` with dimensions of size 1 inserted."""
    for d in sorted(d % ndim for d in dims):
        y = y.unsqueeze(d)
    return y


def cond(A: Tensor, p: float | str | None = None) -> Tensor:
    """The condition numbers of matrices.

    >>> import plugrad
    >>> plugrad.linalg.cond(plugrad.tensor([[4.0, 0.0], [0.0, 0.5]]), 1)
    tensor(8.)
    """
    if p is None or p in (2, -2):
        s = svdvals(A)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


def matrix_rank(
    A: Tensor,
    tol: float | None = None,
    hermitian: bool = False,
    *,
    atol: float | None = None,
    rtol: float | None = None,
) -> Tensor:
    """How many singular values are above max(atol, rtol * the largest).

    >>> import plugrad
    >>> plugrad.linalg.matrix_rank(plugrad.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    from .limits import finfo

    s = svdvals(A)
    atol = tol if atol is None else atol
    if rtol is None:
        rtol = 0.0 if atol else max(A.shape[-2:]) * finfo(A.dtype).eps
    cut = s.amax(-1, True) * rtol
    return (s > cut.clamp(min=atol or 0.0)).sum(-1)


def solve_triangular(
    A: Tensor, B: Tensor, *, upper: bool, left: bool = True, unitriangular: bool = False
) -> Tensor:
    """X with A @ X = B (or X @ A = B), reading one triangle of `A` alone.

    >>> import plugrad
    >>> A = plugrad.tensor([[2.0, 99.0], [4.0, 2.0]])  # 99 is not read
    >>> plugrad.linalg.solve_triangular(A, plugrad.tensor([[2.0], [8.0]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    from . import eye

    edge = int(unitriangular)
    A = A.triu(edge) if upper else A.tril(-edge)
    if unitriangular:
        A = A + eye(A.shape[-1], dtype=A.dtype)
    while 2 <= B.ndim < A.ndim:  # solve() would take it for a batch of vectors
        B = B.unsqueeze(0)
    return solve(A, B) if left else solve(A.mT, B.mT).mT


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of many matrices, in the order that takes the fewest steps; the
    first and the last may be vectors.

    >>> import plugrad
    >>> v, A = plugrad.tensor([1.0, 2.0]), plugrad.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> plugrad.linalg.multi_dot([v, A, A, v])
    tensor(5.)
    """
    from .ops.linalg import chain_matmul

    if len(tensors) < 2:
        raise RuntimeError("multi_dot(): expected at least 2 tensors")
    first, *middle, last = tensors
    row, column = first.ndim == 1, last.ndim == 1
    matrices = [
        first.unsqueeze(0) if row else first,
        *middle,
        last.unsqueeze(1) if column else last,
    ]
    y = chain_matmul(*matrices)
    if row:
        y = y.squeeze(0)
    return y.squeeze(-1) if column else y
