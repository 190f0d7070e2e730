"""Inverses, determinants, equations and decompositions of square matrices and others.

The standard calls its extension `linalg`; what stands there is used under its names.
All ops take batches of matrices in the last two dimensions.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import conjugate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = [
    "cholesky",
    "cholesky_inverse",
    "det",
    "inverse",
    "logdet",
    "matrix_power",
    "pinverse",
    "qr",
    "slogdet",
    "svd",
]


def need_matrices(x: Array, square: bool = False) -> None:
    """Raise unless `x` holds matrices, square ones if asked."""
    if x.ndim < 2:
        raise RuntimeError(
            "The input tensor must have at least 2 dimensions, but it has shape "
            f"{list(x.shape)}"
        )
    if square and x.shape[-1] != x.shape[-2]:
        raise RuntimeError(
            "A must be batches of square matrices, but they are "
            f"{x.shape[-2]} by {x.shape[-1]} matrices"
        )


def need_floats(k: Kernels, x: Array) -> None:
    """Raise unless `x` is floating-point."""
    if not k.isdtype(x.dtype, ("real floating", "complex floating")):
        raise RuntimeError(
            f"Expected a floating point or complex tensor as input. Got {x.dtype}"
        )


def transposed(k: Kernels, x: Array) -> Array:
    """The transpose of each matrix, conjugated."""
    x = k.matrix_transpose(x)
    return k.conj(x) if k.isdtype(x.dtype, "complex floating") else x


def diagonals(k: Kernels, x: Array) -> Array:
    """The diagonal of each matrix."""
    return k.put_diagonal(x, (*x.shape, x.shape[-1]), 0, -2, -1)


# --- Inverses and equations -------------------------------------------------------


@op(method=False, oracle="torch.linalg.inv")
def inv(k: Kernels, x: Tensor) -> Tensor:
    """The inverses of square matrices."""
    need_matrices(x, square=True)
    need_floats(k, x)
    return k.linalg.inv(x)


@inv.joint
def _inv_rule(k: Any, g: Any, y: Any) -> tuple[Any]:
    yt = k.matrix_transpose(y)
    return (-k.matmul(yt, k.matmul(g, yt)),)


def regular(make: Any, *shape: int, symmetric: bool = False) -> Any:
    """Square matrices in which the diagonal outweighs the rest."""
    n = shape[-1]
    count = n
    for each in shape[:-1]:
        count *= each
    values = make.numbers(count, -0.5, 0.5, make.dtype)
    for at in range(count):
        batch, row, column = at // (n * n), at // n % n, at % n
        if row == column:
            values[at] = make.dtype.kind == "b" or 2 + n / 2 + values[at].real
        elif symmetric and row > column:
            values[at] = values[(batch * n + column) * n + row].conjugate()
    return make.tensor(make.shaped(values, shape, make.dtype))


@inv.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((1, 1), (2, 2), (3, 3), (5, 5), (2, 2, 2), (2, 1, 3, 3), (0, 2, 2)):
        yield Sample(regular(make, *shape))
    yield Sample(make.strided(3, 3))
    yield Sample(make.strided(2, 2, 2))
    yield Sample(regular(make, 4, 1, 1))
    yield Sample(make(0, 0))
    yield Sample(make.expanded(1, 1))
    yield Sample(make(2, 3)).named("not square", smooth=False)
    yield Sample(make(3)).named("vector", smooth=False)


@op(promote="equal", method=False, broadcast=True, oracle="torch.linalg.solve")
def solve(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """x with a @ x = b, for square matrices `a`."""
    need_matrices(a, square=True)
    need_floats(k, a)
    if is_vector(a.shape, b.shape):
        y = k.linalg.solve(a, k.expand_dims(b, axis=-1))
        return k.squeeze(y, axis=-1)
    return k.linalg.solve(a, b)


def is_vector(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether the right side of an equation is vectors, by PyTorch's rule."""
    return len(b) == 1 or (len(a) - 1 == len(b) and a[:-1] == b)


@solve.joint
def _solve_rule(k: Any, g: Any, a: Any, b_shape: Any, y: Any, need: Any) -> Any:
    vector = is_vector(a.shape, b_shape)
    if vector:
        g, y = k.expand_dims(g, axis=-1), k.expand_dims(y, axis=-1)
    gb = k.solve(k.matrix_transpose(a), g)
    ga = -k.matmul(gb, k.matrix_transpose(y)) if need[0] else None
    return ga, k.reshape(gb, gb.shape[:-1]) if vector else gb


@solve.samples
def _(make: Any) -> Iterator[Sample]:
    for a, b in (
        ((1, 1), (1, 1)),
        ((2, 2), (2, 3)),
        ((3, 3), (3,)),
        ((3, 3), (3, 3)),
        ((4, 2, 2), (4, 2, 3)),
        ((4, 2, 2), (4, 2)),
        ((4, 2, 2), (2, 3)),
        ((2, 2), (4, 2, 3)),
        ((4, 1, 2, 2), (3, 2, 1)),
        ((0, 2, 2), (2, 1)),
    ):
        yield Sample(regular(make, *a), make(*b))
    yield Sample(regular(make, 3, 3), make.strided(3, 2))
    yield Sample(make(2, 3), make(2, 1)).named("not square", smooth=False)


# --- Determinants -----------------------------------------------------------------


@op(oracle="torch.linalg.det")
def det(k: Kernels, x: Tensor) -> Tensor:
    """The determinants of square matrices."""
    need_matrices(x, square=True)
    need_floats(k, x)
    return k.linalg.det(x)


@det.joint
def _det_rule(k: Any, g: Any, x: Any, y: Any) -> tuple[Any]:
    g = k.reshape(g * y, (*g.shape, 1, 1))
    return (g * k.matrix_transpose(k.inv(x)),)


@op(outputs=("sign", "logabsdet"), differentiable=("sign", "logabsdet"))
def slogdet(k: Kernels, x: Tensor) -> Any:
    """The signs of the determinants, and the logarithms of their absolute values."""
    need_matrices(x, square=True)
    need_floats(k, x)
    return tuple(k.linalg.slogdet(x))


@slogdet.joint
def _slogdet_rule(k: Any, g: Any, x: Any, sign: Any) -> tuple[Any]:
    """The sign of a real determinant does not change; a complex one turns."""
    to_sign, to_log = g
    if not k.isdtype(x.dtype, COMPLEX):
        g = k.zeros_like(sign) if to_log is None else to_log
    else:
        g = k.zeros_like(sign) if to_log is None else k.astype(to_log, x.dtype)
        if to_sign is not None:
            g = g + k.astype(k.imag(to_sign * sign), x.dtype) * 1j
    g = k.reshape(g, (*g.shape, 1, 1))
    return (g * k.matrix_transpose(k.inv(x)),)


det.samples(inv.op.make_samples)
slogdet.samples(inv.op.make_samples)


def logdet(input: Tensor) -> Tensor:
    """The logarithms of the determinants: NaN where these are negative."""
    sign, logabsdet = slogdet(input)
    return logabsdet + (sign.log() if sign.dtype.kind == "f" else 0)


# --- Decompositions ---------------------------------------------------------------


@op(oracle="torch.linalg.cholesky")
def cholesky(k: Kernels, x: Tensor, upper: bool = False) -> Tensor:
    """Triangular y with y @ y.mH = x, for positive definite x; `upper`, y.mH @ y."""
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
    which only one triangle is read."""
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
    """The eigenvalues of symmetric (Hermitian) matrices, rising."""
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


COMPLEX = "complex floating"


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
    """U, S, V with input = U @ diag(S) @ V.mH. `linalg.svd` gives V.mH instead."""
    from collections import namedtuple

    u, s, vh = svd_(input, not some)
    if not compute_uv:
        u, vh = u * 0, vh * 0
    return namedtuple("svd", ("U", "S", "V"))(u, s, vh.mT.conj())


def svdvals(A: Tensor) -> Tensor:
    """The singular values, falling."""
    return svd_(A, False).S


@op(outputs=("Q", "R"), differentiable=("Q", "R"), method=False, oracle=None)
def qr_(k: Kernels, x: Tensor, mode: str = "reduced") -> Any:
    """Q with orthonormal columns and triangular R with Q @ R = x."""
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
    """Q, R with input = Q @ R, as `linalg.qr`."""
    return qr_(input, "reduced" if some else "complete")


# --- What is built on those -------------------------------------------------------


@op(method=False, oracle=None)
def pinv_(k: Kernels, x: Tensor, rtol: float) -> Tensor:
    """The pseudoinverses of matrices; singular values up to `rtol` times the largest
    count as zero."""
    need_matrices(x)
    need_floats(k, x)
    return k.linalg.pinv(x, rtol=rtol)


@pinv_.joint
def _pinv_rule(k: Any, g: Any, x: Any, y: Any) -> tuple[Any]:
    """Golub and Pereyra's, for matrices whose rank does not change."""
    x, y = conjugate(k, x), conjugate(k, y)
    yh, gh = transposed(k, y), transposed(k, g)
    found = -k.matmul(yh, k.matmul(g, yh))
    left = k.matmul(gh, k.matmul(y, yh))
    found = found + left - k.matmul(x, k.matmul(y, left))
    right = k.matmul(k.matmul(yh, y), gh)
    return (found + right - k.matmul(k.matmul(right, y), x),)


@pinv_.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in (
        (1, 1),
        (2, 2),
        (2, 3),
        (3, 2),
        (2, 3, 2),
        (2, 2, 3, 3),
        (4, 1),
        (1, 4),
    ):
        yield Sample(make(*shape), 1e-15)
    yield Sample(make.strided(2, 3), 1e-15)
    yield Sample(regular(make, 3, 3), 1e-15)


def pinv(
    A: Tensor,
    rcond: float | None = None,
    hermitian: bool = False,
    *,
    rtol: float | None = None,
) -> Tensor:
    """The pseudoinverses of matrices."""
    cut = rtol if rtol is not None else rcond
    if cut is None:
        from ..dtypes import finfo

        cut = max(A.shape[-2:]) * finfo(A.dtype).eps if A.dtype.kind in "fc" else 0.0
    return pinv_(A, cut)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudoinverses of matrices, as `linalg.pinv`."""
    return pinv(input, rcond)


def inverse(input: Tensor) -> Tensor:
    """The inverses of square matrices, as `linalg.inv`."""
    return inv(input)


def cholesky_inverse(L: Tensor, upper: bool = False) -> Tensor:
    """The inverse of the matrix of which `L` is the Cholesky factor."""
    return inv(L.mT.conj() @ L if upper else L @ L.mT.conj())


def matrix_power(input: Tensor, n: int) -> Tensor:
    """The n-th powers of square matrices; negative ones of the inverses."""
    need_matrices(input, square=True)
    if n < 0:
        input, n = inv(input), -n
    if n == 0:
        from .. import eye

        one = eye(input.shape[-1], dtype=input.dtype)
        return one.expand(*input.shape).clone()
    result = None
    while n:
        if n & 1:
            result = input if result is None else result @ input
        n >>= 1
        input = input @ input if n else input
    return result  # type: ignore[return-value]


METHODS = [cholesky_inverse, inverse, logdet, matrix_power, pinverse, qr, svd]
