"""The largest, the smallest, the middle and the most frequent elements.

- `max`, `min`, `median` have PyTorch's several forms: over all elements; over one
  dimension, with the places where the elements were found; `max(a, b)` elementwise.
- Where the result names one place, the gradient goes there; else equal elements share
  it evenly. NaN wins over all.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import (
    along,
    distinct,
    is_floating,
    kept,
    need_order,
    one,
    part,
    ranked,
    reduced,
    restored,
    several,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Dim = int | tuple[int, ...] | None

__all__ = [
    "amax",
    "amin",
    "aminmax",
    "argmax",
    "argmin",
    "max",
    "median",
    "min",
    "mode",
    "nanmedian",
    "nanquantile",
    "quantile",
]


def need_elements(x: Array, dims: tuple[int, ...]) -> None:
    """Raise if a reduction without identity has no elements to choose from."""
    if any(not x.shape[d] for d in dims):
        raise IndexError(
            f"expected reduction dims {dims} to have non-zero size, but the input has "
            f"shape {list(x.shape)}; the extreme of no elements is not defined"
        )


# --- Values alone -----------------------------------------------------------------


@op
def amax(k: Kernels, x: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """The largest elements over one, several or all dimensions; equal ones share the
    gradient."""
    dims = several(x.ndim, dim)
    need_elements(x, dims)
    need_order(k, x)
    if k.isdtype(x.dtype, "bool"):
        return k.any(x, axis=dims, keepdims=keepdim)
    return k.max(x, axis=dims, keepdims=keepdim)


@op
def amin(k: Kernels, x: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """The smallest elements over one, several or all dimensions; equal ones share the
    gradient."""
    dims = several(x.ndim, dim)
    need_elements(x, dims)
    need_order(k, x)
    if k.isdtype(x.dtype, "bool"):
        return k.all(x, axis=dims, keepdims=keepdim)
    return k.min(x, axis=dims, keepdims=keepdim)


def _shared(k: Any, g: Any, x: Any, y: Any, dim: Any, keepdim: Any) -> Any:
    """The gradient shared among the elements that equal the result."""
    g = restored(k, g, x.shape, dim, keepdim)
    chosen = k.astype(x == restored(k, y, x.shape, dim, keepdim), g.dtype)
    total = k.sum(chosen, axis=several(x.ndim, dim), keepdims=True)
    return (g * chosen / total,)


amax.joint(_shared)
amin.joint(_shared)


@amax.samples
@amin.samples
def _(make: Any) -> Iterator[Sample]:
    yield from reduced(make, empty=False, ties=False)
    yield Sample(make(2, 3), ())
    yield Sample(make(0, 3), 0).named("empty", smooth=False)
    ties = make.tensor(make.filled((2, 4), [1, 2, 2, 0, 3, 3, 3, 3], make.dtype))
    yield Sample(ties, 1).named("ties", smooth=False)
    yield Sample(ties).named("all ties", smooth=False)
    if make.dtype.kind == "f":
        yield Sample(make.special(2, 6), 1).named("special", smooth=False)


# --- Places -----------------------------------------------------------------------


@op
def argmax(
    k: Kernels, x: Tensor, dim: int | None = None, keepdim: bool = False
) -> Tensor:
    """Where the largest element is: along `dim`, or among all in row-major order."""
    return _place(k, k.argmax, x, dim, keepdim)


@op
def argmin(
    k: Kernels, x: Tensor, dim: int | None = None, keepdim: bool = False
) -> Tensor:
    """Where the smallest element is: along `dim`, or among all in row-major order."""
    return _place(k, k.argmin, x, dim, keepdim)


def _place(k: Any, find: Any, x: Any, dim: Any, keepdim: bool) -> Any:
    """`argmax` or `argmin` over one or all dimensions."""
    if k.isdtype(x.dtype, ("bool", "complex floating")):
        raise NotImplementedError(f"not implemented for {x.dtype}")
    need_elements(x, several(x.ndim, dim))
    shape = kept(x.shape, dim)
    if dim is None or x.ndim == 0:
        y = find(k.reshape(x, (-1,)), axis=0)
        return k.reshape(y, shape if keepdim else ())
    y = find(x, axis=dim, keepdims=keepdim)
    return y


@argmax.samples
@argmin.samples
def _(make: Any) -> Iterator[Sample]:
    yield from reduced(make, many=False)
    yield Sample(make())
    yield Sample(make(3))
    yield Sample(make(2, 3))
    yield Sample(make(2, 3), keepdim=True)
    yield Sample(make.strided(2, 3))
    yield Sample(make(0))
    yield Sample(make.integers(4, 5, high=2), 1)


# --- Values and places ------------------------------------------------------------


@op(outputs=("values", "indices"), method=False)
def max_(k: Kernels, x: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The largest elements along `dim`, and where they are."""
    return _found(k, k.argmax, x, dim, keepdim)


@op(outputs=("values", "indices"), method=False)
def min_(k: Kernels, x: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The smallest elements along `dim`, and where they are."""
    return _found(k, k.argmin, x, dim, keepdim)


def _found(k: Any, find: Any, x: Any, dim: int, keepdim: bool) -> Any:
    """The elements at the places that `find` finds along `dim`, and those places."""
    dim = one(x.ndim, dim)
    need_elements(x, (dim,) if x.ndim else ())
    need_order(k, x)

    def body(x: Array, dim: int) -> Any:
        return find(x, axis=dim, keepdims=True)

    return picked(k, x, along(body, k, ranked(k, x), dim), dim, keepdim)


def picked(k: Any, x: Any, places: Any, dim: int, keepdim: bool) -> tuple[Any, Any]:
    """The elements at `places`, one along `dim`, and the places."""
    if x.ndim == 0:
        return x, places
    values = k.take_along_axis(x, places, axis=dim)
    if keepdim:
        return values, places
    return k.squeeze(values, axis=dim), k.squeeze(places, axis=dim)


def put_back(
    k: Any, g: Any, indices: Any, x_shape: Any, dim: Any, keepdim: Any
) -> tuple[Any]:
    """The gradient of `picked`: each at its place, zero elsewhere."""
    if not x_shape:
        return (g,)
    g = restored(k, g, x_shape, dim, keepdim)
    indices = restored(k, indices, x_shape, dim, keepdim)
    return (k.scatter(k.zeros(x_shape, dtype=g.dtype), dim, indices, g),)


max_.joint(put_back)
min_.joint(put_back)


@max_.samples
@min_.samples
def _(make: Any) -> Iterator[Sample]:
    yield from reduced(make, many=False, ties=False)
    yield Sample(make(5, 4), 0, True)
    yield Sample(make.strided(2, 3, 4), -1)
    yield Sample(make.integers(4, 5, high=2), 1)
    if make.dtype.kind == "f":
        yield Sample(make.special(2, 6), 1).named("special", smooth=False)


def max(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """The largest of all elements; with `dim`, (values, indices) along it; with another
    tensor, the larger elements of both.

    >>> import plugrad
    >>> x = plugrad.tensor([[1.0, 5.0], [7.0, 3.0]])
    >>> x.max()
    tensor(7.)
    >>> x.max(dim=1).indices
    tensor([1, 0])
    """
    if not args and not kwargs:
        return _over_all(amax, input)
    return _form(max_, amax, "maximum", input, args, kwargs)


def min(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """The smallest of all elements; with `dim`, (values, indices) along it; with
    another tensor, the smaller elements of both."""
    if not args and not kwargs:
        return _over_all(amin, input)
    return _form(min_, amin, "minimum", input, args, kwargs)


def _over_all(function: Any, x: Tensor) -> Tensor:
    """`amax` or `amin` of all elements, of which there must be some."""
    try:
        return function(x)
    except IndexError as error:
        raise RuntimeError(str(error)) from None


def _form(
    over_dim: Any, over_all: Any, pair: str, x: Tensor, args: Any, kwargs: Any
) -> Any:
    """Choose between the forms of `max` and `min` that take arguments."""
    from ..backend import OPS

    second = args[0] if args else kwargs.get("other")
    if hasattr(second, "_node"):
        return OPS[pair].function(x, *args, **kwargs)
    if not args and set(kwargs) == {"out"}:
        return over_all(x, **kwargs)
    return over_dim(x, *args, **kwargs)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """(min, max) over all elements, or along `dim`."""
    from collections import namedtuple

    dims: Any = () if dim is None else dim
    pair = namedtuple("aminmax", ("min", "max"))
    return pair(amin(input, dims, keepdim), amax(input, dims, keepdim))


# --- The middle and the most frequent ---------------------------------------------


@op(outputs=("values", "indices"), method=False)
def median_(k: Kernels, x: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The lower middle elements along `dim`, and where they are; NaN if any is."""
    return _middle(k, x, dim, keepdim, False)


@op(outputs=("values", "indices"), method=False)
def nanmedian_(k: Kernels, x: Tensor, dim: int, keepdim: bool = False) -> Any:
    """The lower middle of the elements that are not NaN along `dim`, and where."""
    return _middle(k, x, dim, keepdim, True)


def _middle(k: Any, x: Any, dim: int, keepdim: bool, skip: bool) -> Any:
    """The elements at the middle of the sorted ones."""
    dim = one(x.ndim, dim)
    need_elements(x, (dim,) if x.ndim else ())
    need_order(k, x)

    def body(x: Array, dim: int) -> Array:
        order = k.argsort(x, axis=dim, stable=True)
        last = x.shape[dim] - 1
        middle = k.full_like(part(order, dim, 0, 1), last // 2)
        if is_floating(k, x):
            nans = k.astype(k.isnan(x), k.int64)
            n = k.sum(nans, axis=dim, keepdims=True)
            if skip:
                left = (last - n) // 2
                middle = k.where(left < 0, k.zeros_like(left), left)
            else:
                middle = k.where(n > 0, last + 1 - n, middle)
        return k.take_along_axis(order, middle, axis=dim)

    return picked(k, x, along(body, k, ranked(k, x), dim), dim, keepdim)


@op(outputs=("values", "indices"))
def mode(k: Kernels, x: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """The most frequent elements along `dim`, the smallest of them, and where they last
    are."""
    dim = one(x.ndim, dim)
    need_elements(x, (dim,) if x.ndim else ())
    need_order(k, x)

    def body(x: Array, dim: int) -> Array:
        order = k.argsort(x, axis=dim, stable=True)
        y = k.take_along_axis(x, order, axis=dim)
        n = x.shape[dim]
        length = k.ones(x.shape, dtype=k.int64)  # of the run of equals up to here
        for i in range(1, n):
            length = length + k.astype(_same_before(k, y, i, dim), k.int64)
        last = k.argmax(length, axis=dim, keepdims=True)
        return k.take_along_axis(order, last, axis=dim)

    return picked(k, x, along(body, k, ranked(k, x), dim), dim, keepdim)


def _same_before(k: Any, y: Any, i: int, dim: int) -> Any:
    """Whether the element `i` places before is the same; false where there is none."""
    n = y.shape[dim]
    same = part(y, dim, i, None) == part(y, dim, 0, n - i)
    none = k.zeros(part(y, dim, 0, i).shape, dtype=k.bool)
    return k.concat([none, same], axis=dim)


median_.joint(put_back)
nanmedian_.joint(put_back)
mode.joint(put_back)


@median_.samples
@nanmedian_.samples
@mode.samples
def _(make: Any) -> Iterator[Sample]:
    yield Sample(make(), 0)
    yield Sample(make(), -1, True)
    yield Sample(make(0, 3), 1)
    yield Sample(make(0, 3), 0)
    for shape, dim in (((1,), 0), ((4,), 0), ((5,), -1), ((3, 4), 0), ((4, 3), 1)):
        yield Sample(distinct(make, *shape), dim)  # among equals, any place would do
        yield Sample(distinct(make, *shape), dim, True)
    yield Sample(distinct(make, 2, 3, 4), dim=-2)
    yield Sample(distinct(make, 2, 3, 4), 3)
    if make.dtype.kind == "f":
        nan = float("nan")
        values = [0.0, nan, 1.0, 2.0, 6.0, 3.0, 5.0, 4.0]
        x = make.tensor(make.filled((2, 4), values, make.dtype))
        yield Sample(x, 1).named("NaN", smooth=False)


def median(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """The lower middle of all elements; with `dim`, (values, indices) along it.

    >>> import plugrad
    >>> plugrad.tensor([4.0, 1.0, 3.0, 2.0]).median()
    tensor(2.)
    """
    if args or kwargs:
        return median_(input, *args, **kwargs)
    return _middle_of_all(median_, input)


def nanmedian(input: Tensor, *args: Any, **kwargs: Any) -> Any:
    """`median` of the elements that are not NaN."""
    if args or kwargs:
        return nanmedian_(input, *args, **kwargs)
    return _middle_of_all(nanmedian_, input)


def _middle_of_all(function: Any, x: Tensor) -> Tensor:
    """The median of all elements: NaN if there are none."""
    flat = x.reshape(-1)
    if flat.shape[0]:
        return function(flat, 0).values
    return flat.sum() * float("nan")


def quantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """The elements at the fractions `q` of the sorted elements along `dim` or of all.

    `interpolation` says what lies between two elements: "linear", "lower", "higher",
    "nearest" or "midpoint".

    >>> import plugrad
    >>> plugrad.quantile(plugrad.tensor([1.0, 2.0, 3.0, 4.0]), 0.5)
    tensor(2.5000)
    """
    return _quantile(input, q, dim, keepdim, interpolation, False)


def nanquantile(
    input: Tensor,
    q: float | Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    interpolation: str = "linear",
) -> Tensor:
    """`quantile` of the elements that are not NaN."""
    return _quantile(input, q, dim, keepdim, interpolation, True)


def _quantile(
    x: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, skip: bool
) -> Tensor:
    """Sort, then mix the two elements on either side of each fraction."""
    from .. import tensor

    if x.dtype.kind != "f":
        raise RuntimeError(
            f"quantile() input tensor must be either float or double dtype, not "
            f"{x.dtype}; cast with .float()"
        )
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            "quantile() interpolation must be one of linear, lower, higher, midpoint "
            f"or nearest, but got {interpolation}"
        )
    if not hasattr(q, "_node"):
        q = tensor(q, dtype=x.dtype)
    if q.dtype is not x.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if q.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    if not x.numel():
        raise RuntimeError("quantile() input tensor must be non-empty")
    result_shape = list(kept(x.shape, dim)) if keepdim else None
    if dim is None or x.ndim == 0:
        x, last = x.reshape(-1), 0
    else:
        last = one(x.ndim, dim)
        x = x.movedim(last, -1)
    y = x.sort(-1).values
    valid = y == y
    n = valid.sum(-1, keepdim=True)
    rank = q.reshape(-1) * (n - 1).to(x.dtype)
    if not skip:
        rank = rank.where(valid.all(-1, keepdim=True), y.shape[-1] - 1.0)
    rank = rank.clamp(min=0)
    if interpolation == "nearest":
        rank = rank.round()
    low, high = rank.floor(), rank.ceil()
    first, second = y.gather(-1, low.long()), y.gather(-1, high.long())
    if interpolation in ("lower", "nearest"):
        found = first
    elif interpolation == "higher":
        found = second
    else:
        weight = 0.5 if interpolation == "midpoint" else rank - low
        found = first + (second - first) * weight
    found = found.movedim(-1, 0)
    if result_shape is not None:
        found = found.reshape([found.shape[0], *result_shape])
    return found if q.ndim else found.reshape(found.shape[1:])


METHODS = [aminmax, max, median, min, nanmedian, nanquantile, quantile]
