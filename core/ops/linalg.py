"""Products of vectors, matrices and batches of matrices.

`matmul` is the op here; most others are checks of shapes around it.
No dtypes are promoted: PyTorch asks for equal ones.
"""

from __future__ import annotations

from ..declare import Sample, op

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex

__all__ = [
    "addbmm",
    "addmm",
    "addmv",
    "addr",
    "baddbmm",
    "bmm",
    "chain_matmul",
    "dot",
    "inner",
    "matmul",
    "mm",
    "mv",
    "outer",
    "tensordot",
    "vdot",
]


@op(promote="equal", broadcast=True)
def matmul(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """The matrix product of vectors, matrices or broadcast batches of matrices.

    >>> import plugrad
    >>> a = plugrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> a @ plugrad.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    if a.ndim == 0 or b.ndim == 0:
        raise RuntimeError(
            "both arguments need to be at least 1D, but they are "
            f"{a.ndim}D and {b.ndim}D"
        )
    return k.matmul(a, b)


def _matmul_a(k: Any, g: Any, b: Any) -> Any:
    if g.ndim == 2 == b.ndim:
        return k.matmul(g, k.matrix_transpose(b))
    if b.ndim == 1:
        return k.expand_dims(g, axis=-1) * b
    if g.ndim >= b.ndim:
        return k.matmul(g, k.matrix_transpose(b))
    rows = k.matmul(b, k.expand_dims(g, axis=-1))  # a vector came from the left
    return k.reshape(rows, rows.shape[:-1])


def _matmul_b(k: Any, g: Any, a: Any, b_shape: Any) -> Any:
    if g.ndim == 2 == a.ndim:
        return k.matmul(k.matrix_transpose(a), g)
    if a.ndim == 1:
        if g.ndim == 0:
            return g * a
        return k.expand_dims(g, axis=-2) * k.expand_dims(a, axis=-1)
    if len(b_shape) == 2 and g.ndim == a.ndim:  # one product, not one for each batch
        a = k.reshape(a, (-1, b_shape[0])) if b_shape[0] else a
        g = k.reshape(g, (-1, b_shape[1])) if b_shape[1] else g
        if a.ndim == 2 == g.ndim:
            return k.matmul(k.matrix_transpose(a), g)
        return k.zeros(b_shape, dtype=g.dtype)
    if g.ndim >= a.ndim:
        return k.matmul(k.matrix_transpose(a), g)
    columns = k.matmul(k.matrix_transpose(a), k.expand_dims(g, axis=-1))
    return k.reshape(columns, columns.shape[:-1])


matmul.grad(a=_matmul_a, b=_matmul_b)


@matmul.samples
def _(make: Any) -> Iterator[Sample]:
    for a, b in (
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 2)),
        ((2, 3), (3, 4)),
        ((4, 2, 3), (3,)),
        ((3,), (4, 3, 2)),
        ((4, 2, 3), (3, 2)),
        ((2, 3), (4, 3, 2)),
        ((4, 2, 3), (4, 3, 2)),
        ((4, 2, 3), (1, 3, 2)),
        ((5, 1, 2, 3), (4, 3, 2)),
        ((5, 4, 2, 3), (3, 2)),
        ((0,), (0,)),
        ((2, 0), (0, 3)),
        ((0, 3), (3, 2)),
        ((0, 2, 3), (3, 2)),
        ((2, 2, 0), (0, 3)),
        ((1, 1), (1, 1)),
    ):
        yield Sample(make(*a), make(*b))
    yield Sample(make.strided(2, 3), make.strided(3, 4))
    yield Sample(make.strided(4, 2, 3), make.strided(3, 2))
    yield Sample(make.expanded(4, 2, 3), make.expanded(3, 2))
    x = make(3, 3)
    yield Sample(x, x)
    yield Sample(make(), make(3)).named("0-d", smooth=False)
    yield Sample(make(2, 3), make(2, 3)).named("mismatch", smooth=False)


# --- Products of given ranks ------------------------------------------------------


def need_ranks(name: str, *given: tuple[str, Tensor, int]) -> None:
    """Raise unless each of the named tensors has its number of dimensions."""
    for label, t, ndim in given:
        if t.ndim != ndim:
            raise RuntimeError(
                f"{name}: expected '{label}' to have {ndim} dimensions, but it has "
                f"shape {list(t.shape)}; matmul takes all ranks"
            )


def _product(a: Tensor, b: Tensor, out: Tensor | None) -> Tensor:
    """a @ b, in `out` if that is given."""
    return matmul(a, b) if out is None else matmul.op.apply(a, b, out=out)


def mm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of two matrices.

    >>> import plugrad
    >>> plugrad.mm(plugrad.tensor([[1, 2]]), plugrad.tensor([[3], [4]]))
    tensor([[11]])
    """
    need_ranks("mm", ("input", input, 2), ("mat2", mat2, 2))
    return _product(input, mat2, out)


def bmm(input: Tensor, mat2: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The products of two batches of matrices, pair by pair.

    >>> import plugrad
    >>> plugrad.bmm(plugrad.ones(5, 2, 3), plugrad.ones(5, 3, 4)).shape
    plugrad.Size([5, 2, 4])
    """
    need_ranks("bmm", ("input", input, 3), ("mat2", mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise RuntimeError(
            f"bmm: expected batches of equal size, but got shapes {list(input.shape)} "
            f"and {list(mat2.shape)}; matmul broadcasts batches"
        )
    return _product(input, mat2, out)


def mv(input: Tensor, vec: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The product of a matrix and a vector.

    >>> import plugrad
    >>> plugrad.mv(plugrad.tensor([[1, 2], [3, 4]]), plugrad.tensor([1, 1]))
    tensor([3, 7])
    """
    need_ranks("mv", ("input", input, 2), ("vec", vec, 1))
    return _product(input, vec, out)


def dot(input: Tensor, tensor: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inner product of two vectors.

    >>> import plugrad
    >>> plugrad.dot(plugrad.tensor([1, 2]), plugrad.tensor([3, 4]))
    tensor(11)
    """
    need_ranks("dot", ("input", input, 1), ("tensor", tensor, 1))
    return _product(input, tensor, out)


def vdot(input: Tensor, other: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The inner product of two vectors, the first one conjugated.

    >>> import plugrad
    >>> plugrad.vdot(plugrad.tensor([2j, 1.0]), plugrad.tensor([2j, 1.0]))
    tensor(5.+0.j)
    """
    need_ranks("vdot", ("input", input, 1), ("other", other, 1))
    return _product(input.conj(), other, out)


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The products of all pairs of elements of two vectors.

    >>> import plugrad
    >>> plugrad.outer(plugrad.tensor([1, 2, 3]), plugrad.tensor([1, 10]))
    tensor([[ 1, 10],
            [ 2, 20],
            [ 3, 30]])
    """
    need_ranks("outer", ("input", input, 1), ("vec2", vec2, 1))
    return input.unsqueeze(1) * vec2


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The inner products over the last dimensions of both.

    >>> import plugrad
    >>> plugrad.inner(plugrad.tensor([[1, 2], [3, 4]]), plugrad.tensor([10, 1]))
    tensor([12, 34])
    """
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            "inner: the last dimensions must match, but the shapes are "
            f"{list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


def tensordot(
    a: Tensor, b: Tensor, dims: int | tuple[Sequence[int], Sequence[int]] = 2
) -> Tensor:
    """The sums of products over the last `dims` dimensions of `a` and the first of `b`,
    or over two lists of dimensions.

    >>> import plugrad
    >>> plugrad.tensordot(plugrad.ones(2, 3, 4), plugrad.ones(3, 4, 5), dims=2).shape
    plugrad.Size([2, 5])
    """
    from .dims import several

    if hasattr(dims, "tolist"):
        dims = dims.tolist()  # type: ignore[union-attr]
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(
                f"tensordot expects dims <= ndim_a or ndim_b, but got dims={dims}"
            )
        dims = range(a.ndim - dims, a.ndim), range(dims)
    left, right = (
        several(t.ndim, tuple(d)) if len(d) else () for t, d in zip((a, b), dims)
    )
    if len(left) != len(right):
        raise RuntimeError("both dimension lists should have same length")
    sizes = [a.shape[d] for d in left]
    if sizes != [b.shape[d] for d in right]:
        raise RuntimeError(
            f"tensordot: contracted dimensions need to match, but shapes "
            f"{list(a.shape)} and {list(b.shape)} differ in {left} and {right}"
        )
    free_a = [d for d in range(a.ndim) if d not in left]
    free_b = [d for d in range(b.ndim) if d not in right]
    n = 1
    for each in sizes:
        n *= each
    shape_a, shape_b = [a.shape[d] for d in free_a], [b.shape[d] for d in free_b]
    rows = a.permute(*free_a, *left).reshape(_count(shape_a), n)
    columns = b.permute(*right, *free_b).reshape(n, _count(shape_b))
    return matmul(rows, columns).reshape(*shape_a, *shape_b)


def _count(sizes: Sequence[int]) -> int:
    """The product of sizes."""
    n = 1
    for each in sizes:
        n *= each
    return n


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of many matrices, in the order that takes the fewest steps.

    >>> import plugrad
    >>> A = plugrad.tensor([[0, 1], [1, 0]])
    >>> plugrad.chain_matmul(A, A, plugrad.tensor([[1], [2]]))
    tensor([[1],
            [2]])
    """
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = tuple(matrices[0])
    if not matrices:
        raise RuntimeError("chain_matmul(): expected one or more matrices")
    for i, each in enumerate(matrices):
        need_ranks("chain_matmul", (f"matrices[{i}]", each, 2))
    sizes = [matrices[0].shape[0], *(each.shape[1] for each in matrices)]
    return _chain(matrices, sizes, 0, len(matrices), {})[1]()


def _chain(
    matrices: Sequence[Tensor], sizes: list[int], i: int, j: int, known: dict[Any, Any]
) -> tuple[int, Any]:
    """The cost of the product of the matrices i to j, and a function that makes it."""
    if (i, j) not in known:
        if j - i == 1:
            known[i, j] = 0, lambda: matrices[i]
        else:
            found = []
            for m in range(i + 1, j):
                left = _chain(matrices, sizes, i, m, known)
                right = _chain(matrices, sizes, m, j, known)
                cost = left[0] + right[0] + sizes[i] * sizes[m] * sizes[j]
                found.append((cost, m, left[1], right[1]))
            cost, _, left, right = min(found, key=lambda each: each[:2])
            known[i, j] = cost, lambda: matmul(left(), right())
    return known[i, j]


# --- Products added to something --------------------------------------------------


def _added(x: Tensor, beta: Number, product: Tensor, alpha: Number) -> Tensor:
    """beta * x + alpha * product; with beta = 0, whatever `x` holds is ignored."""
    if alpha != 1:
        product = product * alpha
    if beta == 0:
        return product
    return (x if beta == 1 else x * beta) + product


def addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * (mat1 @ mat2).

    >>> import plugrad
    >>> x, A = plugrad.tensor([[1.0, 1.0]]), plugrad.tensor([[3.0, 4.0], [5.0, 6.0]])
    >>> plugrad.addmm(plugrad.tensor([10.0, 20.0]), x, A)  # a linear layer
    tensor([[18., 30.]])
    """
    return _added(input, beta, mm(mat1, mat2), alpha)


def addmv(
    input: Tensor, mat: Tensor, vec: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * (mat @ vec).

    >>> import plugrad
    >>> A, x = plugrad.tensor([[1.0, 2.0], [3.0, 4.0]]), plugrad.tensor([1.0, 1.0])
    >>> plugrad.addmv(plugrad.tensor([10.0, 20.0]), A, x, alpha=2)
    tensor([16., 34.])
    """
    return _added(input, beta, mv(mat, vec), alpha)


def addr(
    input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: Number = 1, alpha: Number = 1
) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2).

    >>> import plugrad
    >>> x, y = plugrad.tensor([1.0, 2.0]), plugrad.tensor([3.0, 4.0])
    >>> plugrad.addr(plugrad.zeros(2, 2), x, y)
    tensor([[3., 4.],
            [6., 8.]])
    """
    return _added(input, beta, outer(vec1, vec2), alpha)


def baddbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
) -> Tensor:
    """beta * input + alpha * bmm(batch1, batch2).

    >>> import plugrad
    >>> A, B = plugrad.ones(2, 1, 4), plugrad.ones(2, 4, 1)
    >>> plugrad.baddbmm(plugrad.ones(2, 1, 1), A, B, beta=10).flatten()
    tensor([14., 14.])
    """
    return _added(input, beta, bmm(batch1, batch2), alpha)


def addbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: Number = 1,
    alpha: Number = 1,
) -> Tensor:
    """beta * input + alpha * the sum of bmm(batch1, batch2) over the batch.

    >>> import plugrad
    >>> A, B = plugrad.ones(3, 2, 4), plugrad.ones(3, 4, 2)
    >>> plugrad.addbmm(plugrad.zeros(2, 2), A, B)
    tensor([[12., 12.],
            [12., 12.]])
    """
    return _added(input, beta, bmm(batch1, batch2).sum(0), alpha)


def written_into(function: Any) -> Any:
    """The method that writes such a sum into its first argument."""
    name = f"{function.__name__}_"

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        from ..inplace import check_writable, write_result

        check_writable(self)
        write_result(self, function(self, *args, **kwargs), name)
        return self

    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"`{function.__name__}`, written into this tensor."
    return method


ADDED = [addbmm, addmm, addmv, addr, baddbmm]
METHODS = [
    *ADDED,
    *map(written_into, ADDED),
    bmm,
    dot,
    inner,
    mm,
    mv,
    outer,
    vdot,
]
