"""Views by steps through memory, and tensors that change their own shape.

- `unfold` and `as_strided` are views in which elements can occur several times; their
  way back adds up.
- `squeeze_()` and the like leave the memory as it is and make the tensor a view of what
  it was: the old tensor lives on as the base of all its views.
"""

from __future__ import annotations

from ..declare import Sample, op
from ..storage import link_view, storage
from ..tensor import Tensor, wrap
from .axes import swapaxes, t, transpose
from .dims import one
from .shape import size_of, squeeze, unsqueeze

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels

__all__ = ["as_strided"]


@op(view=True)
def unfold(k: Kernels, x: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of a size along a dimension, `step` apart, each in a new last
    dimension.

    >>> import plugrad
    >>> plugrad.tensor([1, 2, 3, 4]).unfold(0, 2, 1)
    tensor([[1, 2],
            [2, 3],
            [3, 4]])
    """
    at = one(x.ndim, dimension)
    shape = x.shape or (1,)
    check_windows(shape[at], at, size, step)
    starts = range(0, shape[at] - size + 1, step)
    flat = [start + i for start in starts for i in range(size)]
    if not x.ndim:
        return k.reshape(k.copy(x), (1,)) if size else k.zeros((0,), dtype=x.dtype)
    if not flat or 0 in shape:
        windows = (*shape[:at], len(starts), *shape[at + 1 :], size)
        return k.zeros(windows, dtype=x.dtype)
    x = k.take(x, k.asarray(flat, dtype=k.int64), axis=at)
    x = k.reshape(x, (*shape[:at], len(starts), size, *shape[at + 1 :]))
    last = at + 1
    return k.permute_dims(x, (*range(last), *range(last + 1, x.ndim), last))


def check_windows(n: int, at: int, size: int, step: int) -> None:
    """Raise if a dimension of size n has no such windows."""
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(
            f"maximum size for tensor at dimension {at} is {n} but size is {size}"
        )


def _overlapped(
    k: Any, g: Any, shape: Any, dimension: int, size: int, step: int
) -> Any:
    """What every window says of an element, added up."""
    shape = tuple(shape)
    if not shape:
        return k.reshape(g, ()) if size else k.zeros((), dtype=g.dtype)
    at = one(len(shape), dimension)
    count = g.shape[at]
    flat = [i * step + j for i in range(count) for j in range(size)]
    if not flat:
        return k.zeros(shape, dtype=g.dtype)
    last = g.ndim - 1
    g = k.permute_dims(g, (*range(at + 1), last, *range(at + 1, last)))
    g = k.reshape(g, (*shape[:at], len(flat), *shape[at + 1 :]))
    return k.spread(g, k.asarray(flat, dtype=k.int64), at, shape)


unfold.grad(
    x=lambda k, g, x_shape, dimension, size, step: _overlapped(
        k, g, x_shape, dimension, size, step
    )
)


@unfold.samples
def _(make: Any) -> Iterator[Sample]:
    for args in [(0, 2, 1), (0, 3, 2), (-1, 1, 1), (0, 5, 1), (0, 2, 3), (0, 0, 1)]:
        yield Sample(make(5), *args)
    yield Sample(make(3, 4, 2), 1, 2, 1)
    yield Sample(make(3, 4), -2, 2, 1)
    yield Sample(make(), 0, 1, 1)
    yield Sample(make.strided(3, 4), 1, 2, 2)
    yield Sample(make.expanded(3, 4), 1, 2, 1)
    yield Sample(make(3), 0, 4, 1).named("too long")
    yield Sample(make(3), 0, 1, 0).named("no step")


@op(view=True)
def as_strided(
    k: Kernels,
    x: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """A view of any shape, given by its steps through memory. `x` has to be contiguous,
    and positions count from its first element.

    >>> import plugrad
    >>> plugrad.as_strided(plugrad.arange(5), (3, 3), (1, 1))  # sliding windows
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    flat = places(size, stride, storage_offset or 0, size_of(x.shape))
    row = k.reshape(x, (-1,))
    return k.reshape(k.take(row, k.asarray(flat, dtype=k.int64), axis=0), tuple(size))


def places(size: Any, stride: Any, offset: int, n: int) -> list[int]:
    """Where the elements of a strided view lie, in order."""
    if len(size) != len(stride):
        raise RuntimeError("mismatch in length of strides and shape")
    if any(step < 0 for step in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported: {stride}")
    found = [offset]
    for count, step in zip(size, stride):
        found = [place + i * step for place in found for i in range(count)]
    if found and max(found) >= n:
        raise RuntimeError(
            f"as_strided: sizes {list(size)}, strides {list(stride)} and storage "
            f"offset {offset} reach element {max(found)} of {n}"
        )
    return found


def _of_strided(k: Any, g: Any, shape: Any, size: Any, stride: Any, offset: Any) -> Any:
    n = size_of(shape)
    flat = places(size, stride, offset or 0, n)
    if not flat:
        return k.zeros(tuple(shape), dtype=g.dtype)
    g = k.spread(k.reshape(g, (-1,)), k.asarray(flat, dtype=k.int64), 0, (n,))
    return k.reshape(g, tuple(shape))


as_strided.grad(
    x=lambda k, g, x_shape, size, stride, storage_offset: _of_strided(
        k, g, x_shape, size, stride, storage_offset
    )
)


@as_strided.samples
def _(make: Any) -> Iterator[Sample]:
    for args in [
        ((2, 2), (2, 1)),
        ((2, 3), (1, 2)),
        ((2, 2), (1, 1)),
        ((3,), (2,), 1),
        ((), (), 4),
        ((0, 2), (1, 1)),
        ((2, 2), (0, 1), 2),
        ((6,), (1,)),
        ((2, 2), (3, 1), 1),
        ((1, 1), (1, 1), 5),
    ]:
        yield Sample(make(2, 3), *args)
    yield Sample(make(), (1,), (1,))
    yield Sample(make(4), (2, 2), (1, 9)).named("too far")
    yield Sample(make(4), (2, 2), (1,)).named("too few strides")


# --- Tensors that change their own shape ----------------------------------------------


def become(x: Tensor, y: Tensor) -> Tensor:
    """Make `x` what its view `y` is. What `x` was becomes the base of its views."""
    from ..inplace import check_writable, move

    check_writable(x)
    made = getattr(y, "_v", None)
    if made is None:  # this backend has no views
        x._a, x._node = y._a, y._node or x._node
        return x
    _, function, args = made
    old = wrap(x._k, x._a)
    old._node, old._s = x._node, storage(x)
    own = getattr(x, "_v", None)
    if own is not None:
        old._v = own
    for view in old._s.live():
        link = view._v
        if link is not None and link[0] is x and view is not y:
            view._v = (old, link[1], link[2])
    x._a = y._a
    if y._node is not None:
        move(x, y._node)
    link_view(old, x, function, args)
    return x


def squeeze_(self: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """`squeeze`, of this tensor itself."""
    return become(self, squeeze(self) if dim is None else squeeze(self, dim))


def unsqueeze_(self: Tensor, dim: int) -> Tensor:
    """`unsqueeze`, of this tensor itself."""
    return become(self, unsqueeze(self, dim))


def transpose_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """`transpose`, of this tensor itself."""
    return become(self, transpose(self, dim0, dim1))


def swapaxes_(self: Tensor, axis0: int, axis1: int) -> Tensor:
    """`swapaxes`, of this tensor itself."""
    return become(self, swapaxes(self, axis0, axis1))


def swapdims_(self: Tensor, dim0: int, dim1: int) -> Tensor:
    """`swapdims`, of this tensor itself."""
    return become(self, transpose(self, dim0, dim1))


def t_(self: Tensor) -> Tensor:
    """`t`, of this tensor itself."""
    return become(self, t(self))


def as_strided_(
    self: Tensor,
    size: Sequence[int],
    stride: Sequence[int],
    storage_offset: int | None = None,
) -> Tensor:
    """`as_strided`, of this tensor itself."""
    return become(self, as_strided(self, size, stride, storage_offset))


def resize_(self: Tensor, *sizes: int, memory_format: Any = None) -> Tensor:
    """Give the tensor another size: its first elements in order, and zeros for what is
    missing. Where it grows, it no longer shares memory with its views."""
    from ..calls import flat
    from ..storage import leave_memory, written

    if self._node is not None:
        raise RuntimeError("cannot resize variables that require grad")
    shape, k = flat(sizes), self._k
    if any(n < 0 for n in shape):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension: {list(shape)}"
        )
    count, row = size_of(shape), k.reshape(self._a, (-1,))
    missing = count - row.shape[0]
    if missing > 0:
        row = k.concat([row, k.zeros((missing,), dtype=row.dtype)], axis=0)
    resized = k.reshape(k._getitem(row, slice(0, count)), shape)
    written(self)
    if not k.aliases(resized, self._a):
        leave_memory(self)
    self._a = resized
    return self


METHODS = [
    as_strided_,
    resize_,
    squeeze_,
    swapaxes_,
    swapdims_,
    t_,
    transpose_,
    unsqueeze_,
]
