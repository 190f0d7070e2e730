"""The largest and the smallest elements, and where they are.

- `max` and `min` have PyTorch's several forms: over all elements; over one
  dimension, with the places where the elements were found; `max(a, b)` elementwise.
- Where the result names one place, the gradient goes there; else equal elements share
  it evenly. NaN wins over all.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import (
    along,
    kept,
    need_order,
    one,
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
    "min",
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
    gradient.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 3.0, 3.0], requires_grad=True)
    >>> plugrad.amax(x).backward()
    >>> x.grad
    tensor([0.0000, 0.5000, 0.5000])
    """
    dims = several(x.ndim, dim)
    need_elements(x, dims)
    need_order(k, x)
    if k.isdtype(x.dtype, "bool"):
        return k.any(x, axis=dims, keepdims=keepdim)
    return k.max(x, axis=dims, keepdims=keepdim)


@op
def amin(k: Kernels, x: Tensor, dim: Dim = (), keepdim: bool = False) -> Tensor:
    """The smallest elements over one, several or all dimensions; equal ones share the
    gradient.

    >>> import plugrad
    >>> plugrad.amin(plugrad.tensor([[1, 2], [3, 0]]), dim=1)
    tensor([1, 0])
    """
    dims = several(x.ndim, dim)
    need_elements(x, dims)
    need_order(k, x)
    if k.isdtype(x.dtype, "bool"):
        return k.all(x, axis=dims, keepdims=keepdim)
    return k.min(x, axis=dims, keepdims=keepdim)


def _shared(k: Any, g: Any, x: Any, y: Any, dim: Any, keepdim: Any) -> Any:
    """The gradient shared among the elements that equal the result."""
    g = restored(k, g, x.shape, dim, keepdim)
    chosen = x == restored(k, y, x.shape, dim, keepdim)
    count = k.sum(k.astype(chosen, g.dtype), axis=several(x.ndim, dim), keepdims=True)
    g = g / count
    return (k.where(chosen, g, g * 0),)  # NaN where nothing equals the result, a NaN


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
    """Where the largest element is: along `dim`, or among all in row-major order.

    >>> import plugrad
    >>> x = plugrad.tensor([[1, 9], [5, 2]])
    >>> plugrad.argmax(x), plugrad.argmax(x, dim=1)
    (tensor(1), tensor([1, 0]))
    """
    return _place(k, k.argmax, x, dim, keepdim)


@op
def argmin(
    k: Kernels, x: Tensor, dim: int | None = None, keepdim: bool = False
) -> Tensor:
    """Where the smallest element is: along `dim`, or among all in row-major order.

    >>> import plugrad
    >>> x = plugrad.tensor([[4, 9], [5, 2]])
    >>> plugrad.argmin(x), plugrad.argmin(x, dim=1)
    (tensor(3), tensor([0, 1]))
    """
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
        return k.copy(x), places  # not a view
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
    if not keepdim:
        g = k.reshape(g, kept(x_shape, dim))
        indices = k.reshape(indices, kept(x_shape, dim))
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
    another tensor, the smaller elements of both.

    >>> import plugrad
    >>> values, indices = plugrad.min(plugrad.tensor([[3, 1], [2, 5]]), dim=1)
    >>> values, indices
    (tensor([1, 2]), tensor([1, 0]))
    """
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
    from ..interface import OPS

    second = args[0] if args else kwargs.get("other")
    if hasattr(second, "_node"):
        return OPS[pair].function(x, *args, **kwargs)
    if not args and set(kwargs) == {"out"}:
        return over_all(x, **kwargs)
    return over_dim(x, *args, **kwargs)


def aminmax(input: Tensor, *, dim: int | None = None, keepdim: bool = False) -> Any:
    """(min, max) over all elements, or along `dim`.

    >>> import plugrad
    >>> low, high = plugrad.aminmax(plugrad.tensor([3, 1, 2]))
    >>> low, high
    (tensor(1), tensor(3))
    """
    from collections import namedtuple

    dims: Any = () if dim is None else dim
    pair = namedtuple("aminmax", ("min", "max"))
    return pair(amin(input, dims, keepdim), amax(input, dims, keepdim))


METHODS = [aminmax, max, min]
