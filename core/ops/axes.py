"""Views with the dimensions in another order, and parts of a dimension."""

from __future__ import annotations

from ..declare import Sample, op
from .dims import one
from .indexing import getitem
from .shape import dim_indices, view_

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Dims = int | Sequence[int]

__all__ = [
    "adjoint",
    "moveaxis",
    "movedim",
    "narrow",
    "permute",
    "select",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
]


# --- Another order of dimensions ------------------------------------------------------


def backwards(dims: Sequence[int]) -> tuple[int, ...]:
    """The permutation that undoes another."""
    found = [0] * len(dims)
    for i, dim in enumerate(dims):
        found[dim] = i
    return tuple(found)


@op(view=True)
def permute(k: Kernels, x: Tensor, *dims: int) -> Tensor:
    """The dimensions in another order.

    >>> import plugrad
    >>> plugrad.permute(plugrad.ones(2, 3, 4), (2, 0, 1)).shape
    plugrad.Size([4, 2, 3])
    """
    if len(dims) != x.ndim:
        raise RuntimeError(
            f"permute: {len(dims)} dims were given for a tensor of {x.ndim} dimensions"
        )
    return k.permute_dims(x, dim_indices(dims, x.ndim))


permute.grad(x=lambda k, g, dims: k.permute_dims(g, backwards(dims)))


@permute.samples
def _(make: Any) -> Iterator[Sample]:
    for dims in [(0, 1, 2), (2, 1, 0), (1, 2, 0), (-1, 0, 1), (0, -1, -2)]:
        yield Sample(make(2, 3, 4), *dims)
    yield Sample(make(2, 3), (1, 0))
    yield Sample(make(), ())
    yield Sample(make(3), 0)
    yield Sample(make(0, 3), 1, 0)
    yield Sample(make.strided(2, 3), 1, 0)


@op(view=True)
def transpose(k: Kernels, x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged.

    >>> import plugrad
    >>> x = plugrad.tensor([[1, 2], [3, 4]])
    >>> plugrad.transpose(x, 0, 1)[0, 1] = 9  # a view: it writes to x
    >>> x
    tensor([[1, 2],
            [9, 4]])
    """
    return exchanged(k, x, dim0, dim1)


@op(view=True)
def swapaxes(k: Kernels, x: Tensor, axis0: int, axis1: int) -> Tensor:
    """Two dimensions exchanged; `transpose` by NumPy's name.

    >>> import plugrad
    >>> plugrad.swapaxes(plugrad.ones(2, 3, 4), 0, 2).shape
    plugrad.Size([4, 3, 2])
    """
    return exchanged(k, x, axis0, axis1)


def exchanged(k: Any, x: Any, a: int, b: int) -> Any:
    """`x` with the dimensions `a` and `b` exchanged."""
    dims = list(range(x.ndim))
    a, b = one(x.ndim, a), one(x.ndim, b)
    if a != b:
        dims[a], dims[b] = b, a
    return k.permute_dims(x, tuple(dims))


transpose.grad(x=lambda k, g, dim0, dim1: k.swapaxes(g, dim0, dim1))
swapaxes.grad(x=lambda k, g, axis0, axis1: k.swapaxes(g, axis0, axis1))


@transpose.samples
@swapaxes.samples
def _(make: Any) -> Iterator[Sample]:
    for dims in [(0, 1), (1, 2), (0, -1), (-1, -2), (1, 1), (2, 0)]:
        yield Sample(make(2, 3, 4), *dims)
    yield Sample(make(), 0, -1)
    yield Sample(make(3), 0, 0)
    yield Sample(make(0, 3), 0, 1)
    yield Sample(make.strided(2, 3), 0, 1)


def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged; `transpose` by another name.

    >>> import plugrad
    >>> plugrad.swapdims(plugrad.ones(2, 3, 4), 0, 2).shape
    plugrad.Size([4, 3, 2])
    """
    return transpose(input, dim0, dim1)


def t(input: Tensor) -> Tensor:
    """A matrix transposed; tensors of fewer dimensions as they are.

    >>> import plugrad
    >>> plugrad.t(plugrad.tensor([[1, 2, 3]]))
    tensor([[1],
            [2],
            [3]])
    """
    n = input._a.ndim
    if n > 2:
        raise RuntimeError(
            f"t() expects a tensor with <= 2 dimensions, but self is {n}D"
        )
    return transpose(input, 0, n - 1 if n else 0)


def movedim(input: Tensor, source: Dims, destination: Dims) -> Tensor:
    """Dimensions moved to other places, the rest in their order.

    >>> import plugrad
    >>> plugrad.movedim(plugrad.ones(2, 3, 4), (0, 1), (2, 0)).shape
    plugrad.Size([3, 4, 2])
    """
    n = input._a.ndim
    source, destination = dim_indices(source, n), dim_indices(destination, n)
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims)"
            " should contain the same number of dims as destination "
            f"({list(destination)} dims)"
        )
    if not n:
        return view_(input)
    rest = iter(i for i in range(n) if i not in source)
    moved = dict(zip(destination, source))
    order: Any = tuple(moved[i] if i in moved else next(rest) for i in range(n))
    return permute(input, order)


def moveaxis(input: Tensor, source: Dims, destination: Dims) -> Tensor:
    """`movedim` by NumPy's name.

    >>> import plugrad
    >>> plugrad.moveaxis(plugrad.ones(2, 3, 4), 0, -1).shape
    plugrad.Size([3, 4, 2])
    """
    return movedim(input, source, destination)


@op(view=True, method=False, oracle=None)
def mT(k: Kernels, x: Tensor) -> Tensor:
    """The last two dimensions exchanged."""
    if x.ndim < 2:
        raise RuntimeError(
            "tensor.mT is only supported on matrices or batches of matrices. "
            f"Got {x.ndim}-D tensor."
        )
    return k.matrix_transpose(x)


mT.grad(x=lambda k, g: k.matrix_transpose(g))


@mT.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(2, 3), (1, 1), (3, 3), (2, 3, 4), (0, 3), (2, 0), (1, 2, 3, 2)]:
        yield Sample(make(*shape))
    yield Sample(make.strided(2, 3))
    yield Sample(make.strided(2, 3, 4))
    yield Sample(make.expanded(2, 3))


def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged, and complex numbers conjugated.

    >>> import plugrad
    >>> plugrad.adjoint(plugrad.tensor([[1.0, 2j]]))
    tensor([[1.-0.j],
            [0.-2.j]])
    """
    from ..interface import OPS

    x = mT(input)
    return OPS["conj_physical"].function(x) if x.dtype.is_complex else x


def T(x: Tensor) -> Tensor:
    """The dimensions in reverse order."""
    order: Any = tuple(range(x._a.ndim - 1, -1, -1))
    return permute(x, order)


def H(x: Tensor) -> Tensor:
    """A matrix transposed, and complex numbers conjugated."""
    n = x._a.ndim
    if n not in (0, 2):
        raise RuntimeError(
            f"tensor.H is only supported on matrices (2-D tensors). Got {n}-D tensor. "
            "For batches of matrices, consider using tensor.mH"
        )
    return adjoint(x) if n else T(x)


# --- Parts ----------------------------------------------------------------------------


def select(input: Tensor, dim: int, index: int) -> Tensor:
    """One position along a dimension, which goes away.

    >>> import plugrad
    >>> plugrad.select(plugrad.tensor([[1, 2, 3], [4, 5, 6]]), 1, -1)
    tensor([3, 6])
    """
    if not input._a.ndim:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    dim = one(input._a.ndim, dim)
    size = input._a.shape[dim]
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size "
            f"{list(input._a.shape)} at dimension {dim}"
        )
    return along(input, dim, int(index))


def narrow(input: Tensor, dim: int, start: int, length: int) -> Tensor:
    """`length` positions of a dimension, from `start` on.

    >>> import plugrad
    >>> plugrad.narrow(plugrad.arange(6), 0, 2, 3)
    tensor([2, 3, 4])
    """
    if not input._a.ndim:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    dim = one(input._a.ndim, dim)
    size = input._a.shape[dim]
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if not -size <= start <= size:
        raise IndexError(
            f"start out of range (expected to be in range of [{-size}, {size}], but "
            f"got {int(start)})"
        )
    start = int(start) + (size if start < 0 else 0)
    if start + length > size:
        raise RuntimeError(
            f"start ({start}) + length ({length}) exceeds dimension size ({size})."
        )
    return along(input, dim, slice(start, start + length))


def along(x: Tensor, dim: int, index: Any) -> Tensor:
    """`x` indexed along one dimension."""
    return getitem(x, (slice(None),) * dim + (index,))


METHODS = [adjoint, moveaxis, movedim, narrow, select, swapdims, t]
PROPERTIES = {"T": T, "mT": mT, "H": H, "mH": adjoint}
