"""`x[index]`.

- An index of numbers, slices, None and ... makes a view: the op `getitem`, whose way
  back is `embed`. This is the common case, and goes there without a detour.
- Anything else is taken apart as PyTorch does it: first a view by the basic parts
  (numbers count as such, unlike in NumPy: `x[0, :, [1, 2]]` keeps the picked dimension
  where it stood), then the op `index` with one tensor of positions for each dimension
  that is picked from, whose way back is `index_put`.
"""

from __future__ import annotations

from ..declare import Sample, op
from ..dtypes import bool as bool_
from ..dtypes import int64
from ..interface import OPS
from ..tensor import Tensor, graph_is_wanted, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ..declare import Kernels

__all__: list[str] = []

BASIC = frozenset((int, slice, type(None), type(...)))


def __getitem__(self: Tensor, index: Any) -> Tensor:
    """The elements at an index."""
    kind = index.__class__
    if kind is int:
        return getitem(self, index)
    if kind is tuple:
        for each in index:
            if each.__class__ not in BASIC:
                break
        else:
            return getitem(self, index)
    elif kind in BASIC:
        return getitem(self, index)
    if kind is Tensor and index._a.ndim and self._a.ndim and index._k is self._k:
        dtype = index.dtype
        if dtype is int64:
            return OPS["pick"].function(self, index, 0)
        if dtype is bool_ and index._a.shape == self._a.shape:
            return OPS["masked_select"].function(self, index)
    basic, picks = split_index(self, index)
    view = self if basic is None else getitem(self, basic)
    return view if picks is None else picked(view, expand_masks(view, picks))


def whole_mask(x: Tensor, index: Any) -> bool:
    """Whether an index is a bool tensor of the shape of `x`."""
    return (
        isinstance(index, Tensor)
        and index._k is x._k
        and index._a.shape == x._a.shape
        and index._a.ndim > 0
        and index.dtype is bool_
    )


def picked(x: Tensor, indices: list[Tensor | None]) -> Tensor:
    """`x` indexed by tensors: by one alone where it is only one."""
    given = [i for i, each in enumerate(indices) if each is not None]
    if len(given) == 1:
        return OPS["pick"].function(x, indices[given[0]], given[0])
    k = x._k
    found = [each for each in indices if each is not None]
    if not graph_is_wanted(x) and all(each._k is k for each in found):
        raw = [None if each is None else each._a for each in indices]
        try:
            return wrap(k, k._index(x._a, raw))
        except Exception:  # the op says what is wrong
            pass
    return OPS["index"].function(x, settled(indices, x))


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
        elif start < 0:  # of no elements, backwards
            found.append(slice(None, None, step))
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
        from ..creation.data import as_tensor

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
        if (
            each is not found
            and hasattr(each, "__array__")
            and found.dtype.kind in "iu"
        ):
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


METHODS = [__getitem__]
