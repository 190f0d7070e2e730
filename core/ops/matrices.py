"""Triangles and diagonals of matrices, and matrices put together from parts."""

from __future__ import annotations

from ..declare import Sample, op
from .dims import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = [
    "block_diag",
    "cartesian_prod",
    "cdist",
    "corrcoef",
    "cov",
    "cross",
    "diag",
    "diag_embed",
    "diagonal",
    "kron",
    "trace",
    "tril",
    "triu",
]


# --- Triangles --------------------------------------------------------------------


def need_matrix(x: Array) -> None:
    """Raise unless `x` has rows and columns."""
    if x.ndim < 2:
        raise RuntimeError(
            f"input tensor must have at least 2 dimensions, but has shape "
            f"{list(x.shape)}"
        )


@op(inplace=True)
def tril(k: Kernels, x: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangle of matrices, zero above; `diagonal` moves the border up.

    >>> import plugrad
    >>> plugrad.ones(2, 3).tril()
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    need_matrix(x)
    return k.tril(x, k=diagonal)


@op(inplace=True)
def triu(k: Kernels, x: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangle of matrices, zero below; `diagonal` moves the border up.

    >>> import plugrad
    >>> x = plugrad.tensor([[1, 2, 3], [4, 5, 6]])
    >>> plugrad.triu(x)
    tensor([[1, 2, 3],
            [0, 5, 6]])
    """
    need_matrix(x)
    return k.triu(x, k=diagonal)


tril.grad(x=lambda k, g, diagonal: k.tril(g, k=diagonal))
triu.grad(x=lambda k, g, diagonal: k.triu(g, k=diagonal))


@tril.samples
@triu.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in (
        (2, 2),
        (2, 3),
        (3, 2),
        (1, 1),
        (0, 3),
        (2, 0),
        (2, 3, 3),
        (1, 2, 3, 2),
    ):
        yield Sample(make(*shape))
    for diagonal in (-4, -1, 1, 2, 5):
        yield Sample(make(3, 4), diagonal)
    yield Sample(make(3, 3), diagonal=1)
    yield Sample(make.strided(3, 4))
    yield Sample(make.expanded(3, 4)).named("expanded")
    yield Sample(make(3)).named("1-d", smooth=False)


# --- Diagonals --------------------------------------------------------------------


@op(view=True)
def diagonal(
    k: Kernels, x: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1
) -> Tensor:
    """The diagonals of the matrices that two dimensions make, as the last dimension.

    >>> import plugrad
    >>> plugrad.tensor([[1, 2], [3, 4]]).diagonal()
    tensor([1, 4])
    """
    dim1, dim2 = _two_dims(x.ndim, dim1, dim2)
    order = [d for d in range(x.ndim) if d not in (dim1, dim2)]
    return k.linalg.diagonal(k.permute_dims(x, (*order, dim1, dim2)), offset=offset)


def _two_dims(ndim: int, dim1: int, dim2: int) -> tuple[int, int]:
    """Two different dimensions, counted from the front."""
    first, second = one(ndim, dim1), one(ndim, dim2)
    if first == second:
        raise RuntimeError(
            f"diagonal dimensions cannot be identical, but both are {dim1} ({dim2})"
        )
    return first, second


diagonal.grad(
    x=lambda k, g, x_shape, offset, dim1, dim2: k.put_diagonal(
        g, x_shape, offset, dim1, dim2
    )
)


@op(method=False, oracle=None)
def put_diagonal(
    k: Kernels, x: Tensor, shape: tuple[int, ...], offset: int, dim1: int, dim2: int
) -> Tensor:
    """Zeros of a shape whose diagonals hold `x`: what undoes `diagonal`."""
    ndim = len(shape)
    dim1, dim2 = one(ndim, dim1), one(ndim, dim2)
    rows, columns = shape[dim1], shape[dim2]
    above = max(-offset, 0)
    edge = x.shape[:-1]
    y = k.concat(
        [
            k.zeros((*edge, above), dtype=x.dtype),
            x,
            k.zeros((*edge, rows - above - x.shape[-1]), dtype=x.dtype),
        ],
        axis=-1,
    )
    y = k.expand_dims(y, axis=-1)
    on = k.eye(rows, columns, k=offset, dtype=k.bool)
    y = k.where(on, y, k.zeros_like(y))
    order = [d for d in range(ndim) if d not in (dim1, dim2)] + [dim1, dim2]
    back = tuple(order.index(d) for d in range(ndim))
    return k.permute_dims(y, back)


put_diagonal.grad(x=lambda k, g, offset, dim1, dim2: k.diagonal(g, offset, dim1, dim2))

DIAGONALS = (  # shape, offset, dim1, dim2
    ((3, 3), 0, 0, 1),
    ((2, 3), 1, 0, 1),
    ((3, 2), -1, 0, 1),
    ((3, 2), 2, 0, 1),
    ((2, 3, 4), 0, 0, 1),
    ((2, 3, 4), 1, 0, 2),
    ((2, 3, 4), -1, -1, 0),
    ((2, 3, 4), 0, 2, 1),
    ((0, 3), 0, 0, 1),
    ((2, 3, 4, 2), 1, 1, -1),
)


@diagonal.samples
def _(make: Any) -> Iterator[Sample]:
    for shape, *args in DIAGONALS:
        yield Sample(make(*shape), *args)
    yield Sample(make(2, 3))
    yield Sample(make.strided(2, 3), offset=1)
    yield Sample(make.expanded(2, 3))


@put_diagonal.samples
def _(make: Any) -> Iterator[Sample]:
    for shape, *args in DIAGONALS:
        with_diagonal = diagonal(make(*shape).detach(), *args)
        yield Sample(make(*with_diagonal.shape), shape, *args)


def diag_embed(
    input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1
) -> Tensor:
    """Square matrices in two new dimensions; the last one becomes their diagonals.

    >>> import plugrad
    >>> plugrad.diag_embed(plugrad.tensor([1, 2]), offset=1)
    tensor([[0, 1, 0],
            [0, 0, 2],
            [0, 0, 0]])
    """
    if not input.ndim:
        raise RuntimeError("diag_embed: the input must have at least 1 dimension")
    ndim = input.ndim + 1
    first, second = _two_dims(ndim, dim1, dim2)
    n = input.shape[-1] + abs(offset)
    shape = list(input.shape[:-1])
    for d in sorted((first, second)):
        shape.insert(d, n)
    return put_diagonal(input, tuple(shape), offset, first, second)


def diag(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
    """Of a vector, the matrix with that diagonal; of a matrix, its diagonal.

    >>> import plugrad
    >>> plugrad.diag(plugrad.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> plugrad.diag(plugrad.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    if input.ndim == 1:
        return diag_embed(input, diagonal)
    if input.ndim == 2:
        return _diagonal(input, diagonal).clone()
    raise RuntimeError(
        f"diag(): expected a 1D or 2D tensor, but got shape {list(input.shape)}; "
        "diagonal and diag_embed take batches"
    )


_diagonal = diagonal


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix.

    >>> import plugrad
    >>> plugrad.trace(plugrad.tensor([[1, 2], [3, 4]]))
    tensor(5)
    """
    if input.ndim != 2:
        raise RuntimeError(
            f"trace: expected a matrix, but got shape {list(input.shape)}"
        )
    return diagonal(input).sum()


# --- Put together -----------------------------------------------------------------


def block_diag(*tensors: Tensor) -> Tensor:
    """A matrix with the given ones along its diagonal, zero elsewhere.

    >>> import plugrad
    >>> plugrad.block_diag(plugrad.tensor([[1, 2]]), plugrad.tensor([[3], [4]]))
    tensor([[1, 2, 0],
            [0, 0, 3],
            [0, 0, 4]])
    """
    from .. import cat, zeros

    blocks = []
    for each in tensors:
        if each.ndim > 2:
            raise RuntimeError(
                f"block_diag: expected tensors of at most 2 dimensions, but one has "
                f"shape {list(each.shape)}"
            )
        blocks.append(each if each.ndim == 2 else each.reshape(1, -1))
    width = sum(each.shape[1] for each in blocks)
    rows, before = [], 0
    for each in blocks:
        height, own = each.shape
        left = zeros(height, before, dtype=each.dtype)
        right = zeros(height, width - before - own, dtype=each.dtype)
        rows.append(cat([left, each, right], 1))
        before += own
    return cat(rows, 0)


def cartesian_prod(*tensors: Tensor) -> Tensor:
    """All combinations of one element from each vector, as rows.

    >>> import plugrad
    >>> plugrad.cartesian_prod(plugrad.tensor([1, 2]), plugrad.tensor([8, 9]))
    tensor([[1, 8],
            [1, 9],
            [2, 8],
            [2, 9]])
    """
    from .. import stack

    if len(tensors) == 1:
        return tensors[0]
    sizes = [each.shape[0] for each in tensors]
    columns = []
    for i, each in enumerate(tensors):
        shape = [1] * len(sizes)
        shape[i] = sizes[i]
        columns.append(each.reshape(shape).expand(*sizes).reshape(-1))
    return stack(columns, 1)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: each element of `input` times the whole of `other`.

    >>> import plugrad
    >>> plugrad.kron(plugrad.tensor([1, 10]), plugrad.tensor([1, 2, 3]))
    tensor([ 1,  2,  3, 10, 20, 30])
    """
    n = max(input.ndim, other.ndim)
    a = [1] * (n - input.ndim) + list(input.shape)
    b = [1] * (n - other.ndim) + list(other.shape)
    left = input.reshape([each for size in a for each in (size, 1)])
    right = other.reshape([each for size in b for each in (1, size)])
    return (left * right).reshape([x * y for x, y in zip(a, b)])


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The cross products of 3-vectors along `dim`; by default, the first dimension of
    size 3.

    >>> import plugrad
    >>> plugrad.cross(plugrad.tensor([1, 0, 0]), plugrad.tensor([0, 1, 0]))
    tensor([0, 0, 1])
    """
    if dim is None:
        threes = [d for d, n in enumerate(input.shape) if n == 3]
        if not threes:
            raise RuntimeError("cross: no dimension of size 3 in input")
        dim = threes[0] - input.ndim
    if input.ndim != other.ndim:
        raise RuntimeError(
            "cross: inputs must have the same number of dimensions, but the shapes are "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"cross: dimension {dim} must have size 3, but the shapes are "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    a, b = input, other
    return a.roll(-1, dim) * b.roll(-2, dim) - a.roll(-2, dim) * b.roll(-1, dim)


# --- Distances and correlations ---------------------------------------------------


@op(promote="equal", method=False, broadcast=True, oracle=None)
def euclidean(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The distances between all rows of two batches of matrices."""
    if not k.isdtype(a.dtype, "real floating"):
        raise RuntimeError(f"only floating-point dtypes are supported, not {a.dtype}")
    if max(a.shape[-2], b.shape[-2]) <= 25:
        d = k.expand_dims(a, axis=-2) - k.expand_dims(b, axis=-3)
        return k.sqrt(k.sum(d * d, axis=-1))
    squares = k.sum(a * a, axis=-1, keepdims=True)
    squares = squares + k.expand_dims(k.sum(b * b, axis=-1), axis=-2)
    squares = squares - 2 * k.matmul(a, k.matrix_transpose(b))
    return k.sqrt(k.maximum(squares, k.zeros_like(squares)))


@euclidean.joint
def _euclidean_rule(k: Any, g: Any, a: Any, b: Any, y: Any, need: Any) -> Any:
    """Where rows are equal, zero as PyTorch's."""
    w = k.where(y == 0, k.zeros_like(g), g / k.where(y == 0, k.ones_like(y), y))
    wt = k.matrix_transpose(w)
    to_a = to_b = None
    if need[0]:
        to_a = a * k.sum(w, axis=-1, keepdims=True) - k.matmul(w, b)
    if need[1]:
        to_b = b * k.sum(wt, axis=-1, keepdims=True) - k.matmul(wt, a)
    return to_a, to_b


@euclidean.samples
def _(make: Any) -> Iterator[Sample]:
    for a, b in (
        ((2, 3), (4, 3)),
        ((1, 1), (1, 1)),
        ((30, 2), (3, 2)),
        ((2, 3), (26, 3)),
        ((5, 2, 3), (5, 4, 3)),
        ((5, 2, 3), (4, 3)),
        ((2, 1, 2, 3), (5, 4, 3)),
        ((0, 3), (4, 3)),
    ):
        yield Sample(make(*a), make(*b))
    yield Sample(make.strided(2, 3), make.strided(4, 3))
    yield Sample(make.expanded(2, 3), make(4, 3)).named("expanded")


def cdist(
    x1: Tensor,
    x2: Tensor,
    p: float = 2.0,
    compute_mode: str = "use_mm_for_euclid_dist_if_necessary",
) -> Tensor:
    """The distances in the p-norm between all rows of two batches of matrices.

    >>> import plugrad
    >>> plugrad.cdist(plugrad.zeros(1, 2), plugrad.tensor([[3.0, 4.0], [0.0, 1.0]]))
    tensor([[5., 1.]])
    """
    from .norms import vector_norm

    for label, each in (("x1", x1), ("x2", x2)):
        if each.dtype.kind != "f":
            raise RuntimeError(
                f"cdist only supports floating-point dtypes, {label} got: {each.dtype}"
            )
        if each.ndim < 2:
            raise RuntimeError(
                f"cdist: {label} must have at least 2 dimensions, but has shape "
                f"{list(each.shape)}"
            )
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(
            f"cdist: the rows must have equal sizes, but the shapes are "
            f"{list(x1.shape)} and {list(x2.shape)}"
        )
    if p < 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if p == 2:
        return euclidean(x1, x2)
    return vector_norm(x1.unsqueeze(-2) - x2.unsqueeze(-3), p, -1)


def cov(
    input: Tensor,
    *,
    correction: int = 1,
    fweights: Tensor | None = None,
    aweights: Tensor | None = None,
) -> Tensor:
    """The covariances of the rows, each one variable with its observations.

    >>> import plugrad
    >>> plugrad.cov(plugrad.tensor([[0.0, 2.0], [4.0, 0.0]]))
    tensor([[ 2., -4.],
            [-4.,  8.]])
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions, but got "
            f"{list(input.shape)}"
        )
    x = input.reshape(1, -1) if input.ndim < 2 else input
    weights = fweights
    if aweights is not None:
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        n: Any = x.shape[1]
        x = x - x.mean(1, keepdim=True)
        y = x @ x.conj().mT / max(n - correction, 0)
    else:
        total = weights.sum()
        n = total
        if aweights is not None and correction:
            n = total - correction * (weights * aweights).sum() / total
        elif aweights is None:
            n = total - correction
        x = x - ((x * weights).sum(1) / total).unsqueeze(1)
        y = x @ (x * weights).conj().mT / n
    return y.squeeze() if input.ndim < 2 else y


def corrcoef(input: Tensor) -> Tensor:
    """The correlations of the rows, each one variable with its observations.

    >>> import plugrad
    >>> x = plugrad.tensor([[1.0, 2.0, 3.0], [6.0, 4.0, 2.0]])
    >>> plugrad.corrcoef(x).round(decimals=3)
    tensor([[ 1., -1.],
            [-1.,  1.]])
    """
    c = cov(input)
    if c.ndim == 0:
        return c / c
    deviation = diagonal(c).sqrt()
    return (c / deviation.unsqueeze(1) / deviation.unsqueeze(0)).clamp(-1, 1)


METHODS = [corrcoef, cov, cross, diag, diag_embed, kron, trace]
