"""Picking from several dimensions by index tensors, and putting where those say."""

from __future__ import annotations

from ..declare import Sample, op
from ..tensor import Tensor
from .indexing import expand_masks, settled, split_index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels


__all__ = [
    "index_put",
]


@op(method=False, oracle=None)
def index_(k: Kernels, x: Tensor, indices: Sequence[Tensor]) -> Tensor:
    """The elements whose positions along some dimensions the indices give."""
    flat, shape = positions(k, x.shape, indices)
    return k.reshape(k.take(k.reshape(x, (-1,)), flat, axis=0), shape)


index_.grad(
    x=lambda k, g, x_shape, indices: k.index_put(
        k.zeros(x_shape, dtype=g.dtype), indices, g, True
    )
)


def positions(
    k: Any, shape: Sequence[int], indices: Sequence[Any]
) -> tuple[Any, tuple[int, ...]]:
    """Where the picked elements lie in row-major order, as a flat array, and the shape
    of the result."""
    given = [i for i, each in enumerate(indices) if each is not None]
    start = given[0] if given == list(range(given[0], given[-1] + 1)) else 0
    picked = common_shape([indices[i].shape for i in given])
    rest = [i for i in range(len(shape)) if i not in given]
    before = [i for i in rest if i < start]
    after = rest[len(before) :]
    out = (
        *(shape[i] for i in before),
        *picked,
        *(shape[i] for i in after),
    )
    where: Any = None
    for dim, n in enumerate(shape):
        if dim in given:
            each = k.astype(indices[dim], k.int64)
            check_range(k, each, dim, n)
            each = k.where(each < 0, each + n, each)
            tail = len(after)
        else:
            each = k.arange(n, dtype=k.int64)
            tail = len(rest) - 1 - rest.index(dim)
            tail += len(picked) if dim in before else 0
        step = 1
        for size in shape[dim + 1 :]:
            step *= size
        each = k.reshape(each * step, tuple(each.shape) + (1,) * tail)
        where = each if where is None else where + each
    return k.reshape(k.broadcast_to(where, out), (-1,)), out


def common_shape(shapes: Sequence[Any]) -> tuple[int, ...]:
    """The shape that index tensors broadcast to."""
    n = max(len(shape) for shape in shapes)
    found = [1] * n
    for shape in shapes:
        for i, size in enumerate(shape, n - len(shape)):
            if size != 1 and found[i] not in (1, size):
                raise IndexError(
                    "shape mismatch: indexing tensors could not be broadcast together "
                    f"with shapes {', '.join(str(list(s)) for s in shapes)}"
                )
            found[i] = size if found[i] == 1 else found[i]
    return tuple(found)


def check_range(k: Any, each: Any, dim: int, n: int) -> None:
    """Raise if a position is not in a dimension of size n."""
    if 0 not in each.shape and not k.holds((each >= -n) & (each < n)):
        low, high = int(k.min(each)), int(k.max(each))
        raise IndexError(
            f"index {high if high >= n else low} is out of bounds for dimension {dim} "
            f"with size {n}"
        )


@index_.samples
def _(make: Any) -> Iterator[Sample]:
    i, j = make.integers(3, low=-2, high=2), make.integers(2, 1, low=-3, high=3)
    yield Sample(make(2, 3), [i])
    yield Sample(make(2, 3), [None, j])
    yield Sample(make(2, 3), [i, j])
    yield Sample(make(2, 4, 3), [i, None, j])
    yield Sample(make(4, 2, 3), [None, i, j])
    yield Sample(make(4, 2, 3, 2), [None, i, j, None])
    yield Sample(make(4, 2, 3, 2), [None, i, None, i])
    yield Sample(make(2), [make.integers(0)])
    yield Sample(make.strided(2, 3), [i])
    yield Sample(make.expanded(2, 3), [i, i])


@op(method=False)
def index_put_(
    k: Kernels,
    x: Tensor,
    indices: Sequence[Tensor],
    values: Tensor,
    accumulate: bool = False,
) -> Tensor:
    """`x` with the values put, or added, at the positions that the indices give."""
    flat, shape = positions(k, x.shape, indices)
    values = k.reshape(k.broadcast_to(trimmed(k, values, shape), shape), (-1,))
    y = k.put_flat(k.reshape(x, (-1,)), flat, values, accumulate)
    return k.reshape(y, x.shape)


def trimmed(k: Any, values: Any, shape: Sequence[int]) -> Any:
    """`values` without the leading dimensions of size 1 that `shape` does not have."""
    extra = values.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in values.shape[:extra]):
        return k.reshape(values, values.shape[extra:])
    return values


def _put_values(k: Any, g: Any, indices: Any, values_shape: Any) -> Any:
    from ..graph import sum_to

    g = k.index(g, indices)
    extra = len(values_shape) - g.ndim
    if extra > 0:
        g = k.reshape(g, (1,) * extra + tuple(g.shape))
    return g if tuple(g.shape) == tuple(values_shape) else sum_to(k, g, values_shape)


index_put_.grad(
    x=lambda k, g, indices, values_shape, accumulate: (
        g if accumulate else k.index_put(g, indices, k.zeros((), dtype=g.dtype), False)
    ),
    values=lambda k, g, indices, values_shape: _put_values(k, g, indices, values_shape),
)


@index_put_.samples
def _(make: Any) -> Iterator[Sample]:
    i, j = make.integers(3, low=-2, high=2), make.integers(2, 1, low=-3, high=3)
    for accumulate in (True,):
        yield Sample(make(2, 3), (i,), make(3, 3), accumulate)
        yield Sample(make(2, 3), (i,), make(3), accumulate)
        yield Sample(make(2, 3), (i, j), make(2, 3), accumulate)
        yield Sample(make(2, 3), (i, j), make(), accumulate)
        yield Sample(make.strided(2, 3), (i, i), make(1), accumulate)
        yield Sample(make(2, 3, 2), (i, j), make(2, 1, 2), accumulate)
    once = make.integers(1, low=0, high=2)
    yield Sample(make(2, 3), (once,), make(1, 3))
    yield Sample(make(2, 3), (once, once), make())
    yield Sample(make(2, 3), (make.integers(0),), make(0, 3))
    x = make(1, 3)
    yield Sample(x, (make.integers(1, high=1),), x, True)


def index_put(
    input: Tensor, indices: Sequence[Any], values: Tensor, accumulate: bool = False
) -> Tensor:
    """A copy with values put, or added, where the indices say.

    >>> import plugrad
    >>> where = plugrad.tensor([0, 0, 1])
    >>> ones = plugrad.ones(3)
    >>> plugrad.zeros(3).index_put((where,), ones, accumulate=True)
    tensor([2., 1., 0.])
    """
    if values.dtype is not input.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{input.dtype} for the destination and {values.dtype} for the source."
        )
    basic, picks = split_index(input, tuple(indices))
    if picks is None:
        raise IndexError("index_put: at least one index tensor is needed")
    where: Any = settled(expand_masks(input, picks), input, values)
    return index_put_(input, where, values, accumulate)


def index_put_in_place(
    self: Tensor, indices: Sequence[Any], values: Tensor, accumulate: bool = False
) -> Tensor:
    """`index_put`, written into this tensor."""
    from ..inplace import check_writable, write_result

    check_writable(self)
    write_result(self, index_put(self, indices, values, accumulate), "index_put_")
    return self


index_put_in_place.__name__ = "index_put_"
METHODS = [index_put, index_put_in_place]
