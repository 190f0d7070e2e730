"""Matrices as products of simpler ones: Cholesky, QR, eigenvalues, singular values.

All ops take batches of matrices in the last two dimensions. Factors whose signs or
phases are free have those that the library gives them.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import conjugate
from .equations import (
    COMPLEX,
    diagonals,
    inv,
    need_floats,
    need_matrices,
    regular,
    transposed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = ["cholesky", "cholesky_inverse", "qr", "svd"]


@op(oracle="torch.linalg.cholesky")
def cholesky(k: Kernels, x: Tensor, upper: bool = False) -> Tensor:
    """Triangular y with y @ y.mH = x, for positive definite x; `upper`, y.mH @ y.

    >>> import plugrad
    >>> plugrad.linalg.cholesky(plugrad.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    need_matrices(x, square=True)
    need_floats(k, x)
    y = k.linalg.cholesky(x)
    return transposed(k, y) if upper else y


@cholesky.joint
def _cholesky_rule(k: Any, g: Any, y: Any, upper: Any) -> tuple[Any]:
    if upper:
        y, g = transposed(k, y), transposed(k, g)
    y = conjugate(k, y)
    yh = transposed(k, y)
    inner = k.tril(k.matmul(yh, g))
    inner = (inner + transposed(k, k.tril(inner, k=-1))) * 0.5
    return (transposed(k, k.solve(yh, transposed(k, k.solve(yh, inner)))),)


def definite(make: Any, *shape: int) -> Any:
    """Positive definite matrices."""
    return regular(make, *shape, symmetric=True)


@cholesky.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((1, 1), (2, 2), (3, 3), (5, 5), (2, 2, 2), (2, 1, 3, 3), (0, 2, 2)):
        yield Sample(definite(make, *shape))
    yield Sample(definite(make, 3, 3), upper=True)
    yield Sample(definite(make, 2, 3, 3), upper=True)
    yield Sample(definite(make, 4, 4), upper=False)
    yield Sample(definite(make, 4, 1, 1))
    yield Sample(make(0, 0))
    yield Sample(make(2, 3)).named("not square", smooth=False)


@op(
    outputs=("eigenvalues", "eigenvectors"),
    differentiable=("eigenvalues", "eigenvectors"),
    method=False,
    oracle=None,  # the vectors' signs are LAPACK's business
)
def eigh(k: Kernels, x: Tensor, UPLO: str = "L") -> Any:
    """The eigenvalues, rising, and eigenvectors of symmetric (Hermitian) matrices, of
    which only one triangle is read.

    >>> import plugrad
    >>> A = plugrad.tensor([[2.0, 99.0], [0.0, 1.0]])  # 99 is not read
    >>> plugrad.linalg.eigh(A).eigenvalues
    tensor([1., 2.])
    """
    need_matrices(x, square=True)
    need_floats(k, x)
    if UPLO not in ("L", "U"):
        raise RuntimeError(f"UPLO must be 'L' or 'U', but it is {UPLO!r}")
    return tuple(k.linalg.eigh(x if UPLO == "L" else transposed(k, x)))


@eigh.joint
def _eigh_rule(k: Any, g: Any, eigenvalues: Any, eigenvectors: Any) -> tuple[Any]:
    to_values, to_vectors = g
    v = conjugate(k, eigenvectors)
    vh = transposed(k, v)
    inner: Any = 0
    if to_vectors is not None:
        inner = k.matmul(vh, to_vectors) / gaps(k, eigenvalues)
        inner = inner - diagonals(k, k.diagonal(inner, 0, -2, -1))
    if to_values is not None:
        inner = inner + k.astype(diagonals(k, to_values), v.dtype)
    inner = (inner + transposed(k, inner)) * 0.5
    return (k.matmul(v, k.matmul(inner, vh)),)


def gaps(k: Any, values: Any) -> Any:
    """values[j] - values[i] at (i, j), with ones on the diagonal."""
    found = k.expand_dims(values, axis=-2) - k.expand_dims(values, axis=-1)
    return found + diagonals(k, k.ones_like(values))


@eigh.samples
def _(make: Any) -> Iterator[Sample]:
    """The phases of complex vectors are free, so their gradients are not numeric."""
    real = make.dtype.kind == "f"
    for shape in ((1, 1), (2, 2), (3, 3), (5, 5), (2, 2, 2), (2, 1, 3, 3), (0, 2, 2)):
        yield Sample(definite(make, *shape)).named(f"{shape}", smooth=real)
    for shape in ((2, 2), (3, 3), (4, 4), (6, 6)):
        yield Sample(definite(make, *shape), "U").named(f"U {shape}", smooth=real)
    yield Sample(make(2, 3)).named("not square", smooth=False)


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """The eigenvalues of symmetric (Hermitian) matrices, rising.

    >>> import plugrad
    >>> A = plugrad.tensor([[2.0, 1.0], [1.0, 2.0]])
    >>> plugrad.linalg.eigvalsh(A).round(decimals=3)
    tensor([1., 3.])
    """
    return eigh(A, UPLO).eigenvalues


@op(
    outputs=("U", "S", "Vh"), differentiable=("U", "S", "Vh"), method=False, oracle=None
)
def svd_(k: Kernels, x: Tensor, full_matrices: bool = True) -> Any:
    """U, S, Vh with x = U @ diag(S) @ Vh; S falls."""
    need_matrices(x)
    need_floats(k, x)
    return tuple(k.linalg.svd(x, full_matrices=full_matrices))


@svd_.joint
def _svd_rule(k: Any, g: Any, U: Any, S: Any, Vh: Any) -> tuple[Any]:
    """Only the first columns of full matrices are determined by x."""
    to_u, to_s, to_vh = g
    n = S.shape[-1]
    u, vh = conjugate(k, U[..., :, :n]), conjugate(k, Vh[..., :n, :])
    uh, v = transposed(k, u), transposed(k, vh)
    if (to_u is not None or to_vh is not None) and k.isdtype(u.dtype, COMPLEX):
        raise NotImplementedError(
            "gradients through the singular vectors of complex matrices are not "
            "implemented; those through the values are"
        )
    inner: Any = 0
    if to_s is not None:
        inner = k.astype(diagonals(k, to_s), u.dtype)
    scale = k.expand_dims(S, axis=-2)
    if to_u is not None:
        to_u = to_u[..., :, :n]
        turned = k.matmul(uh, to_u)
        turned = (turned - k.matrix_transpose(turned)) / gaps(k, S * S)
        inner = inner + turned * scale
    if to_vh is not None:
        to_v = k.matrix_transpose(to_vh[..., :n, :])
        turned = k.matmul(vh, to_v)
        turned = (turned - k.matrix_transpose(turned)) / gaps(k, S * S)
        inner = inner + k.expand_dims(S, axis=-1) * turned
    found = k.matmul(u, k.matmul(inner, vh))
    if to_u is not None and u.shape[-2] > n:
        rest = to_u / scale
        rest = rest - k.matmul(u, k.matmul(uh, rest))
        found = found + k.matmul(rest, vh)
    if to_vh is not None and vh.shape[-1] > n:
        rest = to_v / scale
        rest = rest - k.matmul(v, k.matmul(vh, rest))
        found = found + k.matmul(u, k.matrix_transpose(rest))
    return (found,)


@svd_.samples
def _(make: Any) -> Iterator[Sample]:
    real = make.dtype.kind == "f"
    for shape in ((1, 1), (2, 2), (2, 3), (3, 2), (2, 3, 2), (0, 2, 2), (1, 4), (4, 1)):
        yield Sample(make(*shape), False).named(f"{shape}", smooth=real)
    for shape in ((3, 3), (2, 2, 2), (2, 1, 2, 3)):
        yield Sample(make(*shape), False).named(f"{shape}", smooth=real)
    yield Sample(make.strided(2, 3), False).named("strided", smooth=real)
    yield Sample(make(3, 2), True).named("full", smooth=False)
    yield Sample(make(2, 3)).named("full, wide", smooth=False)


def svd(input: Tensor, some: bool = True, compute_uv: bool = True) -> Any:
    """U, S, V with input = U @ diag(S) @ V.mH. `linalg.svd` gives V.mH instead.

    >>> import plugrad
    >>> A = plugrad.tensor([[0.0, 2.0], [1.0, 0.0]])
    >>> U, S, V = plugrad.svd(A)
    >>> plugrad.allclose(U @ S.diag() @ V.mH, A)
    True
    """
    from collections import namedtuple

    u, s, vh = svd_(input, not some)
    if not compute_uv:
        u, vh = u * 0, vh * 0
    return namedtuple("svd", ("U", "S", "V"))(u, s, vh.mT.conj())


def svdvals(A: Tensor) -> Tensor:
    """The singular values, falling.

    >>> import plugrad
    >>> A = plugrad.tensor([[0.0, 1.0], [2.0, 0.0]])
    >>> plugrad.linalg.svdvals(A).round(decimals=3)
    tensor([2., 1.])
    """
    return svd_(A, False).S


@op(outputs=("Q", "R"), differentiable=("Q", "R"), method=False, oracle=None)
def qr_(k: Kernels, x: Tensor, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and triangular R with Q @ R = x.

    >>> import plugrad
    >>> Q, R = plugrad.linalg.qr(plugrad.ones(3, 2))
    >>> Q.shape, R.shape
    (plugrad.Size([3, 2]), plugrad.Size([2, 2]))
    """
    need_matrices(x)
    need_floats(k, x)
    if mode not in ("reduced", "complete"):
        raise RuntimeError(f"qr: mode must be 'reduced' or 'complete', not {mode!r}")
    return tuple(k.linalg.qr(x, mode=mode))


@qr_.joint
def _qr_rule(k: Any, g: Any, Q: Any, R: Any) -> tuple[Any]:
    to_q, to_r = g
    q, r = conjugate(k, Q), conjugate(k, R)
    n = r.shape[-1]
    if r.shape[-2] < n or q.shape[-1] > n:
        raise NotImplementedError(
            "qr: the gradient is implemented for mode='reduced' and at least as many "
            "rows as columns"
        )
    inner: Any = 0
    if to_r is not None:
        inner = k.matmul(r, transposed(k, to_r))
    if to_q is not None:
        inner = inner - k.matmul(transposed(k, to_q), q)
    low = k.tril(inner, k=-1)
    middle = k.diagonal(inner, 0, -2, -1)
    middle = diagonals(k, (middle + conjugate(k, middle)) * 0.5)
    both = low + transposed(k, low) + middle
    found = k.matmul(q, both)
    if to_q is not None:
        found = found + to_q
    return (transposed(k, k.solve(r, transposed(k, found))),)


@qr_.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in (
        (1, 1),
        (2, 2),
        (3, 2),
        (4, 4),
        (2, 3, 2),
        (0, 2, 2),
        (4, 1),
        (2, 2, 3, 3),
    ):
        yield Sample(make(*shape))
    yield Sample(make.strided(3, 2))
    yield Sample(make(3, 2), "reduced")


def qr(input: Tensor, some: bool = True) -> Any:
    """Q, R with input = Q @ R, as `linalg.qr`.

    >>> import plugrad
    >>> A = plugrad.tensor([[3.0, 1.0], [4.0, 2.0]])
    >>> Q, R = plugrad.qr(A)
    >>> plugrad.allclose(Q @ R, A)
    True
    """
    return qr_(input, "reduced" if some else "complete")


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of the matrix of which `L` is the Cholesky factor.

    >>> import plugrad
    >>> L = plugrad.tensor([[2.0, 0.0], [0.0, 4.0]])
    >>> plugrad.cholesky_inverse(L)
    tensor([[0.2500, 0.0000],
            [0.0000, 0.0625]])
    """
    return inv(L.mT.conj() @ L if upper else L @ L.mT.conj())


METHODS = [cholesky_inverse, qr, svd]
