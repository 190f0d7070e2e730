"""Distinct elements and how often they occur."""

from __future__ import annotations

from ..declare import Sample, op
from .dims import one, ranked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = ["bincount", "histc", "unique", "unique_consecutive"]


# --- Distinct elements ------------------------------------------------------------


@op(multiple="tuple", method=False, oracle=None, no_grad_reason="elements may coincide")
def distinct(k: Kernels, x: Tensor, dim: int | None, in_order: bool) -> Any:
    """The distinct elements of `x`, or slices along `dim`; for each place of `x` the
    number of its element; how often each occurs. With `in_order`, x is sorted first;
    else only neighbours are compared."""
    if k.isdtype(x.dtype, "complex floating"):
        raise NotImplementedError(f"not implemented for {x.dtype}, which has no order")
    shape = x.shape
    if dim is None:
        rows = k.reshape(x, (-1, 1))
    else:
        dim = one(x.ndim, dim)
        rows = k.permute_dims(x, (dim, *(d for d in range(x.ndim) if d != dim)))
        shape, sizes = rows.shape[:1], rows.shape[1:]
        rows = k.reshape(rows, (rows.shape[0], size(sizes)))
    n = rows.shape[0]
    order = k.arange(n, dtype=k.int64)
    if in_order:  # by the last column first: stable sorts keep what came before
        for i in reversed(range(rows.shape[1])):
            column = k.take(rows[:, i], order, axis=0)
            order = k.take(order, k.argsort(ranked(k, column), stable=True), axis=0)
        rows = k.take(rows, order, axis=0)
    first = min(n, 1)
    new = k.any(rows[first:, :] != rows[: n - first, :], axis=1)
    new = k.concat([k.ones((first,), dtype=k.bool), new])
    (firsts,) = k.nonzero(new)
    number = k.cumulative_sum(k.astype(new, k.int64)) - 1
    inverse = k.take(number, k.argsort(order, stable=True), axis=0)
    ends = k.concat([firsts[first:], k.full((first,), n, dtype=firsts.dtype)])
    values = k.take(rows, firsts, axis=0)
    if dim is None:
        values = k.reshape(values, (-1,))
    else:
        values = k.reshape(values, (values.shape[0], *sizes))
        after = list(range(1, x.ndim))
        after.insert(dim, 0)
        values = k.permute_dims(values, tuple(after))
    return [values, k.reshape(inverse, shape), ends - firsts]


def size(sizes: tuple[int, ...]) -> int:
    """The product of sizes."""
    n = 1
    for each in sizes:
        n *= each
    return n


@distinct.samples
def _(make: Any) -> Iterator[Sample]:
    for in_order in (True, False):
        for shape in ((), (0,), (1,), (7,), (3, 4)):
            yield Sample(make.integers(*shape, high=3), None, in_order)
        for dim in (0, 1, -1):
            yield Sample(make.integers(4, 2, high=2), dim, in_order)
        yield Sample(make(5), None, in_order)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements in rising order, or the distinct slices along `dim`.

    >>> import plugrad
    >>> plugrad.unique(plugrad.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    return _chosen(distinct(input, dim, True), return_inverse, return_counts)


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The elements, or the slices along `dim`, of each run of equal ones the first.

    >>> import plugrad
    >>> plugrad.unique_consecutive(plugrad.tensor([1, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 1]), tensor([2, 1, 1]))
    """
    return _chosen(distinct(input, dim, False), return_inverse, return_counts)


def _chosen(found: Any, return_inverse: bool, return_counts: bool) -> Any:
    """What the caller asked for: one tensor, or a tuple."""
    values, inverse, counts = found
    asked = [values]
    asked += [inverse] if return_inverse else []
    asked += [counts] if return_counts else []
    return asked[0] if len(asked) == 1 else tuple(asked)


# --- How often --------------------------------------------------------------------


@op(no_grad_reason="counts integers; PyTorch gives the weights no gradient")
def bincount(
    k: Kernels, x: Tensor, weights: Tensor | None = None, minlength: int = 0
) -> Tensor:
    """How often each of 0, 1, 2, ... occurs; or the sums of its weights.

    >>> import plugrad
    >>> plugrad.bincount(plugrad.tensor([0, 2, 2]))
    tensor([1, 0, 2])
    """
    check_counted(k, x, weights, minlength)
    n = max(minlength, int(k.max(x)) + 1 if x.shape[0] else 0)
    hits = k.expand_dims(x, axis=1) == k.arange(n, dtype=x.dtype)
    if weights is None or not x.shape[0]:  # PyTorch counts even then
        return k.sum(k.astype(hits, k.int64), axis=0)
    if weights.dtype != k.float32:
        weights = k.astype(weights, k.float64)
    weights = k.expand_dims(weights, axis=1)
    return k.sum(k.where(hits, weights, k.zeros_like(weights)), axis=0)


def check_counted(k: Kernels, x: Array, weights: Array | None, minlength: int) -> None:
    """Raise unless `x` can be counted."""
    if not k.isdtype(x.dtype, "integral"):
        raise RuntimeError(f"not implemented for {x.dtype}: only integers are counted")
    if minlength < 0:
        raise RuntimeError(f"minlength should be >= 0, but it is {minlength}")
    if x.ndim != 1 or (x.shape[0] and int(k.min(x)) < 0):
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != x.shape:
        raise RuntimeError(
            "weights should be 1-d and have the same length as input, but the shapes "
            f"are {list(weights.shape)} and {list(x.shape)}"
        )


@bincount.samples
def _(make: Any) -> Iterator[Sample]:
    for n in (0, 1, 5, 20):
        yield Sample(make.integers(n))
        yield Sample(make.integers(n), None, 7)
        if make.dtype.kind != "c":
            yield Sample(make.integers(n), make(n, requires_grad=False))
    yield Sample(make.integers(6, high=3), minlength=2)
    yield Sample(make.integers(2, 3)).named("2-d", smooth=False)
    yield Sample(make.integers(3, low=-3, high=0)).named("negative", smooth=False)
    yield Sample(make.integers(3), make(2, requires_grad=False)).named("weights", False)


@op(no_grad_reason="counts elements")
def histc(
    k: Kernels, x: Tensor, bins: int = 100, min: float = 0, max: float = 0
) -> Tensor:
    """How many elements lie in each of `bins` parts of equal width from `min` to `max`;
    by default, from the smallest element to the largest.

    >>> import plugrad
    >>> plugrad.histc(plugrad.tensor([1.0, 2.0, 1.0, 9.0]), bins=3, min=0, max=3)
    tensor([0., 2., 1.])
    """
    if not k.isdtype(x.dtype, "real floating"):
        raise NotImplementedError(f"not implemented for {x.dtype}; cast with .float()")
    if bins <= 0:
        raise RuntimeError(f"bins must be > 0, but it is {bins}")
    x = k.reshape(x, (-1,))
    if min == max and x.shape[0]:
        min, max = float(k.min(x)), float(k.max(x))
    if min == max:
        min, max = min - 1, max + 1
    if not (min > -INF and max < INF):
        raise RuntimeError(f"range of [{min}, {max}] is not finite")
    if min > max:
        raise RuntimeError(f"max must be larger than min, but {max} < {min}")
    place = k.floor((x - min) * bins / (max - min))
    place = k.where(place == bins, place - 1, place)  # the last part has its end
    inside = (x >= min) & (x <= max)
    place = k.where(inside, place, k.full_like(place, -1))
    hits = k.expand_dims(place, axis=1) == k.arange(bins, dtype=x.dtype)
    return k.sum(k.astype(hits, x.dtype), axis=0)


INF = float("inf")


@histc.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (1,), (6,), (3, 4), (0,)):
        yield Sample(make(*shape, requires_grad=False), 5)
        yield Sample(make(*shape, requires_grad=False), 4, -1, 1)
    yield Sample(make(5, requires_grad=False))
    yield Sample(make(5, requires_grad=False), bins=3, min=-2, max=2)
    yield Sample(make(5, requires_grad=False), 3, 2, 1).named("no range", smooth=False)


METHODS = [unique, unique_consecutive]
