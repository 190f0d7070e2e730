"""Values put, or added, where index tensors and masks say.

The default bodies turn an index into positions in row-major order and write by one-hot
masks: slow, but in the standard's functions alone. `put_flat` and `combine_flat` are
all that a backend needs to make them fast.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import one
from .picking import (
    check_flat,
    check_vector,
    checked_dim,
    mesh,
    same_dtype,
    together,
)
from .positions import positions
from .shape import clone, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Number = bool | int | float | complex

__all__ = [
    "index_add",
    "index_copy",
    "index_fill",
    "masked_scatter",
    "put",
    "scatter_add",
    "select_scatter",
    "slice_scatter",
]


# --- Writing at flat positions --------------------------------------------------------


@op(method=False, oracle=None, no_grad_reason="a step of ops that have rules")
def put_flat(
    k: Kernels, x: Tensor, flat: Tensor, values: Tensor, accumulate: bool
) -> Tensor:
    """A vector with `values` put, or added, at the positions `flat`."""
    if 0 in flat.shape or 0 in x.shape:
        return k.copy(x)
    places = k.reshape(k.arange(x.shape[0], dtype=k.int64), (-1, 1))
    hit = places == k.reshape(flat, (1, -1))
    if accumulate:
        given = k.where(hit, k.reshape(values, (1, -1)), k.zeros((), dtype=x.dtype))
        if k.isdtype(x.dtype, "bool"):
            return x | k.any(given, axis=1)
        return x + k.sum(given, axis=1, dtype=x.dtype)
    order = k.reshape(k.arange(1, flat.shape[0] + 1, dtype=k.int64), (1, -1))
    last = k.argmax(k.where(hit, order, k.zeros((), dtype=k.int64)), axis=1)
    return k.where(k.any(hit, axis=1), k.take(values, last, axis=0), x)


@put_flat.samples
def _(make: Any) -> Iterator[Sample]:
    for accumulate in (False, True):
        for n, m in [(3, 0), (3, 1), (1, 4), (4, 7), (9, 2)]:
            where = make.integers(m, high=n)
            yield Sample(make(n), where, make(m), accumulate)


@op(method=False, oracle=None, no_grad_reason="a step of ops that have rules")
def combine_flat(
    k: Kernels, x: Tensor, flat: Tensor, values: Tensor, reduce: str
) -> Tensor:
    """A vector with `values` combined into it at the positions `flat`."""
    if k.isdtype(x.dtype, "complex floating") and reduce != "prod":
        raise RuntimeError(f"{reduce} of complex numbers: they have no order")
    if 0 in flat.shape or 0 in x.shape:
        return k.copy(x)
    if k.isdtype(x.dtype, "bool"):
        counted = [k.astype(each, k.uint8) for each in (x, values)]
        found = combine_flat.op.body(k, counted[0], flat, counted[1], reduce)
        return k.astype(found, k.bool)
    places = k.reshape(k.arange(x.shape[0], dtype=k.int64), (-1, 1))
    hit = places == k.reshape(flat, (1, -1))
    given = k.where(hit, k.reshape(values, (1, -1)), k.reshape(x, (-1, 1)))
    if reduce == "amax":
        return k.maximum(x, k.max(given, axis=1))
    if reduce == "amin":
        return k.minimum(x, k.min(given, axis=1))
    ones = k.ones((), dtype=x.dtype)
    return x * k.prod(k.where(hit, given, ones), axis=1, dtype=x.dtype)


@combine_flat.samples
def _(make: Any) -> Iterator[Sample]:
    for reduce in ("amax", "amin", "prod"):
        for n, m in [(3, 0), (3, 1), (1, 4), (4, 7)]:
            yield Sample(make(n), make.integers(m, high=n), make(m), reduce)


# --- Each position its own index ------------------------------------------------------


def _of_source(k: Any, g: Any, dim: int, index: Any, src_shape: Any) -> Any:
    """The gradient of what was scattered; what was not used gets zeros."""
    g = k.gather(g, dim, index)
    if tuple(src_shape) != tuple(index.shape):
        g = k.embed(g, tuple(slice(0, n) for n in index.shape), tuple(src_shape))
    return g


def cropped(k: Any, src: Any, index: Any) -> Any:
    """The part of `src` that has the shape of `index`, as a vector."""
    if tuple(src.shape) != tuple(index.shape):
        src = k.getitem(src, tuple(slice(0, n) for n in index.shape))
    return k.reshape(src, (-1,))


@op(method=False)
def scatter_(
    k: Kernels, x: Tensor, dim: int, index: Tensor, src: Tensor | Number
) -> Tensor:
    """`x` with elements of `src`, or a number, put where `index` says."""
    if isinstance(src, (bool, int, float, complex)):
        at = checked_dim("scatter", k, x, dim, index)
        src = k.broadcast_to(k.make_scalar(src, k.dtype_of(x)), index.shape)
    else:
        at = checked_dim("scatter", k, x, dim, index, src)
        same_dtype("scatter", x, src)
    flat = mesh(k, x.shape, at, index) if x.ndim else k.reshape(index, (-1,))
    if 0 in index.shape:
        return k.copy(x)
    y = k.put_flat(k.reshape(x, (-1,)), flat, cropped(k, src, index), False)
    return k.reshape(y, x.shape)


scatter_.grad(
    x=lambda k, g, dim, index: k.scatter(g, dim, index, 0),
    src=lambda k, g, dim, index, src_shape: _of_source(k, g, dim, index, src_shape),
)


@scatter_.samples
def _(make: Any) -> Iterator[Sample]:
    yield Sample(make(3, 2), 0, make.integers(1, 2, high=3), make(1, 2))
    yield Sample(make(3, 2), 0, make.integers(1, 2, high=3), make(2, 2))
    yield Sample(make(3, 2), 1, make.integers(3, 1, high=2), make(3, 1))
    yield Sample(make(3, 2), -1, make.integers(2, 1, high=2), make(3, 2))
    yield Sample(make(3, 2), 0, make.integers(4, 2, high=3), 1)
    yield Sample(make(3, 2), 1, make.integers(3, 1, high=2), 0)
    yield Sample(make(), 0, make.integers(high=1), make())
    yield Sample(make(3), 0, make.integers(0, high=3), make(0))
    yield Sample(make(3), 0, make.integers(1, high=3), make(3))
    yield Sample(make.strided(3, 2), 0, make.integers(1, 2, high=3), make.strided(2, 2))


@op(inplace=True)
def scatter_add(k: Kernels, x: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """`x` with elements of `src` added where `index` says.

    >>> import plugrad
    >>> index = plugrad.tensor([0, 2, 0])
    >>> plugrad.scatter_add(plugrad.zeros(3), 0, index, plugrad.tensor([1.0, 2.0, 3.0]))
    tensor([4., 0., 2.])
    """
    at = checked_dim("scatter_add", k, x, dim, index, src)
    same_dtype("scatter_add", x, src)
    if 0 in index.shape:
        return k.copy(x)
    flat = mesh(k, x.shape, at, index) if x.ndim else k.reshape(index, (-1,))
    y = k.put_flat(k.reshape(x, (-1,)), flat, cropped(k, src, index), True)
    return k.reshape(y, x.shape)


scatter_add.grad(
    x=lambda k, g: g,
    src=lambda k, g, dim, index, src_shape: _of_source(k, g, dim, index, src_shape),
)


@scatter_add.samples
def _(make: Any) -> Iterator[Sample]:
    yield Sample(make(3, 2), 0, make.integers(1, 2, high=3), make(1, 2))
    yield Sample(make(3, 2), 0, make.integers(5, 2, high=3), make(5, 2))
    yield Sample(make(3, 2), 1, make.integers(3, 4, high=2), make(3, 4))
    yield Sample(make(3, 2), -1, make.integers(2, 3, high=2), make(3, 4))
    yield Sample(make(), 0, make.integers(high=1), make())
    yield Sample(make(3), 0, make.integers(0, high=3), make(0))
    yield Sample(make(3), 0, make.integers(7, high=3), make(7))
    yield Sample(make(2, 3, 2), 1, make.integers(2, 2, 2, high=3), make(2, 2, 2))
    yield Sample(make.strided(3, 2), 0, make.integers(2, 2, high=3), make.strided(2, 2))
    x = make(2, 2)
    yield Sample(x, 0, make.integers(2, 2, high=2), x)


# --- One index for whole slices -------------------------------------------------------


@op(inplace=True)
def index_add(
    k: Kernels,
    x: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    *,
    alpha: Number = 1,
) -> Tensor:
    """`x` with the positions of `source` along `dim` added where `index` says.

    >>> import plugrad
    >>> index, source = plugrad.tensor([0, 0, 2]), plugrad.tensor([1, 2, 3])
    >>> plugrad.index_add(plugrad.zeros(3, dtype=plugrad.int64), 0, index, source)
    tensor([3, 0, 3])
    """
    at = checked_source("index_add", k, x, dim, index, source)
    if alpha != 1:
        source = source * alpha
    return _put_rows(k, x, at, index, source, True)


def checked_source(name: str, k: Any, x: Any, dim: int, index: Any, source: Any) -> int:
    """`dim` from the front, after checks of what `index_add` or the like was given."""
    at = one(x.ndim, dim)
    if x.dtype != source.dtype:
        raise RuntimeError(
            f"{name}_(): self ({x.dtype}) and source ({source.dtype}) must have the "
            "same dtype"
        )
    n = size_of(index.shape)
    if index.ndim <= 1 and n != (source.shape[at] if source.ndim else 1):
        kind = IndexError if name == "index_copy" else RuntimeError
        raise kind(
            f"{name}_(): Number of indices ({n}) should be equal to source.size(dim): "
            f"{list(source.shape)}, for dim: {at}"
        )
    if name == "index_add" and bool(x.ndim) != bool(source.ndim):
        raise RuntimeError(
            f"{name}_(): source shape {list(source.shape)} must match self shape "
            f"{list(x.shape)} but for dimension {at}"
        )
    if x.ndim and source.ndim:
        rest = [(*s.shape[:at], *s.shape[at + 1 :]) for s in (x, source)]
        if rest[0] != rest[1]:
            raise RuntimeError(
                f"{name}_(): source shape {list(source.shape)} must match self shape "
                f"{list(x.shape)} but for dimension {at}"
            )
    check_vector(name, k, x, at, index)
    return at


def _put_rows(
    k: Any, x: Any, at: int, index: Any, source: Any, accumulate: bool
) -> Any:
    """`x` with `source` put or added at positions along the dimension `at`."""
    shape = x.shape or (1,)
    indices = [None] * at + [k.reshape(index, (-1,))] + [None] * (len(shape) - at - 1)
    flat, _ = positions(k, shape, indices)
    values = k.reshape(source, (-1,))
    return k.reshape(k.put_flat(k.reshape(x, (-1,)), flat, values, accumulate), x.shape)


def _rows(k: Any, g: Any, dim: int, index: Any, shape: Any) -> Any:
    return k.reshape(k.index_select(g, dim, k.reshape(index, (-1,))), shape)


index_add.grad(
    x=lambda k, g: g,
    source=lambda k, g, dim, index, source_shape, alpha: (
        _rows(k, g, dim, index, source_shape)
        if alpha == 1
        else _rows(k, g, dim, index, source_shape) * alpha
    ),
)


@op(inplace=True)
def index_copy(
    k: Kernels, x: Tensor, dim: int, index: Tensor, source: Tensor
) -> Tensor:
    """`x` with the positions of `source` along `dim` put where `index` says.

    >>> import plugrad
    >>> index, source = plugrad.tensor([2, 0]), plugrad.tensor([5.0, 6.0])
    >>> plugrad.index_copy(plugrad.zeros(3), 0, index, source)
    tensor([6., 0., 5.])
    """
    at = checked_source("index_copy", k, x, dim, index, source)
    return _put_rows(k, x, at, index, source, False)


index_copy.grad(
    x=lambda k, g, dim, index: k.index_fill(g, dim, index, 0),
    source=lambda k, g, dim, index, source_shape: _rows(k, g, dim, index, source_shape),
)


@index_copy.samples
@index_add.samples
def _(make: Any) -> Iterator[Sample]:
    once = make.integers(1, high=2)
    for dim, shape in [(0, (1, 3)), (1, (2, 1)), (-1, (2, 1)), (-2, (1, 3))]:
        yield Sample(make(2, 3), dim, once, make(*shape))
    yield Sample(make(3), 0, make.integers(1, high=3), make(1))
    yield Sample(make(3), 0, make.integers(high=3), make())
    yield Sample(make(), 0, make.integers(1, high=1), make())
    yield Sample(make(3, 2), 0, make.integers(0, high=3), make(0, 2))
    yield Sample(make.strided(2, 3), 1, once, make.strided(2, 1))
    x = make(1, 2)
    yield Sample(x, 0, make.integers(1, high=1), x)


@op(inplace=True)
def index_fill(
    k: Kernels, x: Tensor, dim: int, index: Tensor, value: Tensor | Number
) -> Tensor:
    """`x` with a number put at the positions of `index` along `dim`.

    >>> import plugrad
    >>> plugrad.index_fill(plugrad.zeros(2, 3), 1, plugrad.tensor([0, 2]), 7)
    tensor([[7., 0., 7.],
            [7., 0., 7.]])
    """
    at = one(x.ndim, dim)
    check_vector("index_fill", k, x, at, index, low=1)
    if isinstance(value, (bool, int, float, complex)):
        value = k.make_scalar(value, k.dtype_of(x))
    else:
        if value.ndim:
            raise RuntimeError(
                "index_fill_ only supports a 0-dimensional value tensor, but got "
                f"tensor with {value.ndim} dimension(s)."
            )
        value = k.astype(value, x.dtype)
    shape = list(x.shape)
    if shape:
        shape[at] = size_of(index.shape)
    return _put_rows(k, x, at, index, k.broadcast_to(value, tuple(shape)), False)


index_fill.grad(
    x=lambda k, g, dim, index: k.index_fill(g, dim, index, 0),
    value=lambda k, g, dim, index: k.sum(
        k.pick(g, k.reshape(index, (-1,)), one(g.ndim, dim)) if g.ndim else g
    ),
)


@index_fill.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, -1, -2]:
        yield Sample(make(2, 3), dim, make.integers(1, low=-2, high=2), 1)
    yield Sample(make(2, 3), 1, make.integers(1, high=3), make())
    yield Sample(make(3), 0, make.integers(high=3), 2)
    yield Sample(make(), 0, make.integers(1, high=1), make())
    yield Sample(make(3, 2), 0, make.integers(0, high=3), 1)
    yield Sample(make(3, 2), 0, make.integers(7, high=3), 0)
    yield Sample(make.strided(2, 3), 1, make.integers(2, high=3), 1)


# --- The tensor as one long row, and masks --------------------------------------------


@op(inplace=True)
def put(
    k: Kernels, x: Tensor, index: Tensor, source: Tensor, accumulate: bool = False
) -> Tensor:
    """`x` with elements put, or added, at positions counted through the tensor.

    >>> import plugrad
    >>> x = plugrad.tensor([[1, 2], [3, 4]])
    >>> plugrad.put(x, plugrad.tensor([0, -1]), plugrad.tensor([10, 40]))
    tensor([[10,  2],
            [ 3, 40]])
    """
    if x.dtype != source.dtype:
        raise RuntimeError(
            f"put_(): self and source expected to have the same dtype, but got self."
            f"dtype = {x.dtype} and source.dtype = {source.dtype}"
        )
    if size_of(index.shape) != size_of(source.shape):
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, "
            f"but got {list(source.shape)} and {list(index.shape)}"
        )
    n = size_of(x.shape)
    index = k.astype(index, k.int64)
    check_flat(k, index, n)
    places = k.reshape(k.where(index < 0, index + n, index), (-1,))
    values = k.reshape(source, (-1,))
    y = k.put_flat(k.reshape(x, (-1,)), places, values, accumulate)
    return k.reshape(y, x.shape)


put.grad(
    x=lambda k, g, index, source_shape, accumulate: (
        g
        if accumulate
        else k.reshape(
            k.index_put(
                k.reshape(g, (-1,)),
                [k.reshape(index, (-1,))],
                k.zeros((), dtype=g.dtype),
                False,
            ),
            g.shape,
        )
    ),
    source=lambda k, g, index, source_shape: k.reshape(
        k.pick(k.reshape(g, (-1,)), index, 0), tuple(source_shape)
    ),
)


@put.samples
def _(make: Any) -> Iterator[Sample]:
    yield Sample(make(2, 3), make.integers(1, low=-6, high=6), make(1))
    yield Sample(make(2, 3), make.integers(high=6), make())
    yield Sample(make(2, 3), make.integers(0), make(0))
    yield Sample(make(), make.integers(1, high=1), make(1))
    for shape in [(1,), (4,), (2, 2), (0,), (9,)]:
        yield Sample(
            make(2, 3), make.integers(*shape, low=-6, high=6), make(*shape), True
        )
    yield Sample(make.strided(2, 3), make.integers(4, high=6), make(4), True)
    x = make(1, 1)
    yield Sample(x, make.integers(1, 1, high=1), x)


@op(inplace=True)
def masked_scatter(k: Kernels, x: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """`x` with the elements of `source`, in order, where the mask is true.

    >>> import plugrad
    >>> mask = plugrad.tensor([True, False, True])
    >>> plugrad.masked_scatter(plugrad.zeros(3), mask, plugrad.tensor([5.0, 6.0, 7.0]))
    tensor([5., 0., 6.])
    """
    same_dtype("masked_scatter", x, source)
    x, mask = together(k, x, mask, "masked_scatter")
    flat = k.reshape(mask, (-1,))
    where = k.cumulative_sum(k.astype(flat, k.int64), axis=0) - 1
    count = int(where[-1]) + 1 if size_of(where.shape) else 0
    values = k.reshape(source, (-1,))
    if count > values.shape[0]:
        raise RuntimeError(
            "masked_scatter: expected self and source to have same dtypes and as many "
            f"elements in source ({values.shape[0]}) as ones in mask ({count})"
        )
    if not count:
        return k.copy(x)
    taken = k.take(values, k.where(flat, where, k.zeros_like(where)), axis=0)
    return k.reshape(k.where(flat, taken, k.reshape(x, (-1,))), x.shape)


def _of_masked(k: Any, g: Any, mask: Any, shape: Any) -> Any:
    g = k.masked_select(g, mask)
    g = k.embed(g, (slice(0, g.shape[0]),), (size_of(shape),))
    return k.reshape(g, tuple(shape))


def _outside(k: Any, g: Any, mask: Any, x_shape: Any) -> Any:
    from ..graph import sum_to

    g = k.where(mask, k.zeros_like(g), g)
    return g if tuple(g.shape) == tuple(x_shape) else sum_to(k, g, x_shape)


masked_scatter.grad(
    x=lambda k, g, mask, x_shape: _outside(k, g, mask, x_shape),
    source=lambda k, g, mask, source_shape: _of_masked(k, g, mask, source_shape),
)


@masked_scatter.samples
def _(make: Any) -> Iterator[Sample]:
    for shape, other in [
        ((), ()),
        ((3,), (3,)),
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((3,), (2, 3)),
        ((2, 3), ()),
        ((0,), (0,)),
    ]:
        yield Sample(make(*shape), make.bools(*other), make(6))
    yield Sample(make(2, 3), make.bools(2, 3), make(3, 4))
    yield Sample(make.strided(2, 3), make.bools(2, 3), make.strided(2, 3))
    x = make(2, 3)
    yield Sample(x, make.bools(2, 3), x)


# --- Views written --------------------------------------------------------------------


def select_scatter(input: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """A copy of `input` with `src` at one position along a dimension.

    >>> import plugrad
    >>> plugrad.select_scatter(plugrad.zeros(2, 3), plugrad.tensor([1.0, 2.0]), 1, 0)
    tensor([[1., 0., 0.],
            [2., 0., 0.]])
    """
    from .axes import select

    if tuple(select(input, dim, index)._a.shape) != tuple(src._a.shape):
        raise RuntimeError(
            "expected src to have a size equal to the slice of self. src size = "
            f"{list(src._a.shape)}, self size = {list(input._a.shape)}"
        )
    return _replaced(input, src, dim, index)


def slice_scatter(
    input: Tensor,
    src: Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Tensor:
    """A copy of `input` with `src` in a slice of a dimension.

    >>> import plugrad
    >>> plugrad.slice_scatter(plugrad.zeros(5), plugrad.ones(2), start=1, end=5, step=2)
    tensor([0., 1., 0., 1., 0.])
    """
    return _replaced(input, src, dim, slice(start, end, step))


def _replaced(x: Tensor, src: Tensor, dim: int, index: Any) -> Tensor:
    y = clone(x)
    at = one(x._a.ndim, dim)
    y[(slice(None),) * at + (index,)] = src  # type: ignore[index]
    return y


METHODS = [select_scatter, slice_scatter]
