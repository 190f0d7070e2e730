"""Elements picked by index tensors and masks.

The default bodies turn an index into positions in row-major order, and take from the
tensor as one long row.
"""

from __future__ import annotations

from ..declare import Sample, op
from ..tensor import Tensor, wrap
from .dims import one
from .positions import check_range, common_shape, positions
from .shape import reshape, size_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels

    Number = bool | int | float | complex

__all__ = [
    "argwhere",
    "embedding",
    "gather",
    "index_select",
    "masked_select",
    "nonzero",
    "take",
    "take_along_dim",
]


def mesh(k: Any, x_shape: Sequence[int], dim: int, index: Any) -> Any:
    """The flat positions of `index` along `dim`, elsewhere each position its own."""
    where: Any = None
    for i in range(len(x_shape)):
        step = size_of(x_shape[i + 1 :])
        if i == dim:
            each = k.astype(index, k.int64) * step
        else:
            shape = [1] * len(x_shape)
            shape[i] = -1
            each = (
                k.reshape(k.arange(index.shape[i], dtype=k.int64), tuple(shape)) * step
            )
        where = each if where is None else where + each
    return k.reshape(where, (-1,))


def checked_dim(
    name: str, k: Any, x: Any, dim: int, index: Any, src: Any = None
) -> int:
    """`dim` from the front, after checks of what `gather` and `scatter` were given."""
    at = one(x.ndim, dim)
    if not k.isdtype(index.dtype, "integral"):
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    if 0 in index.shape:
        return at
    if max(index.ndim, 1) != max(x.ndim, 1):
        raise RuntimeError(
            f"{name}(): Index tensor must have the same number of dimensions as input "
            f"tensor, not {index.ndim} for {x.ndim}"
        )
    for i, n in enumerate(index.shape):
        too_big = i != at and x.ndim and n > x.shape[i]
        if too_big or (src is not None and src.ndim and n > src.shape[i]):
            raise RuntimeError(
                f"{name}(): Expected index {list(index.shape)} to be no larger than "
                f"self {list(x.shape)} apart from dimension {at} and to be no larger "
                f"size than src {list(getattr(src, 'shape', x.shape))}"
            )
    n = x.shape[at] if x.ndim else 1
    if not k.holds((index >= 0) & (index < n)):
        low, high = int(k.min(index)), int(k.max(index))
        raise RuntimeError(
            f"{name}(): index {low if low < 0 else high} is out of bounds for "
            f"dimension {at} with size {n}"
        )
    return at


def same_dtype(name: str, x: Any, src: Any) -> None:
    """Raise unless two arrays have one dtype."""
    if x.dtype != src.dtype:
        raise RuntimeError(
            f"{name}(): Expected self.dtype to be equal to src.dtype, got {x.dtype} "
            f"and {src.dtype}"
        )


# --- Each position its own index ------------------------------------------------------


@op
def gather(
    k: Kernels, x: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False
) -> Tensor:
    """Along one dimension, the elements that `index` names for each position.

    >>> import plugrad
    >>> x = plugrad.tensor([[1, 2], [3, 4]])
    >>> x.gather(1, plugrad.tensor([[0], [1]]))
    tensor([[1],
            [4]])
    """
    at = checked_dim("gather", k, x, dim, index)
    if 0 in index.shape:
        return k.zeros(index.shape, dtype=x.dtype)
    flat = mesh(k, x.shape, at, index) if x.ndim else k.reshape(index, (-1,))
    return k.reshape(k.take(k.reshape(x, (-1,)), flat, axis=0), index.shape)


gather.grad(
    x=lambda k, g, x_shape, dim, index: k.scatter_add(
        k.zeros(x_shape, dtype=g.dtype), dim, index, g
    )
)


@gather.samples
def _(make: Any) -> Iterator[Sample]:
    for dim, shape in [
        (0, (2, 3)),
        (0, (4, 3)),
        (1, (2, 5)),
        (-1, (2, 1)),
        (1, (1, 2)),
    ]:
        yield Sample(make(2, 3), dim, make.integers(*shape, high=2))
    yield Sample(make(), 0, make.integers(high=1))
    yield Sample(make(3), 0, make.integers(5, high=3))
    yield Sample(make(3), 0, make.integers(0, high=3))
    yield Sample(make.strided(2, 3), 1, make.integers(2, 2, high=3))
    yield Sample(make.expanded(2, 3), 1, make.integers(2, 2, high=3))
    yield Sample(make(2, 3, 2), 1, make.integers(2, 2, 2, high=3))


def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` with indices that broadcast against the input.

    >>> import plugrad
    >>> x = plugrad.tensor([[3, 1, 2], [6, 5, 4]])
    >>> plugrad.take_along_dim(x, x.argsort(dim=1), dim=1)
    tensor([[1, 2, 3],
            [4, 5, 6]])
    """
    from .shape import expand

    if indices.dtype.name not in ("int64", "int32"):
        raise RuntimeError(
            "torch.take_along_dim(): dtype of indices should be Long but got "
            f"{indices.dtype}".removeprefix("torch.")
        )
    if dim is None:
        return gather(reshape(input, -1), 0, reshape(indices, -1))
    if input._a.ndim != indices._a.ndim:
        raise RuntimeError(
            "take_along_dim(): input and indices should have the same number of "
            f"dimensions, but got {input._a.ndim} dimensions for input, and "
            f"{indices._a.ndim} dimensions for indices"
        )
    at = one(input._a.ndim, dim)
    a, b = list(input._a.shape), list(indices._a.shape)
    n, m = a[at], b[at]
    a[at] = b[at] = 1
    shape = list(common_shape([a, b]))
    wide = expand(input, *shape[:at], n, *shape[at + 1 :])
    where = expand(indices, *shape[:at], m, *shape[at + 1 :])
    return gather(wide, at, where)


# --- One index for whole slices -------------------------------------------------------


@op(method=False, oracle=None)
def pick(k: Kernels, x: Tensor, index: Tensor, dim: int) -> Tensor:
    """`x` with its dimension `dim` replaced by those of `index`, which says for each
    position what to take."""
    n = x.shape[dim]
    index = k.astype(index, k.int64)
    check_range(k, index, dim, n)
    flat = k.reshape(k.where(index < 0, index + n, index), (-1,))
    shape = (*x.shape[:dim], *index.shape, *x.shape[dim + 1 :])
    if 0 in shape:
        return k.zeros(shape, dtype=x.dtype)
    return k.reshape(k.take(x, flat, axis=dim), shape)


@op(method=False, oracle=None)
def spread(k: Kernels, x: Tensor, index: Tensor, dim: int, shape: Any) -> Tensor:
    """Zeros of `shape`, and each part of `x` added where `index` says: the way back of
    `pick`."""
    indices = [None] * dim + [index] + [None] * (len(shape) - dim - 1)
    flat, _ = positions(k, shape, indices)
    zeros = k.zeros((size_of(shape),), dtype=x.dtype)
    return k.reshape(k.put_flat(zeros, flat, k.reshape(x, (-1,)), True), shape)


pick.grad(x=lambda k, g, x_shape, index, dim: k.spread(g, index, dim, tuple(x_shape)))
spread.grad(x=lambda k, g, index, dim: k.pick(g, index, dim))


@pick.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(2,), (2, 2), (), (0,), (5,)]:
        yield Sample(make(4, 3), make.integers(*shape, low=-4, high=4), 0)
        yield Sample(make(2, 4, 3), make.integers(*shape, low=-4, high=4), 1)
    yield Sample(make.strided(2, 3), make.integers(2, high=3), 1)


@spread.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(2,), (2, 2), (), (0,), (5,)]:
        where = make.integers(*shape, low=-4, high=4)
        yield Sample(make(*shape, 3), where, 0, (4, 3))
        yield Sample(make(2, *shape, 3), where, 1, (2, 4, 3))
    yield Sample(make.strided(3, 2), make.integers(3, high=4), 0, (4, 2))


@op
def index_select(k: Kernels, x: Tensor, dim: int, index: Tensor) -> Tensor:
    """The positions along a dimension that a vector of indices names.

    >>> import plugrad
    >>> x = plugrad.tensor([[1, 2, 3], [4, 5, 6]])
    >>> plugrad.index_select(x, 1, plugrad.tensor([2, 0, 2]))
    tensor([[3, 1, 3],
            [6, 4, 6]])
    """
    at = one(x.ndim, dim)
    check_vector("index_select", k, x, at, index)
    flat = k.reshape(index, (-1,))
    if not x.ndim:
        return k.copy(x)
    if 0 in flat.shape:
        return k.zeros((*x.shape[:at], 0, *x.shape[at + 1 :]), dtype=x.dtype)
    return k.take(x, flat, axis=at)


def check_vector(name: str, k: Any, x: Any, at: int, index: Any, low: int = 0) -> None:
    """Raise unless `index` is a vector of positions in the dimension `at` of `x`. Which
    exception it is PyTorch decides by the op, and by the dimensions."""
    if index.ndim > 1:
        kind = RuntimeError if name == "index_fill" else IndexError
        raise kind(f"{name}(): Index is supposed to be a vector")
    if not k.isdtype(index.dtype, "integral"):
        raise RuntimeError(f"{name}(): Expected dtype int32 or int64 for index")
    n = x.shape[at] if x.ndim else 1
    if 0 not in index.shape and not k.holds((index >= -n * low) & (index < n)):
        kind = RuntimeError if name == "index_add" and x.ndim > 1 else IndexError
        raise kind(f"{name}(): index out of range in self: dimension {at} has size {n}")


def _unpicked(k: Any, g: Any, x_shape: Any, dim: int, index: Any) -> Any:
    if not x_shape:
        return k.reshape(g, ())
    return k.spread(g, k.reshape(index, (-1,)), one(len(x_shape), dim), tuple(x_shape))


index_select.grad(
    x=lambda k, g, x_shape, dim, index: _unpicked(k, g, x_shape, dim, index)
)


@index_select.samples
def _(make: Any) -> Iterator[Sample]:
    for dim in [0, 1, -1, -2]:
        yield Sample(make(2, 3), dim, make.integers(2, high=2))
    yield Sample(make(2, 3), 1, make.integers(7, high=3))
    yield Sample(make(2, 3), 1, make.integers(0, high=3))
    yield Sample(make(3), 0, make.integers(high=3))
    yield Sample(make(), 0, make.integers(1, high=1))
    yield Sample(make.strided(2, 3), 1, make.integers(2, high=3))
    yield Sample(make.expanded(2, 3), 0, make.integers(2, high=2))


@op(method=False)
def embedding(
    k: Kernels,
    weight: Tensor,
    indices: Tensor,
    padding_idx: int = -1,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` that the indices name. The row `padding_idx`, if that is not
    negative, gets no gradient; `scale_grad_by_freq` divides the gradient of a row by
    how often it was taken. With `sparse` the gradient is a sparse tensor, of the rows
    that were taken.

    >>> import plugrad
    >>> weight = plugrad.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> plugrad.embedding(weight, plugrad.tensor([2, 0]))
    tensor([[5., 6.],
            [1., 2.]])
    """
    if weight.ndim != 2:
        raise RuntimeError("'weight' must be 2-D")
    if not k.isdtype(indices.dtype, "integral"):
        raise RuntimeError(
            "Expected tensor for argument 'indices' to have scalar types Long or Int"
        )
    n = weight.shape[0]
    if 0 in indices.shape:
        return k.zeros((*indices.shape, weight.shape[1]), dtype=weight.dtype)
    if not k.holds((indices >= 0) & (indices < n)):
        raise IndexError(f"embedding: index out of range in self: weight has {n} rows")
    rows = k.take(weight, k.reshape(indices, (-1,)), axis=0)
    return k.reshape(rows, (*indices.shape, weight.shape[1]))


def _of_weight(
    k: Any,
    g: Any,
    weight_shape: Any,
    indices: Any,
    padding_idx: int,
    scale_grad_by_freq: bool,
    sparse: bool,
) -> Any:
    if sparse:
        from ..sparse.ops import rows_gradient

        if scale_grad_by_freq:
            raise RuntimeError(
                "embedding: scale_grad_by_freq is not supported with sparse gradients"
            )
        return rows_gradient(k, g, weight_shape, indices, padding_idx)
    if padding_idx >= 0:
        kept = k.expand_dims(indices != padding_idx, axis=-1)
        g = k.where(kept, g, k.zeros_like(g))
    if scale_grad_by_freq:
        ones = k.ones(indices.shape, dtype=g.dtype)
        counts = k.spread(ones, indices, 0, (weight_shape[0],))
        g = g / k.expand_dims(k.pick(counts, indices, 0), axis=-1)
    return k.spread(g, indices, 0, tuple(weight_shape))


embedding.grad(weight=_of_weight)


@embedding.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(), (0,), (1,), (5,), (2, 3), (2, 1, 3)]:
        yield Sample(make(4, 3), make.integers(*shape, high=4))
    yield Sample(make.strided(4, 3), make.integers(6, high=4))
    yield Sample(make(4, 3), make.integers(high=4))
    yield Sample(make.expanded(4, 3), make.integers(2, high=4))
    yield Sample(make(4, 1), make.integers(3, high=4))
    # these two settings make of the gradient something else than the derivative
    for settings in [(1,), (1, True), (-1, True)]:
        sample = Sample(make(4, 3), make.integers(6, high=4), *settings)
        yield sample.named(f"padding and scaling {settings}", smooth=False)


# --- The tensor as one long row -------------------------------------------------------


@op
def take(k: Kernels, x: Tensor, index: Tensor) -> Tensor:
    """The elements at positions counted through the whole tensor.

    >>> import plugrad
    >>> plugrad.take(plugrad.tensor([[1, 2], [3, 4]]), plugrad.tensor([0, 3, -1]))
    tensor([1, 4, 4])
    """
    flat = k.reshape(x, (-1,))
    n = flat.shape[0]
    if not k.isdtype(index.dtype, "integral"):
        raise RuntimeError(
            f"take(): Expected a long tensor for index, got {index.dtype}"
        )
    if 0 in index.shape:
        return k.zeros(index.shape, dtype=x.dtype)
    index = k.astype(index, k.int64)
    check_flat(k, index, n)
    places = k.reshape(k.where(index < 0, index + n, index), (-1,))
    return k.reshape(k.take(flat, places, axis=0), index.shape)


def check_flat(k: Any, index: Any, n: int) -> None:
    if 0 not in index.shape and not k.holds((index >= -n) & (index < n)):
        raise IndexError(
            "out of range: tried to access an index on a tensor of "
            f"{n} elements, with indices from {int(k.min(index))} to "
            f"{int(k.max(index))}"
        )


take.grad(
    x=lambda k, g, x_shape, index: k.reshape(
        k.spread(g, index, 0, (size_of(x_shape),)), tuple(x_shape)
    )
)


@take.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(), (0,), (3,), (2, 2), (7,)]:
        yield Sample(make(2, 3), make.integers(*shape, low=-6, high=6))
    yield Sample(make(), make.integers(high=1))
    yield Sample(make(1), make.integers(3, high=1))
    yield Sample(make(3), make.integers(2, 2, high=3))
    yield Sample(make.strided(2, 3), make.integers(4, high=6))
    yield Sample(make.expanded(2, 3), make.integers(4, high=6))


# --- Masks ----------------------------------------------------------------------------


@op
def masked_select(k: Kernels, x: Tensor, mask: Tensor) -> Tensor:
    """The elements where a mask is true, in one dimension.

    >>> import plugrad
    >>> x = plugrad.tensor([[1, 2], [3, 4]])
    >>> plugrad.masked_select(x, x % 2 == 0)
    tensor([2, 4])
    """
    x, mask = together(k, x, mask, "masked_select")
    where = k.nonzero(k.reshape(mask, (-1,)))[0]
    flat = k.reshape(x, (-1,))
    return flat if 0 in flat.shape else k.take(flat, where, axis=0)


def together(k: Any, x: Any, mask: Any, name: str) -> tuple[Any, Any]:
    """A tensor and a mask broadcast against each other."""
    from ..errors import mismatch

    if not k.isdtype(mask.dtype, "bool"):
        raise RuntimeError(f"{name}: expected BoolTensor for mask, got {mask.dtype}")
    reason = mismatch(x.shape, mask.shape)
    if reason:
        raise RuntimeError(reason)
    n = max(x.ndim, mask.ndim)
    a, b = ((1,) * (n - each.ndim) + tuple(each.shape) for each in (x, mask))
    shape = tuple(j if i == 1 else i for i, j in zip(a, b))
    return k.broadcast_to(x, shape), k.broadcast_to(mask, shape)


def _unmasked(k: Any, g: Any, x_shape: Any, mask: Any) -> Any:
    from ..graph import sum_to

    n = max(len(x_shape), mask.ndim)
    a = (1,) * (n - len(x_shape)) + tuple(x_shape)
    b = (1,) * (n - mask.ndim) + tuple(mask.shape)
    shape = tuple(j if i == 1 else i for i, j in zip(a, b))
    g = k.masked_scatter(k.zeros(shape, dtype=g.dtype), mask, g)
    return sum_to(k, g, x_shape)


masked_select.grad(x=lambda k, g, x_shape, mask: _unmasked(k, g, x_shape, mask))


@masked_select.samples
def _(make: Any) -> Iterator[Sample]:
    for shape, other in [
        ((), ()),
        ((3,), (3,)),
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((3,), (2, 3)),
        ((2, 1), (1, 3)),
        ((2, 3), ()),
        ((), (3,)),
        ((0,), (0,)),
    ]:
        yield Sample(make(*shape), make.bools(*other))
    yield Sample(make.strided(2, 3), make.bools(2, 3))
    yield Sample(make.expanded(2, 3), make.bools(2, 1))


@op(method=False)
def nonzero_(k: Kernels, x: Tensor) -> Tensor:
    """The positions of all elements that are not zero, one in each row."""
    if not x.ndim:
        return k.zeros((int(bool(x)), 0), dtype=k.int64)
    return k.stack(list(k.nonzero(x)), axis=1)


@nonzero_.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(), (0,), (1,), (5,), (2, 3), (2, 2, 2), (2, 0)]:
        yield Sample(make.integers(*shape, high=2))
    yield Sample(make(3))
    yield Sample(make.bools(3, 2))
    yield Sample(make.strided(2, 3))


def nonzero(input: Tensor, *, as_tuple: bool = False, out: Any = None) -> Any:
    """The positions of all elements that are not zero: one in each row, or as one
    vector for each dimension.

    >>> import plugrad
    >>> x = plugrad.tensor([[0, 5], [6, 0]])
    >>> plugrad.nonzero(x), plugrad.nonzero(x, as_tuple=True)
    (tensor([[0, 1],
            [1, 0]]), (tensor([0, 1]), tensor([1, 0])))
    """
    if as_tuple:
        x = input if input._a.ndim else reshape(input, 1)
        return tuple(wrap(x._k, each) for each in x._k.nonzero(x._a))
    return nonzero_.op.apply(input, out=out)


def argwhere(input: Tensor) -> Tensor:
    """The positions of all elements that are not zero, one in each row.

    >>> import plugrad
    >>> plugrad.argwhere(plugrad.tensor([[0, 5], [6, 0]]))
    tensor([[0, 1],
            [1, 0]])
    """
    return nonzero_(input)


METHODS = [
    argwhere,
    nonzero,
    take_along_dim,
]
