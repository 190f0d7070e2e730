"""Reductions over dimensions: sums, means, products, variances, truth.

`dim` is one dimension, several, or None for all; `keepdim` leaves the reduced ones in
place with size 1; `dtype` is what the elements are cast to first.
"""

from __future__ import annotations

from math import prod as _count

from ..declare import Sample, op
from .dims import conjugate, is_floating, part, reduced, restored, several, size, spread
from .math import typed_as

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Dim = int | tuple[int, ...] | None

__all__ = [
    "all",
    "any",
    "count_nonzero",
    "mean",
    "nanmean",
    "nansum",
    "prod",
    "std",
    "std_mean",
    "sum",
    "var",
    "var_mean",
]


# --- Sums -------------------------------------------------------------------------


@op(promote="sum")
def sum(
    k: Kernels, x: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The sum over one, several or all dimensions.

    >>> import plugrad
    >>> x = plugrad.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x.sum()
    tensor(10.)
    >>> x.sum(0)
    tensor([4., 6.])
    """
    return k.sum(x, axis=several(x.ndim, dim), dtype=x.dtype, keepdims=keepdim)


sum.grad(x=spread)


@sum.samples
def _(make: Any) -> Iterator[Sample]:
    yield from reduced(make)
    yield Sample(make(2, 3), ())


@op(promote="sum")
def nansum(
    k: Kernels, x: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The sum of the elements that are not NaN.

    >>> import plugrad
    >>> plugrad.nansum(plugrad.tensor([1.0, plugrad.nan, 3.0]))
    tensor(4.)
    """
    if is_floating(k, x):
        x = k.where(k.isnan(x), k.zeros_like(x), x)
    return k.sum(x, axis=several(x.ndim, dim), dtype=x.dtype, keepdims=keepdim)


@nansum.joint
def _nansum_rule(k: Any, g: Any, x: Any, dim: Any, keepdim: Any) -> Any:
    g = spread(k, g, x.shape, dim, keepdim)
    return (k.where(k.isnan(x), k.zeros_like(g), g),)


@nansum.samples
def _(make: Any) -> Iterator[Sample]:
    yield from reduced(make)
    if make.dtype.kind == "f":
        values = [1.0, float("nan"), 2.0, *[float("nan")] * 3]
        for args in ((), (1,)):
            x = make.tensor(make.filled((2, 3), values, make.dtype))
            yield Sample(x, *args).named(f"NaN {args}", smooth=False)


@op(promote="same", inplace=False)
def mean(
    k: Kernels, x: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The mean over one, several or all dimensions.

    >>> import plugrad
    >>> plugrad.tensor([1.0, 2.0, 6.0]).mean()
    tensor(3.)
    """
    if not is_floating(k, x):
        raise RuntimeError(
            "could not infer output dtype: the mean of integers is none; give "
            "dtype=, or cast with .float()"
        )
    dims = several(x.ndim, dim)
    return k.sum(x, axis=dims, keepdims=keepdim) / size(x.shape, dims)


@mean.joint
def _mean_rule(k: Any, g: Any, x_shape: Any, dim: Any, keepdim: Any) -> Any:
    n = _count(x_shape) if dim is None else size(x_shape, several(len(x_shape), dim))
    return (spread(k, g / max(n, 1), x_shape, dim, keepdim),)


mean.samples(reduced)


def nanmean(
    input: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """The mean of the elements that are not NaN.

    >>> import plugrad
    >>> plugrad.nanmean(plugrad.tensor([1.0, plugrad.nan, 3.0]))
    tensor(2.)
    """
    if dtype is None and input.dtype.kind not in "fc":
        raise RuntimeError(
            "nanmean(): expected input to be of floating point, but got "
            f"{input.dtype}; give dtype=, or cast with .float()"
        )
    total = nansum(input, dim, keepdim, dtype=dtype)
    return total / (input == input).sum(dim, keepdim)


# --- Products ---------------------------------------------------------------------


@op(promote="sum")
def prod(
    k: Kernels,
    x: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Tensor:
    """The product over one or all dimensions.

    >>> import plugrad
    >>> plugrad.prod(plugrad.tensor([[1, 2], [3, 4]]), 1)
    tensor([ 2, 12])
    >>> plugrad.prod(plugrad.tensor([]))
    tensor(1.)
    """
    if isinstance(dim, (tuple, list)):
        raise TypeError("argument 'dim' must be one int; call prod once for each")
    return k.prod(x, axis=several(x.ndim, dim), dtype=x.dtype, keepdims=keepdim)


@prod.joint
def _prod_rule(k: Any, g: Any, x: Any, dim: Any, keepdim: Any) -> Any:
    """Each element's gradient is the product of all others; those before it and those
    after it are multiplied, so that zeros need no care."""
    g = restored(k, g, x.shape, dim, keepdim)
    if dim is None or x.ndim == 0:
        others = k.reshape(_others(k, k.reshape(x, (-1,)), 0), x.shape)
    else:
        others = _others(k, x, dim)
    return (g * others,)


def _others(k: Any, x: Any, dim: int) -> Any:
    """For each place along `dim`, the product of the elements at all other places."""
    before = k.cumprod(_shifted(k, x, dim), dim)
    after = k.cumprod(_shifted(k, k.flip(x, axis=dim), dim), dim)
    return before * k.flip(after, axis=dim)


def _shifted(k: Any, x: Any, dim: int) -> Any:
    """`x` moved on by one place along `dim`, with a one at the start."""
    first = k.ones_like(part(x, dim, 0, 1))
    return k.concat([first, part(x, dim, 0, -1)], axis=dim)


@prod.samples
def _(make: Any) -> Iterator[Sample]:
    yield Sample(make())
    yield Sample(make(3))
    yield Sample(make(2, 3))
    yield from reduced(make, many=False)
    zeros = [2, 0, 3, 0, 0, 1, 1, 2, 3]
    yield Sample(make.tensor(make.filled((3, 3), zeros, make.dtype)), 1)
    yield Sample(make.tensor(make.filled((3,), zeros, make.dtype)))


# --- Variances --------------------------------------------------------------------


@op(method=False)
def var_(
    k: Kernels, x: Tensor, dim: Dim = None, correction: float = 1, keepdim: bool = False
) -> Tensor:
    """The mean square of the distances to the mean."""
    if not is_floating(k, x):
        raise RuntimeError(
            "var and std only support floating point and complex dtypes; cast with "
            ".float()"
        )
    dims = several(x.ndim, dim)
    n = size(x.shape, dims)
    d = x - _mean(k, x, dims)
    squares = k.real(d * conjugate(k, d)) if k.isdtype(d.dtype, COMPLEX) else d * d
    total = k.sum(squares, axis=dims, keepdims=keepdim)
    return total / k.asarray(max(n - correction, 0), dtype=total.dtype)


COMPLEX = "complex floating"


def _mean(k: Any, x: Any, dims: Any) -> Any:
    """The mean over `dims`, which stay; of no elements, whatever."""
    return k.sum(x, axis=dims, keepdims=True) / max(size(x.shape, dims), 1)


@var_.joint
def _var_rule(k: Any, g: Any, x: Any, dim: Any, correction: Any, keepdim: Any) -> Any:
    dims = several(x.ndim, dim)
    n = size(x.shape, dims)
    freedom = max(n - correction, 0)
    g = restored(k, g, x.shape, dim, keepdim)
    g = typed_as(k, g * (2 / freedom if freedom else float("nan")), g)
    return (g * conjugate(k, x - _mean(k, x, dims)),)


@op(method=False)
def std_(
    k: Kernels, x: Tensor, dim: Dim = None, correction: float = 1, keepdim: bool = False
) -> Tensor:
    """The square root of the variance."""
    return k.sqrt(var_.op.body(k, x, dim, correction, keepdim))


@std_.joint
def _std_rule(
    k: Any, g: Any, x: Any, y: Any, dim: Any, correction: Any, keepdim: Any
) -> Any:
    """By way of the variance; where all elements are equal, zero as PyTorch's."""
    flat = y == 0
    g = k.where(flat, k.zeros_like(g), g / (k.where(flat, k.ones_like(y), y) * 2))
    return _var_rule(k, g, x, dim, correction, keepdim)


@var_.samples
@std_.samples
def _(make: Any) -> Iterator[Sample]:
    for x, options in (
        (make(3), {}),
        (make(2, 3), {}),
        (make(2, 3), {"dim": 0}),
        (make(2, 3), {"dim": -1, "keepdim": True}),
        (make(2, 3), {"dim": 1, "correction": 0}),
        (make(4, 3), {"dim": 0, "correction": 2}),
        (make(2, 3, 4), {"dim": (0, 2)}),
        (make(2, 3, 4), {"dim": (0, -1), "keepdim": True, "correction": 0}),
        (make.strided(3, 4), {"dim": 1}),
        (make(), {"correction": 0}),
        (make(), {"dim": 0, "correction": 0}),
        (make(2, 0, 3), {"dim": 0}),
    ):
        yield Sample(x, **options)


def _spread_form(function: Any, name: str, doc: str) -> Any:
    """A function with PyTorch's several forms: `var(x, dim, unbiased, keepdim)`,
    `var(x, unbiased)` and `var(x, dim, correction=, keepdim=)`."""

    def form(
        input: Tensor,
        dim: Dim = None,
        unbiased: bool = True,
        keepdim: bool = False,
        *,
        correction: float | None = None,
        axis: Dim = None,
        keepdims: bool | None = None,
        out: Tensor | None = None,
    ) -> Tensor:
        if dim is True or dim is False:  # var(x, unbiased)
            dim, unbiased = None, dim
        if correction is None:
            correction = 1 if unbiased else 0
        if axis is not None:
            dim = axis
        if keepdims is not None:
            keepdim = keepdims
        if out is not None:
            return function(input, dim, correction, keepdim, out=out)
        return function(input, dim, correction, keepdim)

    form.__name__ = form.__qualname__ = name
    form.__doc__ = doc
    return form


var = _spread_form(
    var_,
    "var",
    """The variance over one, several or all dimensions.

    `correction` is subtracted from the number of elements that the sum of squares is
    divided by; `unbiased=False` is `correction=0`.

    >>> import plugrad
    >>> plugrad.tensor([1.0, 2.0, 3.0]).var()
    tensor(1.)
    """,
)
std = _spread_form(
    std_,
    "std",
    """The standard deviation over one, several or all dimensions: `var`'s root.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, 5.0])
    >>> plugrad.std(x, correction=0), plugrad.std(x)
    (tensor(2.), tensor(2.8284))
    """,
)


def var_mean(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """The variance and the mean, with the arguments of `var`.

    >>> import plugrad
    >>> plugrad.var_mean(plugrad.tensor([1.0, 5.0]))
    (tensor(8.), tensor(3.))
    """
    return var(input, *args, **kwargs), _mean_beside(input, *args, **kwargs)


def std_mean(input: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
    """The standard deviation and the mean, with the arguments of `std`.

    >>> import plugrad
    >>> plugrad.std_mean(plugrad.tensor([1.0, 5.0]), correction=0)
    (tensor(2.), tensor(3.))
    """
    return std(input, *args, **kwargs), _mean_beside(input, *args, **kwargs)


def _mean_beside(
    input: Tensor,
    dim: Dim = None,
    unbiased: bool = True,
    keepdim: bool = False,
    *,
    correction: float | None = None,
    axis: Dim = None,
    keepdims: bool = False,
) -> Tensor:
    """The mean over the dimensions that the arguments of `var` name."""
    dim = dim if axis is None else axis
    return mean(input, None if isinstance(dim, bool) else dim, keepdim or keepdims)


# --- Truth ------------------------------------------------------------------------


@op
def all(k: Kernels, x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether all elements are true (not zero).

    >>> import plugrad
    >>> plugrad.all(plugrad.tensor([[1, 2], [0, 3]]), dim=1)
    tensor([ True, False])
    >>> plugrad.all(plugrad.tensor([]))
    tensor(True)
    """
    y = k.all(x, axis=several(x.ndim, dim), keepdims=keepdim)
    return k.astype(y, x.dtype) if x.dtype == k.uint8 else y


@op
def any(k: Kernels, x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether any element is true (not zero).

    >>> import plugrad
    >>> plugrad.any(plugrad.tensor([[1, 2], [0, 0]]), dim=1)
    tensor([ True, False])
    >>> plugrad.any(plugrad.tensor([]))
    tensor(False)
    """
    y = k.any(x, axis=several(x.ndim, dim), keepdims=keepdim)
    return k.astype(y, x.dtype) if x.dtype == k.uint8 else y


all.samples(reduced)
any.samples(reduced)


@op
def count_nonzero(k: Kernels, x: Tensor, dim: Dim = None) -> Tensor:
    """How many elements are not zero.

    >>> import plugrad
    >>> plugrad.count_nonzero(plugrad.tensor([[1, 0, 2], [0, 0, 3]]), dim=1)
    tensor([2, 1])
    """
    marks = k.astype(x != k.zeros_like(x), k.int64)
    return k.sum(marks, axis=several(x.ndim, dim))


@count_nonzero.samples
def _(make: Any) -> Iterator[Sample]:
    for each in reduced(make):
        each.kwargs.pop("keepdim", None)
        yield Sample(*each.args[:2], **each.kwargs)
    yield Sample(make.integers(3, 4, high=2), 0)


METHODS = [nanmean, std, var]
