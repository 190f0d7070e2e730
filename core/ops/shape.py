"""Views and other changes of shape.

What can share memory does: these ops are views wherever the backend's arrays can be.
Errors are PyTorch's: IndexError for a dimension that is not there, RuntimeError for
sizes that do not fit.
"""

from __future__ import annotations

from ..declare import Sample, op, sum_to
from ..dtypes import dtype
from ..dtypes import dtype as Dtype
from .dims import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Dims = int | Sequence[int]

__all__ = [
    "broadcast_to",
    "clone",
    "expand_as",
    "flatten",
    "ravel",
    "reshape",
    "squeeze",
    "unflatten",
    "unsqueeze",
]


# --- Dimensions -----------------------------------------------------------------------


def dim_indices(dims: Dims, ndim: int) -> tuple[int, ...]:
    """Several dimensions counted from the front, each given once."""
    many = (dims,) if isinstance(dims, int) else dims
    found = tuple(one(ndim, dim) for dim in many)
    for i, dim in enumerate(found):
        if dim in found[:i]:
            raise RuntimeError(f"dim {dim} appears multiple times in the list of dims")
    return found


def size_of(shape: Sequence[int]) -> int:
    """The number of elements of a shape."""
    n = 1
    for size in shape:
        n *= size
    return n


def inferred(shape: Sequence[int], count: int) -> tuple[int, ...]:
    """`shape` with its -1 replaced by what makes `count` elements."""
    known = size_of([n for n in shape if n != -1])
    unknown = [i for i, n in enumerate(shape) if n == -1]
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        raise RuntimeError(f"invalid shape dimension {min(shape)} in {list(shape)}")
    if unknown and not known:
        raise RuntimeError(
            f"cannot reshape tensor of {count} elements into shape {list(shape)} "
            "because the unspecified dimension size -1 can be any value"
        )
    if count != known if not unknown else count % known:
        raise RuntimeError(f"shape {list(shape)} is invalid for input of size {count}")
    return tuple(count // known if n == -1 else n for n in shape)


# --- The same elements in another shape -----------------------------------------------


@op(view=True)
def reshape(k: Kernels, x: Tensor, *shape: int) -> Tensor:
    """The same elements in another shape: a view where possible, else a copy.

    >>> import plugrad
    >>> plugrad.tensor([1, 2, 3, 4]).reshape(2, -1)
    tensor([[1, 2],
            [3, 4]])
    """
    return k.reshape(x, inferred(shape, size_of(x.shape)))


reshape.grad(x=lambda k, g, x_shape: k.reshape(g, x_shape))


@reshape.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes in [(6,), (3, 2), (-1,), (3, -1), (1, 2, 3, 1), (2, -1, 1)]:
        yield Sample(make(2, 3), *sizes)
    yield Sample(make(2, 3), (3, 2))
    yield Sample(make(), 1, 1)
    yield Sample(make(1), ())
    yield Sample(make(0, 3), -1)
    yield Sample(make(0, 3), 3, 0)
    yield Sample(make.strided(2, 3), 6)
    yield Sample(make.expanded(2, 3), 3, 2)


@op(view=True, method=False)
def view_(k: Kernels, x: Tensor, *shape: int) -> Tensor:
    """The same memory in another shape; an error where that cannot be."""
    return k.reshape(x, inferred(shape, size_of(x.shape)))


view_.grad(x=lambda k, g, x_shape: k.reshape(g, x_shape))


@view_.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes in [(6,), (3, 2), (-1,), (3, -1), (1, 2, 3, 1), (2, -1, 1)]:
        yield Sample(make(2, 3), *sizes)
    yield Sample(make(2, 3), (3, 2))
    yield Sample(make(), 1, 1)
    yield Sample(make(1), ())
    yield Sample(make(0, 3), -1)
    yield Sample(make.strided(2, 3), 2, 3, 1)


@op(
    view=True,
    method=False,
    oracle=None,
    no_grad_reason="reads the bits as another dtype",
)
def view_as_dtype(k: Kernels, x: Tensor, dtype: dtype) -> Tensor:
    """The same memory read as another dtype."""
    from ..errors import UnsupportedOpError

    if k.native(dtype) == x.dtype:
        return k.reshape(x, x.shape)
    raise UnsupportedOpError(
        f"view: backend {k.name!r} cannot read memory as another dtype; "
        "use .to(dtype) to convert the values"
    )


@view_as_dtype.samples
def _(make: Any) -> Iterator[Sample]:
    from .. import dtypes

    for shape in [(), (0,), (1,), (4,), (2, 4), (3, 2, 2), (1, 1), (2, 0)]:
        yield Sample(make(*shape), make().dtype)
    yield Sample(make.strided(2, 3), make().dtype)
    yield Sample(make.expanded(2, 3), make().dtype)
    yield Sample(make.integers(4, dtype=dtypes.int32), dtypes.float32).named("bits")
    yield Sample(make.integers(2, 4), dtypes.int32).named("narrower")


def view(x: Tensor, *shape: int | dtype, dtype: dtype | None = None) -> Tensor:
    """The same memory in another shape, or read as another dtype.

    Where the elements cannot be had in that shape without a copy, this raises a
    RuntimeError; `reshape` copies.
    """
    first = shape[0] if shape else dtype
    if isinstance(first, Dtype):
        return view_as_dtype(x, first)
    return view_(x, *shape)  # type: ignore[arg-type]


def view_as(x: Tensor, other: Tensor) -> Tensor:
    """`x.view(other.shape)`."""
    return view_(x, other._a.shape)


def reshape_as(x: Tensor, other: Tensor) -> Tensor:
    """`x.reshape(other.shape)`."""
    return reshape(x, other._a.shape)


@op(view=True)
def flatten(k: Kernels, x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join neighbouring dimensions into one.

    >>> import plugrad
    >>> plugrad.flatten(plugrad.ones(2, 3, 4), start_dim=1).shape
    plugrad.Size([2, 12])
    """
    start, end = one(x.ndim, start_dim), one(x.ndim, end_dim)
    if start > end:
        raise RuntimeError(
            "flatten() has invalid args: start_dim cannot come after end_dim"
        )
    joined = size_of(x.shape[start : end + 1])
    return k.reshape(x, (*x.shape[:start], joined, *x.shape[end + 1 :]))


flatten.grad(x=lambda k, g, x_shape: k.reshape(g, x_shape))


@flatten.samples
def _(make: Any) -> Iterator[Sample]:
    for dims in [(), (1,), (0, 1), (1, 2), (-2, -1), (1, 1), (0, -2)]:
        yield Sample(make(2, 3, 2), *dims)
    yield Sample(make())
    yield Sample(make(0, 3))
    yield Sample(make.strided(2, 3))
    yield Sample(make.expanded(2, 3), start_dim=1)


def ravel(input: Tensor) -> Tensor:
    """All elements in one dimension: a view where possible.

    >>> import plugrad
    >>> plugrad.ravel(plugrad.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    return reshape(input, -1)


def unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """Split one dimension into several; one of them may be -1.

    >>> import plugrad
    >>> plugrad.unflatten(plugrad.ones(2, 12), 1, (3, -1)).shape
    plugrad.Size([2, 3, 4])
    """
    shape = input._a.shape
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    dim = one(len(shape), dim)
    try:
        found = inferred(sizes, shape[dim])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of "
            f"dim {dim} ({shape[dim]}) in the input tensor"
        ) from None
    return view_(input, *shape[:dim], *found, *shape[dim + 1 :])


@op(view=True)
def squeeze(k: Kernels, x: Tensor, dim: Dims | None = None) -> Tensor:
    """Remove dimensions of size 1: all of them, or those named.

    >>> import plugrad
    >>> x = plugrad.ones(1, 2, 1)
    >>> plugrad.squeeze(x).shape, plugrad.squeeze(x, 0).shape
    (plugrad.Size([2]), plugrad.Size([2, 1]))
    """
    if dim is None:
        return k.reshape(x, tuple(n for n in x.shape if n != 1))
    dims = dim_indices(dim, x.ndim)
    shape = tuple(n for i, n in enumerate(x.shape) if n != 1 or i not in dims)
    return k.reshape(x, shape)


squeeze.grad(x=lambda k, g, x_shape: k.reshape(g, x_shape))


@squeeze.samples
def _(make: Any) -> Iterator[Sample]:
    for dims in [(), (0,), (1,), (-1,), (-3,), ((0, 2),), ((0, 1),), ((),)]:
        yield Sample(make(1, 3, 1), *dims)
    yield Sample(make())
    yield Sample(make(), 0)
    yield Sample(make(1, 0))
    yield Sample(make(1), dim=0)
    yield Sample(make.expanded(1, 3))


@op(view=True)
def unsqueeze(k: Kernels, x: Tensor, dim: int) -> Tensor:
    """Insert a dimension of size 1.

    >>> import plugrad
    >>> plugrad.unsqueeze(plugrad.tensor([1, 2]), 1)
    tensor([[1],
            [2]])
    """
    at = one(x.ndim + 1, dim)
    return k.reshape(x, (*x.shape[:at], 1, *x.shape[at:]))


unsqueeze.grad(x=lambda k, g, x_shape: k.reshape(g, x_shape))


@unsqueeze.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, 2, -1, -2, -3]:
        yield Sample(make(2, 3), dim)
    yield Sample(make(), 0)
    yield Sample(make(), -1)
    yield Sample(make(0), 1)
    yield Sample(make.strided(2, 3), dim=1)


@op
def clone(k: Kernels, x: Tensor, *, memory_format: Any = None) -> Tensor:
    """A copy that does not share memory; gradients flow through it.

    >>> import plugrad
    >>> x = plugrad.tensor([1, 2])
    >>> y = plugrad.clone(x).zero_()
    >>> x
    tensor([1, 2])
    """
    return k.copy(x)


clone.grad(x=lambda k, g: g)


@clone.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(), (0,), (1,), (3,), (2, 3), (2, 0, 3), (1, 2, 1)]:
        yield Sample(make(*shape))
    yield Sample(make.strided(2, 3))
    yield Sample(make.strided(2, 3, 2))
    yield Sample(make.expanded(2, 3))


def contiguous(x: Tensor, memory_format: Any = None) -> Tensor:
    """This tensor if its elements lie in order in memory, else a copy where they do."""
    return x if x._k.is_dense(x._a) else clone(x)


@op(oracle=None)
def to_dtype(k: Kernels, x: Tensor, dtype: dtype) -> Tensor:
    """The same values in another dtype."""
    native = k.native(dtype)
    if k.isdtype(x.dtype, "complex floating") and not dtype.is_complex:
        x = k.real(x)
    return k.astype(x, native)


def _cast_back(k: Any, g: Any, x_dtype: Any) -> Any:
    """A gradient in the input's dtype; of a complex one a real input gets the real
    part."""
    if k.isdtype(g.dtype, "complex floating") and not k.isdtype(
        x_dtype, "complex floating"
    ):
        g = k.real(g)
    return k.astype(g, x_dtype)


to_dtype.grad(x=lambda k, g, x_dtype: _cast_back(k, g, x_dtype))


@to_dtype.samples
def _(make: Any) -> Iterator[Sample]:
    from .. import dtypes

    for shape in [(), (0,), (3,), (2, 3)]:
        yield Sample(make(*shape), dtypes.float32)
        yield Sample(make(*shape), dtypes.float64)
    yield Sample(make(3), dtypes.int64)
    yield Sample(make(3), dtypes.complex128)
    yield Sample(make.strided(2, 3), dtypes.float64)
    yield Sample(make.expanded(2, 3), dtypes.float64)
    for shape in [(2, 0), (1, 1), (2, 1, 3)]:
        yield Sample(make(*shape), dtypes.float64)
        yield Sample(make(*shape), dtypes.complex128)


# --- Repeating without copying --------------------------------------------------------


@op(view=True)
def expand(k: Kernels, x: Tensor, *size: int) -> Tensor:
    """Repeat dimensions of size 1 without copying; -1 keeps a size."""
    return k.broadcast_to(x, expanded(x.shape, size))


def expanded(shape: Sequence[int], size: Sequence[int]) -> tuple[int, ...]:
    """The shape that `expand` gives."""
    added = len(size) - len(shape)
    if added < 0:
        raise RuntimeError(
            f"the number of sizes provided ({len(size)}) must be greater or equal to "
            f"the number of dimensions in the tensor ({len(shape)})"
        )
    found = list(size)
    for i, n in enumerate(size):
        own = shape[i - added] if i >= added else None
        if n == -1 and own is not None:
            found[i] = own
        elif n < 0:
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) isn't allowed in a leading, "
                f"non-existing dimension {i}"
            )
        elif own not in (None, 1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size "
                f"({own}) at non-singleton dimension {i}.  Target sizes: {list(size)}."
                f"  Tensor sizes: {list(shape)}"
            )
    return tuple(found)


expand.grad(x=lambda k, g, x_shape: sum_to(k, g, x_shape))


@expand.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes in [(2, 3), (-1, 3), (4, 2, 3), (4, 2, -1), (4, -1, 3), (1, 2, 3)]:
        yield Sample(make(2, 1), *sizes)
    yield Sample(make(), 2, 3)
    yield Sample(make(), ())
    yield Sample(make(1), 0)
    yield Sample(make(3), (2, 3))
    yield Sample(make.strided(3, 1), 3, 2)


def expand_as(x: Tensor, other: Tensor) -> Tensor:
    """`x.expand(other.shape)`.

    >>> import plugrad
    >>> plugrad.tensor([[1], [2]]).expand_as(plugrad.ones(2, 3))
    tensor([[1, 1, 1],
            [2, 2, 2]])
    """
    return expand(x, other._a.shape)


def broadcast_to(input: Tensor, size: Sequence[int]) -> Tensor:
    """`input.expand(size)`.

    >>> import plugrad
    >>> plugrad.broadcast_to(plugrad.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, *size)


METHODS = [
    broadcast_to,
    contiguous,
    expand_as,
    ravel,
    reshape_as,
    unflatten,
    view,
    view_as,
]
