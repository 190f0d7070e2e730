"""Tensors joined into one, cut into parts, repeated and turned around.

The parts of a cut are views, made by one recorded call: the way back joins all their
gradients at once, so a loop over many parts stays linear.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import one
from .shape import (
    dim_indices,
    expand,
    permute,
    reshape,
    size_of,
    unsqueeze,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Dims = int | Sequence[int]

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_tensors",
    "cat",
    "chunk",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "meshgrid",
    "repeat_interleave",
    "roll",
    "rot90",
    "split",
    "split_with_sizes",
    "stack",
    "tensor_split",
    "tile",
    "unbind",
    "vsplit",
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


def check_joined(tensors: Sequence[Any], dim: int) -> None:
    """Raise where tensors cannot be joined; ones of shape (0,) always can."""
    if not tensors:
        raise ValueError("cat(): expected a non-empty list of Tensors")
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
def stack(k: Kernels, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of one shape joined along a new dimension."""
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    shape = tensors[0].shape
    for i, other in enumerate(tensors):
        if other.shape != shape:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(shape)} at "
                f"entry 0 and {list(other.shape)} at entry {i}"
            )
    return k.stack(tensors, axis=one(len(shape) + 1, dim))


stack.grad(tensors=lambda k, g, dim: k.unbind(g, dim))


@stack.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, 2, -1, -2, -3]:
        yield Sample([make(2, 3), make(2, 3)], dim)
    yield Sample([make(), make(), make()])
    yield Sample([make(0), make(0)], 1)
    yield Sample([make.strided(2, 3), make.expanded(2, 3)], dim=1)
    x = make(3)
    yield Sample((x, x), -1)


def concat(tensors: Sequence[Tensor], dim: int = 0, *, out: Any = None) -> Tensor:
    """`cat` by another name."""
    return cat(tensors, dim, out=out)


def concatenate(
    tensors: Sequence[Tensor], dim: int = 0, *, axis: int | None = None, out: Any = None
) -> Tensor:
    """`cat` by NumPy's name."""
    return cat(tensors, dim if axis is None else axis, out=out)


def hstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined side by side: along dimension 1, or 0 where that is the only one."""
    parts = atleast_1d(list(tensors))
    return cat(parts, 0 if parts and parts[0]._a.ndim == 1 else 1, out=out)


def vstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined below each other, vectors as rows."""
    return cat(atleast_2d(list(tensors)), 0, out=out)


def dstack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined along the third dimension."""
    return cat(atleast_3d(list(tensors)), 2, out=out)


def column_stack(tensors: Sequence[Tensor], *, out: Any = None) -> Tensor:
    """Tensors joined side by side, vectors as columns."""
    parts = [t if t._a.ndim > 1 else reshape(t, -1, 1) for t in tensors]
    return cat(parts, 1, out=out)


def _each(function: Any, tensors: Any) -> Any:
    """`function` of one tensor, or of each of several."""
    if len(tensors) == 1:
        if not isinstance(tensors[0], (list, tuple)):
            return function(tensors[0])
        tensors = tensors[0]
    return tuple(function(t) for t in tensors)


def atleast_1d(*tensors: Any) -> Any:
    """A tensor, or several, with at least one dimension."""
    return _each(lambda t: t if t._a.ndim else reshape(t, 1), tensors)


def atleast_2d(*tensors: Any) -> Any:
    """A tensor, or several, with at least two dimensions; a vector becomes a row."""

    def grown(t: Tensor) -> Tensor:
        n = t._a.ndim
        return t if n >= 2 else unsqueeze(t, 0) if n else reshape(t, 1, 1)

    return _each(grown, tensors)


def atleast_3d(*tensors: Any) -> Any:
    """A tensor, or several, with at least three dimensions, the last ones added."""

    def grown(t: Tensor) -> Tensor:
        n = t._a.ndim
        if n >= 3:
            return t
        if n == 2:
            return unsqueeze(t, -1)
        return reshape(t, 1, -1, 1) if n else reshape(t, 1, 1, 1)

    return _each(grown, tensors)


# --- Cutting --------------------------------------------------------------------------


@op(view=True, multiple="tuple")
def unbind(k: Kernels, x: Tensor, dim: int = 0) -> Sequence[Tensor]:
    """All positions along a dimension, which goes away.

    >>> import plugrad
    >>> plugrad.tensor([[1, 2], [3, 4]]).unbind()
    (tensor([1, 2]), tensor([3, 4]))
    """
    if not x.ndim:
        raise IndexError("unbind: a tensor without dimensions cannot be cut")
    before = (slice(None),) * one(x.ndim, dim)
    return [k.getitem(x, (*before, i)) for i in range(x.shape[len(before)])]


def _joined(k: Any, g: Any, x_shape: Any, dim: int) -> Any:
    """The gradients of all positions together; missing ones are zeros."""
    if not g:
        return None
    known = next(each for each in g if each is not None)
    return k.stack(
        [k.zeros_like(known) if each is None else each for each in g],
        axis=one(len(x_shape), dim),
    )


unbind.grad(x=lambda k, g, x_shape, dim: _joined(k, g, x_shape, dim))


@unbind.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, 2, -1, -2, -3]:
        yield Sample(make(2, 3, 2), dim)
    yield Sample(make(3))
    yield Sample(make(1), -1)
    yield Sample(make(2, 0))
    yield Sample(make.strided(2, 3), dim=1)


@op(view=True, multiple="tuple")
def split_with_sizes(
    k: Kernels, x: Tensor, split_sizes: Sequence[int], dim: int = 0
) -> Sequence[Tensor]:
    """Parts of given sizes along a dimension."""
    if not x.ndim:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    at = one(x.ndim, dim)
    total = 0
    for n in split_sizes:
        total += n
    if total != x.shape[at] or any(n < 0 for n in split_sizes):
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {x.shape[at]} "
            f"(input tensor's size at dimension {dim}), but got split_sizes="
            f"{list(split_sizes)}"
        )
    parts: list[Any] = []
    start = 0
    for n in split_sizes:
        parts.append(k.getitem(x, (slice(None),) * at + (slice(start, start + n),)))
        start += n
    return parts


def _rejoined(k: Any, g: Any, x_shape: Any, sizes: Any, dim: int) -> Any:
    """The gradients of all parts together; missing ones are zeros."""
    if not g:
        return None
    at = one(len(x_shape), dim)
    known = next(each for each in g if each is not None)
    parts = [
        k.zeros((*x_shape[:at], n, *x_shape[at + 1 :]), dtype=known.dtype)
        if each is None
        else each
        for each, n in zip(g, sizes)
    ]
    return k.concat(parts, axis=at)


split_with_sizes.grad(
    x=lambda k, g, x_shape, split_sizes, dim: _rejoined(k, g, x_shape, split_sizes, dim)
)


@split_with_sizes.samples
def _(make: Any) -> Iterator[Sample]:
    for sizes in [[4], [1, 3], (2, 2), [0, 4], [1, 1, 1, 1], [4, 0, 0]]:
        yield Sample(make(4), sizes)
    yield Sample(make(2, 3), [1, 2], 1)
    yield Sample(make(2, 3), [1, 2], -1)
    yield Sample(make(0, 2), [0, 0])
    yield Sample(make.strided(2, 3), [2, 1], dim=1)


def split(
    tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> Sequence[Tensor]:
    """Parts of one size (the last may be smaller), or of given sizes."""
    if not isinstance(split_size_or_sections, int):
        return split_with_sizes(tensor, tuple(split_size_or_sections), dim)
    step = split_size_or_sections
    n = _length(tensor, dim, "split")
    if step < 0:
        raise RuntimeError(
            f"split expects split_size be non-negative, but got split_size={step}"
        )
    if not step and n:
        raise RuntimeError(
            "split_size can only be 0 if dimension size is 0, but got dimension size "
            f"of {n}"
        )
    sizes = [step] * (n // step) if step else [0]
    if step and (n % step or not n):
        sizes.append(n % step)
    return split_with_sizes(tensor, sizes, dim)


def _length(x: Tensor, dim: int, name: str) -> int:
    """The size of a dimension that is to be cut."""
    if not x._a.ndim:
        raise RuntimeError(f"{name} expects at least a 1-dimensional tensor")
    return x._a.shape[one(x._a.ndim, dim)]


def chunk(input: Tensor, chunks: int, dim: int = 0) -> Sequence[Tensor]:
    """At most `chunks` parts of one size, the last perhaps smaller."""
    n = _length(input, dim, "chunk")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    if not n:
        return split_with_sizes(input, [0] * chunks, dim)
    return split(input, -(-n // chunks), dim)


def tensor_split(
    input: Tensor, indices_or_sections: int | Sequence[int] | Tensor, dim: int = 0
) -> Sequence[Tensor]:
    """Parts that differ by one at most, or parts cut at given positions."""
    n = _length(input, dim, "tensor_split")
    if hasattr(indices_or_sections, "tolist"):
        indices_or_sections = indices_or_sections.tolist()  # type: ignore[union-attr]
    cuts: Any = indices_or_sections
    if isinstance(cuts, int):
        if cuts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
        sizes = [n // cuts + (i < n % cuts) for i in range(cuts)]
        return split_with_sizes(input, sizes, dim)
    from .shape import along

    at = one(input._a.ndim, dim)
    ends = zip((0, *cuts), (*cuts, n))
    return tuple(along(input, at, slice(start, end)) for start, end in ends)


def hsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Sequence[Tensor]:
    """`tensor_split` along dimension 1, or 0 where that is the only one."""
    if input._a.ndim < 1:
        raise RuntimeError("hsplit requires a tensor with at least 1 dimension")
    return _even(input, indices_or_sections, min(input._a.ndim - 1, 1), "hsplit")


def vsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Sequence[Tensor]:
    """`tensor_split` along dimension 0."""
    if input._a.ndim < 2:
        raise RuntimeError("vsplit requires a tensor with at least 2 dimensions")
    return _even(input, indices_or_sections, 0, "vsplit")


def dsplit(input: Tensor, indices_or_sections: int | Sequence[int]) -> Sequence[Tensor]:
    """`tensor_split` along dimension 2."""
    if input._a.ndim < 3:
        raise RuntimeError("dsplit requires a tensor with at least 3 dimensions")
    return _even(input, indices_or_sections, 2, "dsplit")


def _even(x: Tensor, sections: Any, dim: int, name: str) -> Sequence[Tensor]:
    """`tensor_split` into parts that must all be equal."""
    n = x._a.shape[dim]
    if isinstance(sections, int) and (sections <= 0 or n % sections):
        raise RuntimeError(
            f"{name} attempted to split along dimension {dim}, but the size of the "
            f"dimension {n} is not divisible by the split_size {sections}!"
        )
    return tensor_split(x, sections, dim)


# --- Repeating ------------------------------------------------------------------------


@op
def repeat(k: Kernels, x: Tensor, *repeats: int) -> Tensor:
    """The tensor laid side by side with itself along each dimension."""
    check_repeats(x.ndim, repeats)
    return k.tile(x, repeats)


def check_repeats(ndim: int, repeats: Sequence[int]) -> None:
    """Raise where `repeat` cannot be."""
    if len(repeats) < ndim:
        raise RuntimeError(
            "Number of dimensions of repeat dims can not be smaller than number of "
            "dimensions of tensor"
        )
    if any(n < 0 for n in repeats):
        raise RuntimeError(
            f"Trying to create tensor with negative dimension: repeats {list(repeats)}"
        )


def _folded(k: Any, g: Any, x_shape: Any, repeats: Any) -> Any:
    """The sum over all repetitions."""
    if 0 in repeats:
        return k.zeros(x_shape, dtype=g.dtype)
    padded = (1,) * (len(repeats) - len(x_shape)) + tuple(x_shape)
    pairs = [n for pair in zip(repeats, padded) for n in pair]
    g = k.sum(k.reshape(g, tuple(pairs)), axis=tuple(range(0, len(pairs), 2)))
    return k.reshape(g, x_shape)


repeat.grad(x=lambda k, g, x_shape, repeats: _folded(k, g, x_shape, repeats))


@repeat.samples
def _(make: Any) -> Iterator[Sample]:
    for repeats in [(1, 1), (2, 3), (2, 1, 2), (0, 2), (1, 1, 1, 3)]:
        yield Sample(make(2, 3), *repeats)
    yield Sample(make(2), (2, 2))
    yield Sample(make(), 3)
    yield Sample(make(), ())
    yield Sample(make(0), 2)
    yield Sample(make.strided(2, 3), 2, 2)


def tile(input: Tensor, *dims: Any) -> Tensor:
    """`repeat`, which takes fewer dimensions than the tensor has, too."""
    sizes = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return repeat(input, (1,) * (input._a.ndim - len(sizes)) + tuple(sizes))


def repeat_interleave(
    input: Tensor,
    repeats: int | Tensor | None = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Each position repeated, as often as all others or as `repeats` says for it."""
    from ..tensor import Tensor, wrap
    from .picking import index_select

    if repeats is None:
        k, counts = input._k, [int(n) for n in input.tolist()]
        places = [i for i, n in enumerate(counts) for _ in range(n)]
        return wrap(k, k.from_data(places, k.native(input.dtype)))
    if dim is None:
        input, dim = reshape(input, -1), 0
    at = one(input._a.ndim, dim)
    counts = repeats.tolist() if isinstance(repeats, Tensor) else repeats
    if isinstance(counts, list) and len(counts) == 1:
        counts = counts[0]
    if isinstance(counts, int):
        if counts < 0:
            raise RuntimeError("Repeats must be non-negative")
        shape = tuple(input._a.shape)
        grown = (*shape[: at + 1], counts, *shape[at + 1 :])
        joined = (*shape[:at], shape[at] * counts, *shape[at + 1 :])
        return reshape(expand(unsqueeze(input, at + 1), grown), joined)
    if len(counts) != input._a.shape[at]:
        raise RuntimeError(
            "repeats must have the same size as input along dim, but got "
            f"repeats.size(0) = {len(counts)} and input.size({at}) = "
            f"{input._a.shape[at]}"
        )
    if any(n < 0 for n in counts):
        raise RuntimeError("repeats can not be negative")
    k = input._k
    places = [i for i, n in enumerate(counts) for _ in range(n)]
    from ..dtypes import int64

    return index_select(input, at, wrap(k, k.from_data(places, k.native(int64))))


def broadcast_tensors(*tensors: Tensor) -> Sequence[Tensor]:
    """Tensors expanded to the one shape they broadcast to."""
    from ..errors import mismatch

    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    shape: tuple[int, ...] = ()
    for each in tensors:
        other = each._a.shape
        reason = mismatch(shape, other)
        if reason:
            raise RuntimeError(reason)
        n = max(len(shape), len(other))
        a = (1,) * (n - len(shape)) + tuple(shape)
        b = (1,) * (n - len(other)) + tuple(other)
        shape = tuple(j if i == 1 else i for i, j in zip(a, b))
    return tuple(expand(each, shape) for each in tensors)


def meshgrid(*tensors: Any, indexing: str = "ij") -> Sequence[Tensor]:
    """The coordinates of a grid, from one vector for each dimension."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in ("ij", "xy"):
        raise RuntimeError(
            "meshgrid: indexing must be one of 'xy' or 'ij', but received: "
            f"{indexing!r}"
        )
    for each in tensors:
        if each._a.ndim > 1:
            raise RuntimeError(
                "meshgrid: expected 0D or 1D tensors, but got one of shape "
                f"{list(each._a.shape)}"
            )
    swap = indexing == "xy" and len(tensors) > 1
    order = (1, 0, *range(2, len(tensors))) if swap else range(len(tensors))
    shape = tuple(size_of(tensors[i]._a.shape) for i in order)
    found: list[Tensor] = []
    for i, each in enumerate(tensors):
        ones = [1] * len(tensors)
        ones[order[i]] = -1
        found.append(expand(reshape(each, ones), shape))
    return tuple(found)


# --- Turning around -------------------------------------------------------------------


@op(method=False)
def flip_(k: Kernels, x: Tensor, dims: Sequence[int]) -> Tensor:
    """A copy in which some dimensions run backwards."""
    found = dim_indices(dims, x.ndim)
    return k.flip(x, axis=found) if found and x.ndim else k.copy(x)


flip_.grad(x=lambda k, g, dims: k.flip(g, axis=dims) if g.ndim else g)


@flip_.samples
def _(make: Any) -> Iterator[Sample]:
    for dims in [(0,), (1,), (-1,), (0, 1), (0, -1), (2, 0)]:
        yield Sample(make(2, 3, 2), dims)
    yield Sample(make(2, 3), ())
    yield Sample(make(2, 3), [0])
    yield Sample(make(0, 3), (1,))
    yield Sample(make.strided(2, 3), (0,))


def flip(input: Tensor, *sizes: Any, dims: Dims | None = None) -> Tensor:
    """A copy in which some dimensions run backwards.

    >>> import plugrad
    >>> plugrad.flip(plugrad.tensor([1, 2, 3]), dims=(0,))
    tensor([3, 2, 1])
    """
    if dims is None:
        dims = sizes if not sizes or isinstance(sizes[0], int) else sizes[0]
    return flip_(input, (dims,) if isinstance(dims, int) else tuple(dims))


def fliplr(input: Tensor) -> Tensor:
    """A copy with the order of columns reversed."""
    if input._a.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """A copy with the order of rows reversed."""
    if input._a.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@op
def roll(k: Kernels, x: Tensor, shifts: Dims, dims: Dims = ()) -> Tensor:
    """A copy shifted along dimensions; what falls off the end comes in again."""
    if dims in ((), [], None):
        many = (shifts,) if isinstance(shifts, int) else shifts
        if len(many) != 1:
            raise RuntimeError(
                f"shifts and dimensions must align. shifts: {len(many)}, dims:0"
            )
        return k.roll(x, int(many[0]), axis=None)
    shifts, dims = _aligned(shifts, dims)
    axes = tuple(one(x.ndim, d) for d in dims)
    return k.roll(x, shifts, axis=axes) if x.ndim else k.copy(x)


def _aligned(shifts: Dims, dims: Dims) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Shifts and dimensions, one for each."""
    many = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    axes = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(many) != len(axes):
        raise RuntimeError(
            f"shifts and dimensions must align. shifts: {len(many)}, dims:{len(axes)}"
        )
    return many, axes


def _rolled_back(k: Any, g: Any, shifts: Any, dims: Any) -> Any:
    back = -shifts if isinstance(shifts, int) else tuple(-n for n in shifts)
    if dims in ((), [], None):
        return k.roll(g, back if isinstance(back, int) else back[0])
    back, axes = _aligned(back, dims)
    return k.roll(g, back, axis=axes) if g.ndim else g


roll.grad(x=lambda k, g, shifts, dims: _rolled_back(k, g, shifts, dims))


@roll.samples
def _(make: Any) -> Iterator[Sample]:
    for shifts, dims in [(1, 0), (-1, 1), (5, -1), ((1, 2), (0, 1)), ((1, 1), (1, 1))]:
        yield Sample(make(2, 3), shifts, dims)
    yield Sample(make(2, 3), 1)
    yield Sample(make(2, 3), (2,))
    yield Sample(make(), 1)
    yield Sample(make(0, 2), 1, 0)
    yield Sample(make.strided(2, 3), shifts=1, dims=1)


def rot90(input: Tensor, k: int = 1, dims: Sequence[int] = (0, 1)) -> Tensor:
    """A copy turned by k quarters in the plane of two dimensions."""
    n = input._a.ndim
    if len(dims) != 2:
        raise RuntimeError(
            f"expected total rotation dims == 2, but got dims = {len(dims)}"
        )
    if n < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {n}")
    a, b = (one(n, d) for d in dims)
    if a == b:
        raise RuntimeError(f"expected rotation dims to be different, but got {dims}")
    order = list(range(n))
    order[a], order[b] = b, a
    if k % 4 == 0:
        from .shape import clone

        return clone(input)
    if k % 4 == 2:
        return flip(input, a, b)
    return permute(flip(input, b if k % 4 == 1 else a), tuple(order))


METHODS = [
    chunk,
    dsplit,
    flip,
    fliplr,
    flipud,
    hsplit,
    repeat_interleave,
    rot90,
    split,
    tensor_split,
    tile,
    vsplit,
]
