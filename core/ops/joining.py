"""Tensors joined into one."""

from __future__ import annotations

from ..declare import Sample, op
from .dims import one
from .shape import (
    reshape,
    unsqueeze,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor


__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "cat",
    "column_stack",
    "concat",
    "concatenate",
    "dstack",
    "hstack",
    "stack",
    "vstack",
]

# --- Joining --------------------------------------------------------------------------


@op(promote="same", method=False)
def cat(k: Kernels, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors joined along a dimension that they have.

    >>> import plugrad
    >>> plugrad.cat([plugrad.tensor([1, 2]), plugrad.tensor([3])])
    tensor([1, 2, 3])
    """
    check_joined(tensors, dim)
    whole = [t for t in tensors if t.shape != (0,)] or list(tensors[:1])
    return k.concat(whole, axis=one(whole[0].ndim, dim))


@cat.before()
def _(values: dict[str, Any]) -> None:
    if not len(values["tensors"]):  # promotion finds no dtype
        raise ValueError("cat(): expected a non-empty list of Tensors")


def check_joined(tensors: Sequence[Any], dim: int) -> None:
    """Raise where tensors cannot be joined; ones of shape (0,) always can."""
    for i, t in enumerate(tensors):
        if not t.ndim:
            raise RuntimeError(
                f"zero-dimensional tensor (at position {i}) cannot be concatenated"
            )
    shapes = [tuple(t.shape) for t in tensors if t.shape != (0,)]
    for shape in shapes:
        if len(shape) != len(shapes[0]):
            raise RuntimeError(
                f"Tensors must have same number of dimensions: got {len(shapes[0])} "
                f"and {len(shape)}"
            )
        at = one(len(shape), dim)
        if shape[:at] != shapes[0][:at] or shape[at + 1 :] != shapes[0][at + 1 :]:
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {at}: got "
                f"{list(shapes[0])} and {list(shape)}"
            )


def _cut(k: Any, g: Any, shapes: Sequence[Any], dim: int) -> list[Any]:
    """The gradient of each of the joined tensors."""
    at = one(g.ndim, dim)
    found: list[Any] = []
    start = 0
    for shape in shapes:
        if shape == (0,) and g.ndim != 1:
            found.append(k.zeros((0,), dtype=g.dtype))
            continue
        end = start + shape[at]
        found.append(k.getitem(g, (slice(None),) * at + (slice(start, end),)))
        start = end
    return found


cat.grad(tensors=lambda k, g, tensors_shape, dim: _cut(k, g, tensors_shape, dim))


@cat.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, -1, -2]:
        yield Sample([make(2, 3), make(2, 3)], dim)
    yield Sample([make(2, 3), make(4, 3), make(1, 3)])
    yield Sample([make(0), make(2, 3)], 1)
    yield Sample([make(0), make(0)])
    yield Sample([make(0, 3), make(2, 3)])
    yield Sample([make.strided(2, 3), make.expanded(2, 3)], dim=1)
    yield Sample((make(1),))
    x = make(2, 3)
    yield Sample([x, x, x], 1)


@op(promote="same", method=False)
def stack_(k: Kernels, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    shape = tensors[0].shape
    for i, other in enumerate(tensors):
        if other.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at "
                f"entry 0 and {list(other.shape)} at entry {i}"
            )
    return k.stack(tensors, axis=one(len(shape) + 1, dim))


stack_.grad(tensors=lambda k, g, dim: k.unbind(g, dim))


@stack_.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, 2, -1, -2, -3]:
        yield Sample([make(2, 3), make(2, 3)], dim)
    yield Sample([make(), make(), make()])
    yield Sample([make(0), make(0)], 1)
    yield Sample([make.strided(2, 3), make.expanded(2, 3)], dim=1)
    x = make(3)
    yield Sample((x, x), -1)


def stack(
    tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Any = None
) -> Tensor:
    """Tensors of one shape joined along a new dimension.

    >>> import plugrad
    >>> plugrad.stack([plugrad.tensor([1, 2]), plugrad.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    return stack_(tensors, dim if axis is None else axis, out=out)  # type: ignore


def concat(tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None) -> Tensor:
    """`cat` by another name.

    >>> import plugrad
    >>> plugrad.concat([plugrad.tensor([1, 2]), plugrad.tensor([3.5])])
    tensor([1.0000, 2.0000, 3.5000])
    """
    return cat.op.apply(tensors, dim, out=out)


def concatenate(
    tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Any = None
) -> Tensor:
    """`cat` by NumPy's name.

    >>> import plugrad
    >>> plugrad.concatenate([plugrad.ones(2, 1), plugrad.zeros(2, 2)], axis=1)
    tensor([[1., 0., 0.],
            [1., 0., 0.]])
    """
    return cat.op.apply(tensors, dim if axis is None else axis, out=out)


def hstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined side by side: along dimension 1, or 0 where there is no other.

    >>> import plugrad
    >>> plugrad.hstack([plugrad.tensor([1, 2]), plugrad.tensor([3])])
    tensor([1, 2, 3])
    """
    parts = atleast_1d(list(tensors))
    return cat.op.apply(parts, 0 if parts and parts[0]._a.ndim == 1 else 1, out=out)


def vstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined below each other, vectors as rows.

    >>> import plugrad
    >>> plugrad.vstack([plugrad.tensor([1, 2]), plugrad.tensor([[3, 4]])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat.op.apply(atleast_2d(list(tensors)), 0, out=out)


def dstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined along the third dimension.

    >>> import plugrad
    >>> plugrad.dstack([plugrad.tensor([1, 2]), plugrad.tensor([3, 4])])
    tensor([[[1, 3],
             [2, 4]]])
    """
    return cat.op.apply(atleast_3d(list(tensors)), 2, out=out)


def column_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined side by side, vectors as columns.

    >>> import plugrad
    >>> plugrad.column_stack([plugrad.tensor([1, 2]), plugrad.tensor([3, 4])])
    tensor([[1, 3],
            [2, 4]])
    """
    parts = [t if t._a.ndim > 1 else reshape(t, -1, 1) for t in tensors]
    return cat.op.apply(parts, 1, out=out)


def _each(function: Any, tensors: Any) -> Any:
    """`function` of one tensor, or of each of several."""
    if len(tensors) == 1:
        if not isinstance(tensors[0], (list, tuple)):
            return function(tensors[0])
        tensors = tensors[0]
    return tuple(function(t) for t in tensors)


def atleast_1d(*tensors: Any) -> Any:
    """A tensor, or several, with at least one dimension.

    >>> import plugrad
    >>> plugrad.atleast_1d(plugrad.tensor(3.0))
    tensor([3.])
    """
    return _each(lambda t: t if t._a.ndim else reshape(t, 1), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """A tensor, or several, with at least two dimensions; a vector becomes a row.

    >>> import plugrad
    >>> plugrad.atleast_2d(plugrad.tensor([1, 2]))
    tensor([[1, 2]])
    """

    def grown(t: Tensor) -> Tensor:
        n = t._a.ndim
        return t if n >= 2 else unsqueeze(t, 0) if n else reshape(t, 1, 1)

    return _each(grown, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """A tensor, or several, with at least three dimensions, the last ones added.

    >>> import plugrad
    >>> plugrad.atleast_3d(plugrad.ones(2, 3)).shape
    plugrad.Size([2, 3, 1])
    >>> plugrad.atleast_3d(plugrad.ones(2)).shape
    plugrad.Size([1, 2, 1])
    """

    def grown(t: Tensor) -> Tensor:
        n = t._a.ndim
        if n >= 3:
            return t
        if n == 2:
            return unsqueeze(t, -1)
        return reshape(t, 1, -1, 1) if n else reshape(t, 1, 1, 1)

    return _each(grown, tensors)
