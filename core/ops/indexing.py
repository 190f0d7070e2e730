"""`x[index]` and `x[index] = value`.

- An index of numbers, slices, None and ... makes a view: the op `getitem`, whose way
  back is `embed`. This is the common case, and goes there without a detour.
- Anything else is taken apart as PyTorch does it: first a view by the basic parts
  (numbers count as such, unlike in NumPy: `x[0, :, [1, 2]]` keeps the picked dimension
  where it stood), then the op `index` with one tensor of positions for each dimension
  that is picked from, whose way back is `index_put`.
- Assignment writes only the region, and moves it to its new place in the graph.
"""

from __future__ import annotations

from .. import modes
from ..backend import OPS
from ..declare import SCALARS, Sample, op
from ..errors import explain
from ..tensor import Tensor, graph_is_wanted, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels

__all__ = ["index_put"]

BASIC = frozenset((int, slice, type(None), type(...)))


def __getitem__(self: Tensor, index: Any) -> Tensor:  # noqa: N807
    """The elements at an index."""
    kind = index.__class__
    if kind is tuple:
        for each in index:
            if each.__class__ not in BASIC:
                break
        else:
            return getitem(self, index)
    elif kind in BASIC:
        return getitem(self, index)
    if not isinstance(self, Tensor):
        return NotImplemented
    basic, picks = split_index(self, index)
    view = self if basic is None else getitem(self, basic)
    return view if picks is None else picked(view, expand_masks(view, picks))


def picked(x: Tensor, indices: list[Tensor | None]) -> Tensor:
    """`x` indexed by tensors: by one alone where it is only one."""
    given = [i for i, each in enumerate(indices) if each is not None]
    if len(given) == 1:
        from .picking import pick

        return pick(x, indices[given[0]], given[0])
    return index_(x, settled(indices, x))


def settled(
    indices: Sequence[Tensor | None], *tensors: Tensor
) -> Sequence[Tensor | None]:
    """Indices that the graph can keep: copies, if one is to be recorded, since nothing
    watches whether they are written before backward."""
    if not graph_is_wanted(*tensors):
        return indices
    return [
        None if each is None else wrap(each._k, each._k.copy(each._a))
        for each in indices
    ]


# --- Basic indexing -------------------------------------------------------------------


@op(view=True, method=False, oracle=None)
def getitem(k: Kernels, x: Tensor, index: Any) -> Tensor:
    """The view that an index of numbers, slices, None and ... gives."""
    return x[canonical(x.shape, index)]


getitem.grad(x=lambda k, g, x_shape, index: k.embed(g, index, x_shape))


@op(method=False, oracle=None)
def embed(k: Kernels, x: Tensor, index: Any, shape: Any) -> Tensor:
    """Zeros of `shape`, with `x` at `index`.

    Along each dimension this picks from `x`, to which one position of zeros is added.
    """
    items = canonical(shape, index)
    x = k.reshape(x, tuple(stepped(shape, items)))
    dim = 0
    for item, n in zip((each for each in items if each is not None), shape):
        places = [item] if isinstance(item, int) else list(range(n))[item]
        if places != list(range(n)):
            row = (*x.shape[:dim], 1, *x.shape[dim + 1 :])
            x = k.concat([x, k.zeros(row, dtype=x.dtype)], axis=dim)
            sources = [len(places)] * n
            for i, place in enumerate(places):
                sources[place] = i
            x = k.take(x, k.asarray(sources, dtype=k.int64), axis=dim)
        dim += 1
    return x


embed.grad(x=lambda k, g, index: k.getitem(g, index))


def stepped(shape: Sequence[int], items: Sequence[Any]) -> Iterator[int]:
    """The sizes that an index leaves of a shape, numbers leaving 1."""
    for item, n in zip((each for each in items if each is not None), shape):
        yield 1 if isinstance(item, int) else len(range(n)[item])


INDICES = [
    0,
    -1,
    slice(1, 3),
    slice(None, None, 2),
    (0, 1),
    (slice(None), 0),
    (..., -1),
    (None, slice(0, 2), None, 1),
    (slice(5, 1), ...),
    (),
    (slice(None, None, -1), slice(-2, None)),
]


@getitem.samples
def _(make: Any) -> Iterator[Sample]:
    for index in INDICES:
        yield Sample(make(4, 3), index)
    yield Sample(make(3), 1)
    yield Sample(make.strided(3, 4), (slice(0, 2), 1))
    yield Sample(make(), ...)


@embed.samples
def _(make: Any) -> Iterator[Sample]:
    for index in INDICES:
        items = canonical((4, 3), index)
        sizes = iter([range(n) for n in (4, 3)])
        shape: list[int] = []
        for item in items:
            size = None if item is None else next(sizes)
            if size is None:
                shape.append(1)
            elif isinstance(item, slice):
                shape.append(len(size[item]))
        yield Sample(make(*shape), index, (4, 3))


def canonical(shape: Sequence[int], index: Any) -> tuple[Any, ...]:
    """A basic index with an entry for every dimension: numbers counted from the front,
    slices within bounds, and Nones."""
    given = index if isinstance(index, tuple) else (index,)
    taken = len([each for each in given if each is not None and each is not ...])
    if taken > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    rest = [slice(None)] * (len(shape) - taken)
    dots = [each is ... for each in given]
    if True in dots:
        at = dots.index(True)
        after = [each for each in given[at + 1 :] if each is not ...]
        given = (*given[:at], *rest, *after)
    else:
        given = (*given, *rest)
    found: list[Any] = []
    sizes = iter(enumerate(shape))
    for each in given:
        if each is None:
            found.append(None)
            continue
        dim, n = next(sizes)
        if not isinstance(each, slice):
            if not -n <= each < n:
                raise IndexError(
                    f"index {each} is out of bounds for dimension {dim} with size {n}"
                )
            found.append(each + n if each < 0 else each)
            continue
        start, stop, step = each.indices(n)
        if step > 0:
            found.append(slice(start, max(stop, start), step))
        else:
            found.append(slice(start, None if stop < 0 else min(stop, start), step))
    return tuple(found)


# --- Taking an index apart ------------------------------------------------------------


def split_index(x: Tensor, index: Any) -> tuple[tuple[Any, ...], list[Any] | None]:
    """The basic part of an index, and for each dimension of the view that it makes the
    tensor to pick by, or None; no list if nothing is picked."""
    entries = entries_of(index)
    converted = [convert(x, each) for each in entries]
    ndim = x._a.ndim
    taken = 0
    for each in converted:
        if isinstance(each, Tensor):
            taken += each._a.ndim if is_mask(each) else 1
        elif not (each is None or each is ... or isinstance(each, bool)):
            taken += 1
    if taken > ndim:
        raise IndexError(f"too many indices for tensor of dimension {ndim}")
    basic: list[Any] = []
    picks: list[Any] = []
    dots = False
    for each in converted:
        if each is ...:
            if not dots:
                basic += [slice(None)] * (ndim - taken)
                picks += [None] * (ndim - taken)
            dots = True
        elif isinstance(each, bool):
            basic.append(None)
            picks.append(truth(x, each))
        elif isinstance(each, Tensor):
            width = each._a.ndim if is_mask(each) else 1
            basic += [slice(None)] * width
            picks += [each, *("mask",) * (width - 1)]
        else:
            basic.append(each)
            if not isinstance(each, int):
                picks.append(None)
    return tuple(basic), picks if any(p is not None for p in picks) else None


def entries_of(index: Any) -> Sequence[Any]:
    """The index of each dimension. A short list that holds sequences or slices counts
    as a tuple, as it does in PyTorch."""
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32:
        for each in index:
            if each is None or isinstance(each, (list, tuple, slice, Tensor)):
                return index
            if each is ...:
                return index
    return (index,)


def convert(x: Tensor, each: Any) -> Any:
    """One entry as a number, a bool, a slice, None, ... or a Tensor."""
    if each is None or each is ... or isinstance(each, (bool, int, slice)):
        return each
    if isinstance(each, Tensor):
        found = each
    elif isinstance(each, (list, tuple, range)):
        found = from_list(x, each)
    elif hasattr(each, "__index__") and not getattr(each, "ndim", 0):
        return each.__index__()
    elif hasattr(each, "__array__"):
        from ..creation import as_tensor

        found = as_tensor(each)
        if not found._a.ndim and found.dtype.kind == "b":
            return bool(found.item())
    elif isinstance(each, (str, bytes, dict)):
        raise TypeError(f"indices cannot be of type {type(each).__name__}")
    else:
        raise IndexError(
            "only integers, slices (`:`), ellipsis (`...`), None and long or byte "
            f"Variables are valid indices (got {type(each).__name__})"
        )
    kind = found.dtype.name
    if kind not in ("int64", "int32", "uint8", "bool"):
        if each is not found and hasattr(each, "__array__") and found.dtype.kind in "iu":
            from ..dtypes import int64

            return OPS["to_dtype"].function(found, int64)
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors, not "
            f"{found.dtype}"
        )
    if found._a.ndim == 0:
        value = found.item()
        return bool(value) if kind in ("bool", "uint8") else value
    return found


def from_list(x: Tensor, values: Any) -> Tensor:
    """The tensor that a list (perhaps of tensors) of positions or truths means."""
    from ..dtypes import bool as bool_
    from ..dtypes import int64

    plain = numbers(values)
    first: Any = plain
    while isinstance(first, list) and first:
        first = first[0]
    if not isinstance(first, (int, list)):
        raise IndexError(
            "tensors used as indices must be long, int, byte or bool tensors, not "
            f"a list of {type(first).__name__}"
        )
    k = x._k
    dtype = bool_ if isinstance(first, bool) else int64
    return wrap(k, k.from_data(plain, k.native(dtype)))


def numbers(values: Any) -> Any:
    """Nested sequences, tensors and arrays as nested lists of numbers."""
    if hasattr(values, "tolist"):
        return values.tolist()
    if isinstance(values, (list, tuple, range)):
        return [numbers(each) for each in values]
    return values


def is_mask(x: Tensor) -> bool:
    """Whether an index tensor says which positions to take, not where they are."""
    return x.dtype.name in ("bool", "uint8")


def truth(x: Tensor, value: bool) -> Tensor:
    """The positions that a bare True or False picks from a dimension of size 1."""
    from ..dtypes import int64

    k = x._k
    return wrap(k, k.zeros((1 if value else 0,), dtype=k.native(int64)))


def expand_masks(view: Tensor, picks: Sequence[Any]) -> list[Tensor | None]:
    """Masks replaced by the positions where they are true."""
    shape = view._a.shape
    found: list[Tensor | None] = []
    for dim, each in enumerate(picks):
        if isinstance(each, str):
            continue
        if each is None or not is_mask(each):
            found.append(each)
            continue
        size = each._a.shape
        if shape[dim : dim + len(size)] != size:
            raise IndexError(
                f"The shape of the mask {list(size)} at index {dim} does not match the "
                f"shape of the indexed tensor {list(shape)} at index {dim}"
            )
        k = each._k
        found += [wrap(k, where) for where in k.nonzero(each._a)]
    return found


# --- Picking by tensors ---------------------------------------------------------------


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
    if 0 not in each.shape and not bool(k.all((each >= -n) & (each < n))):
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
        g
        if accumulate
        else k.index_put(g, indices, k.zeros((), dtype=g.dtype), False)
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
    where = settled(expand_masks(input, picks), input, values)
    return index_put_(input, where, values, accumulate)


# --- Assignment -----------------------------------------------------------------------


def __setitem__(self: Tensor, index: Any, value: Any) -> None:  # noqa: N807
    """Write a value at an index, broadcast and cast as it needs to be."""
    k = self._k
    basic, picks = index, None
    if index.__class__ is tuple:
        for each in index:
            if each.__class__ not in BASIC:
                basic, picks = split_index(self, index)
                break
    elif index.__class__ not in BASIC:
        basic, picks = split_index(self, index)
    if value.__class__ not in SCALARS and not isinstance(value, Tensor):
        from ..creation import as_tensor

        value = as_tensor(value)
    if picks is None and isinstance(value, Tensor) and is_region(self, basic, value):
        return
    if picks is not None and isinstance(value, Tensor) and value.dtype is not self.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{self.dtype} for the destination and {value.dtype} for the source."
        )
    node = value._node if isinstance(value, Tensor) else None
    recorded = modes.current().grad and (self._node is not None or node is not None)
    kernel = None if recorded else k._getitem_
    if kernel is None:
        assign(self, basic, picks, value)
        return
    raw = value
    if isinstance(value, Tensor):
        raw = value._a if value._k is k else moved(value, k)
    elif value.__class__ is complex and self.dtype.kind != "c":
        raise RuntimeError(
            f"value cannot be converted to type {self.dtype} without overflow"
        )
    try:
        if picks is None:
            kernel(self._a, basic, raw)
        else:
            part = wrap(k, k._getitem(self._a, basic))
            indices = expand_masks(part, picks)
            found = [None if each is None else each._a for each in indices]
            k._index_put_(part._a, found, raw)
    except Exception as error:
        named = {"self": self, "index": index, "value": value}
        raise explain("__setitem__", named, error) from error
    from ..storage import written

    written(self)


def is_region(x: Tensor, index: Any, value: Tensor) -> bool:
    """Whether `value` is the very view that is to be written, as in `x[0] += 1`: what
    was done to it in place has reached `x` already."""
    if value._s is None or value._s is not x._s:
        return False
    k, a = x._k, value._a
    region = k._getitem(x._a, index)
    return (
        region.shape == a.shape
        and k.strides(region) == k.strides(a)
        and k.address(region) == k.address(a)
    )


def moved(value: Tensor, k: Any) -> Any:
    """A value of another backend; only one without dimensions is taken along."""
    if value._a.ndim:
        raise RuntimeError(
            f"cannot assign a tensor of backend {value._k.name!r} to one of backend "
            f"{k.name!r}; move it with .to(backend={k.name!r})"
        )
    return k.from_data(value.item(), k.native(value.dtype))


def assign(x: Tensor, basic: Any, picks: Sequence[Any] | None, value: Any) -> None:
    """`x[basic][picks] = value` in the graph: the view that the basic part makes is
    written, and everything on its memory follows."""
    from ..inplace import check_writable, write_result

    k = x._k
    region = getitem(x, basic)
    if not isinstance(value, Tensor):
        value = wrap(k, k.make_scalar(value, x.dtype))
    elif value._k is not k:
        value = wrap(k, moved(value, k))
    check_writable(region if k.aliases(region._a, x._a) else x)
    if picks is None:
        made = overwrite(region, value)
    else:
        where = settled(expand_masks(region, picks), region, value)
        made = index_put_(region, where, value)
    if k.aliases(region._a, x._a):
        write_result(region, made, "__setitem__")
        return
    if made.dtype is not x.dtype:
        made = OPS["to_dtype"].function(made, x.dtype)
    inside = embed(wrap(k, k.ones(made._a.shape, dtype=k.bool)), basic, x._a.shape)
    whole = OPS["where"].function(inside, embed(made, basic, x._a.shape), x)
    write_result(x, whole, "__setitem__")


@op(method=False, oracle=None)
def overwrite(k: Kernels, x: Tensor, value: Tensor) -> Tensor:
    """`value` in the shape and dtype of `x`."""
    value = k.broadcast_to(trimmed(k, value, x.shape), x.shape)
    return value if value.dtype == x.dtype else k.astype(value, x.dtype)


def _shrunk(k: Any, g: Any, value_shape: Any, value_dtype: Any) -> Any:
    from ..graph import sum_to
    from .shape import _cast_back

    extra = len(value_shape) - g.ndim
    if extra > 0:
        g = k.reshape(g, (1,) * extra + tuple(g.shape))
    return _cast_back(k, sum_to(k, g, value_shape), value_dtype)


overwrite.grad(
    value=lambda k, g, value_shape, value_dtype: _shrunk(
        k, g, value_shape, value_dtype
    ),
)


@overwrite.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in [(2, 3), (3,), (1,), (), (2, 1), (1, 1, 3), (1, 2, 3)]:
        yield Sample(make(2, 3), make(*shape))
    yield Sample(make(0, 3), make(3))
    yield Sample(make(), make())
    yield Sample(make.strided(2, 3), make.expanded(2, 3))


def index_put_in_place(
    self: Tensor, indices: Sequence[Any], values: Tensor, accumulate: bool = False
) -> Tensor:
    """`index_put`, written into this tensor."""
    from ..inplace import check_writable, write_result

    check_writable(self)
    write_result(self, index_put(self, indices, values, accumulate), "index_put_")
    return self


index_put_in_place.__name__ = "index_put_"
METHODS = [__getitem__, __setitem__, index_put, index_put_in_place]
