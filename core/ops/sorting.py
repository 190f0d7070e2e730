"""Order: sorting, the largest elements, places in a sorted sequence, membership.

As in PyTorch, NaN counts as larger than every number.
"""

from __future__ import annotations

from ..declare import Sample, op
from ..tensor import Tensor, wrap
from .dims import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels

    Number = bool | int | float | complex

__all__ = [
    "argsort",
    "bucketize",
    "isin",
    "kthvalue",
    "msort",
    "searchsorted",
    "sort",
    "topk",
]


def no_complex(name: str, k: Any, x: Any) -> None:
    """Raise for numbers that have no order."""
    if k.isdtype(x.dtype, "complex floating"):
        raise RuntimeError(f"{name} does not support complex dtypes")


def _picked_back(k: Any, g: Any, x_shape: Any, dim: int, indices: Any) -> Any:
    return k.scatter_add(k.zeros(tuple(x_shape), dtype=g.dtype), dim, indices, g)


@op(method=False, outputs=("values", "indices"))
def sort_(
    k: Kernels, x: Tensor, dim: int = -1, descending: bool = False, stable: bool = False
) -> Any:
    """The elements in order along a dimension, and where they were."""
    at = one(x.ndim, dim)
    no_complex("sort", k, x)
    if not x.ndim:
        return k.copy(x), k.zeros((), dtype=k.int64)
    if 0 in x.shape:
        return k.copy(x), k.zeros(x.shape, dtype=k.int64)
    keys = k.astype(x, k.uint8) if k.isdtype(x.dtype, "bool") else x
    order = k.argsort(keys, axis=at, descending=descending, stable=True)
    order = k.astype(order, k.int64)
    return k.take_along_axis(x, order, axis=at), order


sort_.grad(
    x=lambda k, g, x_shape, dim, indices: _picked_back(k, g, x_shape, dim, indices)
)


@sort_.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, 2, -1, -2, -3]:
        yield Sample(make(2, 3, 4), dim)
    yield Sample(make(5), -1, True)
    yield Sample(make(), 0)
    yield Sample(make(0))
    yield Sample(make(2, 0), 0, True)
    yield Sample(make.strided(3, 4), 0, True)


def sort(
    input: Tensor,
    dim: int = -1,
    descending: bool = False,
    stable: bool = False,
    *,
    axis: int | None = None,
    out: Any = None,
) -> Any:
    """The elements in order along a dimension, and where they were.

    >>> import plugrad
    >>> plugrad.sort(plugrad.tensor([3, 1, 2])).indices
    tensor([1, 2, 0])
    """
    dim = dim if axis is None else axis
    return sort_(input, dim, bool(descending), bool(stable), out=out)  # type: ignore


def argsort(
    input: Tensor, dim: int = -1, descending: bool = False, stable: bool = False
) -> Tensor:
    """The positions of the elements in order along a dimension.

    >>> import plugrad
    >>> plugrad.argsort(plugrad.tensor([30, 10, 20]))
    tensor([1, 2, 0])
    """
    from ..autograd import no_grad

    with no_grad():
        return sort_(input, dim, bool(descending), bool(stable)).indices


def msort(input: Tensor, *, out: Any = None) -> Tensor:
    """The elements in order along the first dimension.

    >>> import plugrad
    >>> plugrad.msort(plugrad.tensor([[3, 1], [2, 4]]))
    tensor([[2, 1],
            [3, 4]])
    """
    return sort_(input, 0).values


@op(outputs=("values", "indices"))
def topk(
    kernels: Kernels,
    x: Tensor,
    k: int,
    dim: int = -1,
    largest: bool = True,
    sorted: bool = True,
) -> Any:
    """The k largest (or smallest) elements along a dimension, and where they were.

    >>> import plugrad
    >>> values, indices = plugrad.topk(plugrad.tensor([30, 10, 20]), 2)
    >>> values, indices
    (tensor([30, 20]), tensor([0, 2]))
    """
    at = one(x.ndim, dim)
    if not 0 <= k <= (x.shape[at] if x.ndim else 1):
        raise RuntimeError(f"selected index k out of range: {k} of {list(x.shape)}")
    values, indices = kernels.sort_both(x, at, largest)
    if x.ndim:
        part = (slice(None),) * at + (slice(0, k),)
        values, indices = kernels.getitem(values, part), kernels.getitem(indices, part)
    return kernels.copy(values), kernels.copy(indices)


topk.grad(
    x=lambda k, g, x_shape, dim, indices: _picked_back(k, g, x_shape, dim, indices)
)


@topk.samples
def _(make: Any) -> Iterator[Sample]:
    for k, dim in [(1, 0), (2, 1), (3, -1), (0, 1), (2, -2)]:
        yield Sample(make(2, 3), k, dim)
    yield Sample(make(5), 2)
    yield Sample(make(5), 2, largest=False)
    yield Sample(make(), 1)
    yield Sample(make(0), 0)
    yield Sample(make.strided(3, 4), 2, 0)


@op(outputs=("values", "indices"))
def kthvalue(
    kernels: Kernels, x: Tensor, k: int, dim: int = -1, keepdim: bool = False
) -> Any:
    """The k-th smallest element along a dimension, and where it was.

    >>> import plugrad
    >>> values, indices = plugrad.kthvalue(plugrad.tensor([30, 10, 20]), 2)
    >>> values, indices
    (tensor(20), tensor(2))
    """
    at = one(x.ndim, dim)
    if not 1 <= k <= (x.shape[at] if x.ndim else 1):
        raise RuntimeError(
            f"kthvalue(): selected number k out of range for dimension {at}"
        )
    values, indices = kernels.sort_both(x, at, False)
    if x.ndim:
        place = slice(k - 1, k) if keepdim else k - 1
        part = (slice(None),) * at + (place,)
        values, indices = kernels.getitem(values, part), kernels.getitem(indices, part)
    return kernels.copy(values), kernels.copy(indices)


def _one_back(
    k: Any, g: Any, x_shape: Any, dim: int, keepdim: bool, indices: Any
) -> Any:
    if x_shape and not keepdim:
        at = one(len(x_shape), dim)
        g, indices = k.expand_dims(g, axis=at), k.expand_dims(indices, axis=at)
    return _picked_back(k, g, x_shape, dim, indices)


kthvalue.grad(
    x=lambda k, g, x_shape, dim, keepdim, indices: _one_back(
        k, g, x_shape, dim, keepdim, indices
    )
)


@kthvalue.samples
def _(make: Any) -> Iterator[Sample]:
    for k, dim in [(1, 0), (2, 0), (2, 1), (3, -1), (2, -2)]:
        yield Sample(make(2, 3), k, dim)
        yield Sample(make(2, 3), k, dim, True)
    yield Sample(make(5), 2)
    yield Sample(make(), 1)
    yield Sample(make.strided(3, 4), 2, 0)


@op(
    method=False,
    oracle=None,
    outputs=("values", "indices"),
    no_grad_reason="a step of ops that have rules",
)
def sort_both(k: Kernels, x: Tensor, dim: int, descending: bool) -> Any:
    """Sorted values and their positions, for the ops that take a part of them."""
    return k.kernel("sort")(x, dim, descending, True)


@sort_both.samples
def _(make: Any) -> Iterator[Sample]:
    for descending in (False, True):
        for shape in [(), (0,), (1,), (5,), (4, 3)]:
            yield Sample(make(*shape), 0, descending)


# --- Places in a sorted sequence ------------------------------------------------------


@op(method=False, oracle=None)
def find_sorted(
    k: Kernels, sequence: Tensor, values: Tensor, right: bool = False
) -> Tensor:
    """Where values would go in a sequence sorted along its last dimension."""
    if sequence.ndim == 1:
        sequence = k.reshape(sequence, (1,) * values.ndim + (-1,))
        wanted = k.expand_dims(values, axis=-1)
    else:
        sequence = k.expand_dims(sequence, axis=-2)
        wanted = k.expand_dims(values, axis=-1)
    after = sequence > wanted if right else sequence >= wanted
    return k.sum(k.astype(~after, k.int64), axis=-1)


@find_sorted.samples
def _(make: Any) -> Iterator[Sample]:
    for right in (False, True):
        for shape in [(), (0,), (1,), (5,), (2, 3)]:
            yield Sample(make.integers(3, low=1, high=2), make.integers(*shape), right)


def searchsorted(
    sorted_sequence: Tensor,
    input: Tensor | Number,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:
    """Where values would go in a sequence sorted along its last dimension, so that it
    stays sorted: before equal elements, or after them with `right=True`.

    >>> import plugrad
    >>> plugrad.searchsorted(plugrad.tensor([1, 3, 5]), plugrad.tensor([3, 9]))
    tensor([1, 3])
    """
    from ..dtypes import int32
    from ..interface import OPS
    from .picking import gather

    if side not in (None, "left", "right"):
        raise RuntimeError(f"side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(
            "side and right can't be set to opposites, got side of left while right "
            "was True"
        )
    k = sorted_sequence._k
    values = input
    if not isinstance(values, Tensor):
        values = wrap(k, k.from_data(values, None))
    if sorter is not None:
        if tuple(sorter._a.shape) != tuple(sorted_sequence._a.shape):
            raise RuntimeError(
                "boundary and sorter must have the same size, but got boundary tensor "
                f"{list(sorted_sequence._a.shape)} and got sorter tensor "
                f"{list(sorter._a.shape)}"
            )
        sorted_sequence = gather(sorted_sequence, -1, sorter)
    batch, other = sorted_sequence._a.shape[:-1], values._a.shape[:-1]
    if not sorted_sequence._a.ndim:
        raise RuntimeError(
            "boundaries tensor should have positive dimension, but got 0 dimension"
        )
    if batch and tuple(batch) != tuple(other):
        raise RuntimeError(
            "boundaries tensor should be 1 dimension or the first N-1 dimensions of "
            f"boundaries tensor and input value tensor must match, but we got "
            f"boundaries tensor {list(sorted_sequence._a.shape)} and input value "
            f"tensor {list(values._a.shape)}"
        )
    found = find_sorted(sorted_sequence, values, right or side == "right")
    return OPS["to_dtype"].function(found, int32) if out_int32 else found


def bucketize(
    input: Tensor | Number,
    boundaries: Tensor,
    *,
    out_int32: bool = False,
    right: bool = False,
) -> Tensor:
    """The number of the bucket, between sorted boundaries, that each value is in.

    >>> import plugrad
    >>> boundaries = plugrad.tensor([1, 3, 5])
    >>> plugrad.bucketize(plugrad.tensor([0, 3, 9]), boundaries)
    tensor([0, 1, 3])
    >>> plugrad.bucketize(plugrad.tensor([0, 3, 9]), boundaries, right=True)
    tensor([0, 2, 3])
    """
    if boundaries._a.ndim != 1:
        raise RuntimeError(
            f"boundaries tensor must be 1 dimension, but got dim({boundaries._a.ndim})"
        )
    return searchsorted(boundaries, input, out_int32=out_int32, right=right)


# --- Membership and classes -----------------------------------------------------------


@op(method=False)
def isin_(k: Kernels, elements: Tensor, test_elements: Tensor) -> Tensor:
    """Which elements occur in another tensor."""
    tests = k.reshape(test_elements, (-1,))
    return k.any(k.expand_dims(elements, axis=-1) == tests, axis=-1)


@isin_.samples
def _(make: Any) -> Iterator[Sample]:
    for shape, other in [((), ()), ((3,), ()), ((), (3,)), ((0,), (2,)), ((2,), (0,))]:
        yield Sample(make.integers(*shape, high=4), make.integers(*other, high=4))
    for shape in [(1,), (4,), (2, 3), (2, 2, 2), (1, 1)]:
        yield Sample(make.integers(*shape, high=4), make.integers(*shape, high=4))


def isin(
    elements: Tensor | Number,
    test_elements: Tensor | Number,
    *,
    assume_unique: bool = False,
    invert: bool = False,
) -> Tensor:
    """Which elements occur in another tensor, or with `invert` do not.

    >>> import plugrad
    >>> plugrad.isin(plugrad.tensor([1, 2, 3]), plugrad.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    from ..interface import OPS

    given = [elements, test_elements]
    known = next((each for each in given if isinstance(each, Tensor)), None)
    if known is None:
        raise ValueError("isin(): one of elements and test_elements must be a Tensor")
    k = known._k
    a, b = (
        each if isinstance(each, Tensor) else wrap(k, k.from_data(each, None))
        for each in given
    )
    found = isin_(a, b)
    return OPS["logical_not"].function(found) if invert else found


METHODS = [argsort, msort, sort]
