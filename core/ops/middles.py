"""The middle and the most frequent elements, and those at other fractions.

What names one place sends its gradient there; the median of all elements shares it
among those that equal it.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import along, distinct, is_floating, kept, need_order, one, part, ranked
from .extremes import need_elements, picked, put_back

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = ["median", "mode", "nanmedian", "nanquantile", "quantile"]


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
    are.

    >>> import plugrad
    >>> values, indices = plugrad.mode(plugrad.tensor([2, 1, 2, 1, 3]))
    >>> values, indices
    (tensor(1), tensor(3))
    """
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
    """`median` of the elements that are not NaN.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, plugrad.nan, 3.0, 2.0])
    >>> plugrad.nanmedian(x), plugrad.median(x)
    (tensor(2.), tensor(nan))
    """
    if args or kwargs:
        return nanmedian_(input, *args, **kwargs)
    return _middle_of_all(nanmedian_, input)


def _middle_of_all(function: Any, x: Tensor) -> Tensor:
    """The median of all elements: NaN if there are none. Those that equal it share the
    gradient, as they do in `amax`."""
    from ..modes import no_grad

    flat = x.reshape(-1)
    if not flat.shape[0]:
        return flat.sum() * float("nan")
    with no_grad():
        middle = function(flat, 0).values
    if x._node is None:
        return middle
    if bool(middle != middle):
        chosen = flat != flat
        return flat.where(chosen, 0.0).sum() / chosen.sum()
    return flat.where(flat == middle, float("-inf")).amax()


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
    """`quantile` of the elements that are not NaN.

    >>> import plugrad
    >>> plugrad.nanquantile(plugrad.tensor([1.0, plugrad.nan, 3.0]), 0.5)
    tensor(2.)
    """
    return _quantile(input, q, dim, keepdim, interpolation, True)


def _fractions(x: Tensor, q: Any, interpolation: str) -> Tensor:
    """The fractions as a tensor, once it is sure that all arguments fit."""
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
        q = x.new_tensor(q)
    if q.dtype is not x.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if q.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    if not x.numel():
        raise RuntimeError("quantile() input tensor must be non-empty")
    return q


def _quantile(
    x: Tensor, q: Any, dim: Any, keepdim: bool, interpolation: str, skip: bool
) -> Tensor:
    """Sort, then mix the two elements on either side of each fraction."""
    q = _fractions(x, q, interpolation)
    shape = kept(x.shape, dim)
    if dim is None or x.ndim == 0:
        x = x.reshape(-1)
    else:
        x = x.movedim(dim, -1)
    y = x.sort(-1).values  # NaN at the end
    valid = y == y
    rank = q.reshape(-1) * (valid.sum(-1, keepdim=True) - 1).to(x.dtype)
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
    if keepdim:
        found = found.reshape([found.shape[0], *shape])
    return found if q.ndim else found.reshape(found.shape[1:])


METHODS = [median, nanmedian, nanquantile, quantile]
