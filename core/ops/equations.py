"""Inverses, determinants and linear equations.

All ops take batches of matrices in the last two dimensions. The standard calls its
extension `linalg`; what stands there is used under its names.
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
    "cholesky_solve",
    "det",
    "inverse",
    "logdet",
    "matrix_power",
    "pinverse",
    "slogdet",
    "triangular_solve",
]


COMPLEX = "complex floating"


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
    """Raise unless `x` is floating-point, of more than 16 bits."""
    dtype = k.dtype_of(x)
    if dtype.kind not in "fc" or dtype.itemsize < 4:
        raise RuntimeError(
            "expected a floating point or complex tensor of at least 32 bits, but got "
            f"{dtype}"
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
    """The inverses of square matrices.

    >>> import plugrad
    >>> plugrad.linalg.inv(plugrad.tensor([[2.0, 1.0], [1.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  2.]])
    """
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


@op(promote="equal", method=False, broadcast=True, oracle="torch.linalg.solve")
def solve(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """x with a @ x = b, for square matrices `a`.

    >>> import plugrad
    >>> A = plugrad.tensor([[2.0, 0.0], [1.0, 1.0]])
    >>> plugrad.linalg.solve(A, plugrad.tensor([2.0, 4.0]))
    tensor([1., 3.])
    """
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
    """The determinants of square matrices.

    >>> import plugrad
    >>> plugrad.linalg.det(plugrad.tensor([[2.0, 0.0], [1.0, 3.0]]))
    tensor(6.)
    """
    need_matrices(x, square=True)
    need_floats(k, x)
    return k.linalg.det(x)


@det.joint
def _det_rule(k: Any, g: Any, x: Any, y: Any) -> tuple[Any]:
    g = k.reshape(g * y, (*g.shape, 1, 1))
    return (g * k.matrix_transpose(k.inv(x)),)


@op(outputs=("sign", "logabsdet"), differentiable=("sign", "logabsdet"))
def slogdet(k: Kernels, x: Tensor) -> Any:
    """The signs of the determinants, and the logarithms of their absolute values.

    >>> import plugrad
    >>> x = plugrad.eye(50) * 0.001
    >>> plugrad.linalg.det(x), plugrad.linalg.slogdet(x).logabsdet
    (tensor(0.), tensor(-345.3878))
    """
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


@inv.samples
@det.samples
@slogdet.samples
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


def logdet(input: Tensor) -> Tensor:
    """The logarithms of the determinants: NaN where these are negative.

    >>> import plugrad
    >>> A = plugrad.tensor([[1.0, 0.0], [0.0, 3.0]])
    >>> plugrad.logdet(A), plugrad.logdet(-A[:1, :1])
    (tensor(1.0986), tensor(nan))
    """
    sign, logabsdet = slogdet(input)
    if sign.dtype.kind == "c":
        return logabsdet + sign.log()
    return logabsdet.where(sign >= 0, float("nan"))


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
    """The pseudoinverses of matrices.

    >>> import plugrad
    >>> plugrad.linalg.pinv(plugrad.ones(2, 1))
    tensor([[0.5000, 0.5000]])
    """
    cut = rtol if rtol is not None else rcond
    if cut is None:
        from ..limits import finfo

        cut = max(A.shape[-2:]) * finfo(A.dtype).eps if A.dtype.kind in "fc" else 0.0
    return pinv_(A, cut)


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """The pseudoinverses of matrices, as `linalg.pinv`.

    >>> import plugrad
    >>> plugrad.pinverse(plugrad.ones(2, 1))
    tensor([[0.5000, 0.5000]])
    """
    return pinv(input, rcond)


def inverse(input: Tensor) -> Tensor:
    """The inverses of square matrices, as `linalg.inv`.

    >>> import plugrad
    >>> plugrad.inverse(plugrad.tensor([[2.0, 1.0], [1.0, 1.0]]))
    tensor([[ 1., -1.],
            [-1.,  2.]])
    """
    return inv(input)


def matrix_power(input: Tensor, n: int) -> Tensor:
    """The n-th powers of square matrices; negative ones of the inverses.

    >>> import plugrad
    >>> plugrad.matrix_power(plugrad.tensor([[1, 1], [0, 1]]), 5)
    tensor([[1, 5],
            [0, 1]])
    """
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


def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False) -> Tensor:
    """X with A @ X = B, where `L` is the Cholesky factor of A.

    >>> import plugrad
    >>> b = plugrad.tensor([[8.0], [9.0]])
    >>> plugrad.cholesky_solve(b, plugrad.tensor([[2.0, 0.0], [0.0, 3.0]]))
    tensor([[2.],
            [1.]])
    """
    need_matrices(L, square=True)
    need_matrices(B)
    L = L.triu().mH if upper else L.tril()
    return solve(L.mH, solve(L, B))


def triangular_solve(
    b: Tensor,
    A: Tensor,
    upper: bool = True,
    transpose: bool = False,
    unitriangular: bool = False,
) -> Any:
    """X with A @ X = b, reading one triangle of `A` alone, and a copy of `A`. It is
    PyTorch's older form of `linalg.solve_triangular`.

    >>> import plugrad
    >>> A = plugrad.tensor([[2.0, 4.0], [99.0, 2.0]])  # 99 is not read
    >>> plugrad.triangular_solve(plugrad.tensor([[8.0], [2.0]]), A).solution
    tensor([[2.],
            [1.]])
    """
    from collections import namedtuple

    from ..linalg import solve_triangular

    need_matrices(A, square=True)
    need_matrices(b)
    left = A.mT if transpose else A
    x = solve_triangular(left, b, upper=upper != transpose, unitriangular=unitriangular)
    names = ("solution", "cloned_coefficient")
    return namedtuple("triangular_solve", names)(x, A.clone())


METHODS = [
    cholesky_solve,
    inverse,
    logdet,
    matrix_power,
    pinverse,
    triangular_solve,
]
