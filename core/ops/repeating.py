"""Tensors repeated, laid on a grid, and turned around."""

from __future__ import annotations

from ..declare import Sample, op
from .axes import permute
from .dims import one
from .shape import dim_indices, expand, reshape, size_of, unsqueeze

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Dims = int | Sequence[int]

__all__ = [
    "broadcast_tensors",
    "flip",
    "fliplr",
    "flipud",
    "meshgrid",
    "repeat_interleave",
    "roll",
    "rot90",
    "tile",
]


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


def tile(input: Tensor, *sizes: Any, dims: Sequence[int] | None = None) -> Tensor:
    """`repeat`, which takes fewer dimensions than the tensor has, too.

    >>> import plugrad
    >>> plugrad.tile(plugrad.tensor([[1, 2], [3, 4]]), (2,))
    tensor([[1, 2, 1, 2],
            [3, 4, 3, 4]])
    """
    if dims is not None:
        sizes = tuple(dims)
    elif len(sizes) == 1 and not isinstance(sizes[0], int):
        sizes = tuple(sizes[0])
    return repeat(input, (1,) * (input._a.ndim - len(sizes)) + tuple(sizes))


def repeat_interleave(
    input: Tensor,
    repeats: int | Tensor | None = None,
    dim: int | None = None,
    *,
    output_size: int | None = None,
) -> Tensor:
    """Each position repeated, as often as all others or as `repeats` says for it.

    >>> import plugrad
    >>> plugrad.repeat_interleave(plugrad.tensor([1, 2]), plugrad.tensor([3, 1]))
    tensor([1, 1, 1, 2])
    """
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
        return reshape(expand(unsqueeze(input, at + 1), *grown), *joined)
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
    """Tensors expanded to the one shape they broadcast to.

    >>> import plugrad
    >>> plugrad.broadcast_tensors(plugrad.tensor([[1], [2]]), plugrad.tensor([3, 4]))
    (tensor([[1, 1],
            [2, 2]]), tensor([[3, 4],
            [3, 4]]))
    """
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
    size: Any = shape
    return tuple(expand(each, size) for each in tensors)


def meshgrid(*tensors: Any, indexing: str = "ij") -> Sequence[Tensor]:
    """The coordinates of a grid, from one vector for each dimension.

    >>> import plugrad
    >>> x, y = plugrad.meshgrid(plugrad.arange(2), plugrad.arange(3), indexing="ij")
    >>> x
    tensor([[0, 0, 0],
            [1, 1, 1]])
    >>> y
    tensor([[0, 1, 2],
            [0, 1, 2]])
    """
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
        found.append(expand(reshape(each, *ones), *shape))
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
    given: Any = dims
    if dims is None:
        given = sizes if not sizes or isinstance(sizes[0], int) else sizes[0]
    return flip_(input, (given,) if isinstance(given, int) else tuple(given))


def fliplr(input: Tensor) -> Tensor:
    """A copy with the order of columns reversed.

    >>> import plugrad
    >>> plugrad.fliplr(plugrad.tensor([[1, 2], [3, 4]]))
    tensor([[2, 1],
            [4, 3]])
    """
    if input._a.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return flip(input, 1)


def flipud(input: Tensor) -> Tensor:
    """A copy with the order of rows reversed.

    >>> import plugrad
    >>> plugrad.flipud(plugrad.tensor([[1, 2], [3, 4]]))
    tensor([[3, 4],
            [1, 2]])
    """
    if input._a.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return flip(input, 0)


@op
def roll(k: Kernels, x: Tensor, shifts: Dims, dims: Dims = ()) -> Tensor:
    """A copy shifted along dimensions; what falls off the end comes in again.

    >>> import plugrad
    >>> plugrad.roll(plugrad.tensor([1, 2, 3, 4]), 1)
    tensor([4, 1, 2, 3])
    """
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
    """A copy turned by k quarters in the plane of two dimensions.

    >>> import plugrad
    >>> plugrad.rot90(plugrad.tensor([[1, 2], [3, 4]]))
    tensor([[2, 4],
            [1, 3]])
    """
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
    return permute(flip(input, b if k % 4 == 1 else a), *order)


METHODS = [flip, fliplr, flipud, repeat_interleave, rot90, tile]
