"""`scatter` and `scatter_reduce`: values put, or combined, where an index says."""

from __future__ import annotations

from ..declare import Sample, op
from .dims import one
from .picking import checked_dim, mesh, same_dtype
from .putting import scatter_, scatter_add

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Number = bool | int | float | complex

__all__ = ["scatter", "scatter_reduce"]

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


def scatter(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Number | None = None,
    reduce: str | None = None,
) -> Tensor:
    """A copy with elements of `src`, or a number, put where `index` says along `dim`;
    with `reduce="add"` or `"multiply"` they are combined with what is there.

    >>> import plugrad
    >>> index = plugrad.tensor([[2, 0]])
    >>> plugrad.zeros(3, 2).scatter(0, index, 1.0)
    tensor([[0., 1.],
            [0., 0.],
            [1., 0.]])
    """
    given: Any = value if src is None else src
    if given is None:
        raise TypeError("scatter(): give the values as 'src' or as 'value'")
    if reduce is None:
        return scatter_(input, dim, index, given)
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not hasattr(given, "_a"):
        from ..tensor import wrap
        from .shape import expand

        k = input._k
        given = expand(wrap(k, k.make_scalar(given, input.dtype)), index._a.shape)
    if reduce == "add":
        return scatter_add(input, dim, index, given)
    return scatter_reduce(input, dim, index, given, "prod")


def scatter_in_place(
    input: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor | Number | None = None,
    *,
    value: Number | None = None,
    reduce: str | None = None,
) -> Tensor:
    """`scatter`, written into this tensor."""
    from ..inplace import check_writable, write_result

    check_writable(input)
    made = scatter(input, dim, index, src, value=value, reduce=reduce)
    write_result(input, made, "scatter_")
    return input


scatter_in_place.__name__ = "scatter_"


@op(inplace=True)
def scatter_reduce(
    k: Kernels,
    x: Tensor,
    dim: int,
    index: Tensor,
    src: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """`x` with elements of `src` combined into it where `index` says: by sum, prod,
    mean, amax or amin. Without `include_self`, what was there does not count.

    >>> import plugrad
    >>> x, index = plugrad.tensor([9.0, 9.0]), plugrad.tensor([0, 0, 1])
    >>> src = plugrad.tensor([1.0, 3.0, 5.0])
    >>> plugrad.scatter_reduce(x, 0, index, src, "mean", include_self=False)
    tensor([2., 5.])
    """
    if reduce not in REDUCTIONS:
        raise RuntimeError(
            "reduce argument must be either sum, prod, mean, amax or amin, got "
            f"{reduce!r}"
        )
    at = checked_dim("scatter_reduce", k, x, dim, index, src)
    same_dtype("scatter_reduce", x, src)
    if reduce == "mean" and k.isdtype(x.dtype, "bool"):
        raise RuntimeError("scatter_reduce: there is no mean of bools")
    if 0 in index.shape:
        return k.copy(x)
    flat = mesh(k, x.shape, at, index) if x.ndim else k.reshape(index, (-1,))
    if tuple(src.shape) != tuple(index.shape):
        src = k.getitem(src, tuple(slice(0, n) for n in index.shape))
    values = k.reshape(src, (-1,))
    y = k.reshape(x, (-1,))
    if not include_self:
        start = k.make_scalar(neutral(k, x.dtype, reduce), k.dtype_of(x))
        y = k.put_flat(y, flat, k.broadcast_to(start, values.shape), False)
    if reduce in ("sum", "mean"):
        y = k.put_flat(y, flat, values, True)
    else:
        y = k.combine_flat(y, flat, values, reduce)
    if reduce == "mean":
        counts = k.ones(y.shape, dtype=x.dtype)
        ones = k.ones(values.shape, dtype=x.dtype)
        if not include_self:
            counts = k.put_flat(counts, flat, k.zeros_like(ones), False)
        counts = k.put_flat(counts, flat, ones, True)
        whole = k.isdtype(x.dtype, "integral")
        y = y // counts if whole else y / counts
    return k.reshape(y, x.shape)


def neutral(k: Any, native: Any, reduce: str) -> Any:
    """The number that changes nothing when it is combined."""
    if reduce in ("sum", "mean", "prod"):
        return int(reduce == "prod")
    low = reduce == "amax"
    if k.isdtype(native, "real floating"):
        return float("-inf") if low else float("inf")
    if k.isdtype(native, "bool"):
        return not low
    bounds = k.iinfo(native)
    return int(bounds.min if low else bounds.max)


@scatter_reduce.joint
def _(
    k: Any,
    g: Any,
    x: Any,
    dim: int,
    index: Any,
    src: Any,
    reduce: str,
    include_self: bool,
    y: Any,
) -> tuple[Any, None, Any]:
    whole = tuple(src.shape)
    part = tuple(slice(0, n) for n in index.shape)
    dim = one(x.ndim, dim)
    if 0 in index.shape:
        return g, None, k.zeros(whole, dtype=g.dtype)
    if whole != tuple(index.shape):
        src = k.getitem(src, part)
    rule = {"sum": _sum, "mean": _mean, "prod": _prod}.get(reduce, _extreme)
    g_x, g_src = rule(k, g, x, dim, index, src, include_self, y)
    if not include_self:
        g_x = k.scatter(g_x, dim, index, 0)
    if whole != tuple(index.shape):
        g_src = k.embed(g_src, part, whole)
    return g_x, None, g_src


def _sum(
    k: Any, g: Any, x: Any, dim: int, index: Any, src: Any, own: bool, y: Any
) -> Any:
    return g, k.gather(g, dim, index)


def _mean(
    k: Any, g: Any, x: Any, dim: int, index: Any, src: Any, own: bool, y: Any
) -> Any:
    n = k.ones(tuple(x.shape), dtype=g.dtype)
    if not own:
        n = k.scatter(n, dim, index, 0)
    n = k.scatter_add(n, dim, index, k.ones(tuple(src.shape), dtype=g.dtype))
    g = g / n
    return g, k.gather(g, dim, index)


def _prod(
    k: Any, g: Any, x: Any, dim: int, index: Any, src: Any, own: bool, y: Any
) -> Any:
    """The product without one factor: the quotient, but where that factor is zero."""
    one = k.ones_like(x)
    no_x = x == 0
    x_1 = k.where(no_x, one, x)
    start = one if not own else x
    without_x = k.scatter_reduce(k.where(no_x, one, x), dim, index, src, "prod")
    g_x = g * without_x / x_1
    no_src = src == 0
    counts = k.scatter_add(k.zeros_like(x), dim, index, k.astype(no_src, g.dtype))
    alone = no_src & (k.gather(counts, dim, index) == 1)
    ones = k.ones_like(src)
    others = k.scatter_reduce(
        k.scatter(start, dim, index, 1) if not own else start,
        dim,
        index,
        k.where(alone, ones, src),
        "prod",
    )
    divided = k.gather(g * y, dim, index) / k.where(no_src, ones, src)
    return g_x, k.where(alone, k.gather(g * others, dim, index), divided)


def _extreme(
    k: Any, g: Any, x: Any, dim: int, index: Any, src: Any, own: bool, y: Any
) -> Any:
    """All that equal the result share its gradient."""
    here = k.astype(x == y, g.dtype)
    there = k.astype(src == k.gather(y, dim, index), g.dtype)
    if not own:
        here = k.scatter(here, dim, index, 0)
    n = k.scatter_add(here, dim, index, there)
    g = g / k.where(n == 0, k.ones_like(n), n)
    return g * here, k.gather(g, dim, index) * there


@scatter_reduce.samples
def _(make: Any) -> Iterator[Sample]:
    for reduce in REDUCTIONS:
        yield Sample(make(3), 0, make.integers(5, high=3), make(5), reduce)
        yield Sample(make(3, 2), 0, make.integers(2, 1, high=3), make(2, 2), reduce)
        yield Sample(
            make(3, 2),
            1,
            make.integers(3, 4, high=2),
            make(3, 4),
            reduce,
            include_self=False,
        )
    yield Sample(make(), 0, make.integers(high=1), make(), "sum")
    yield Sample(make(3), 0, make.integers(0), make(0), "prod")
    yield Sample(
        make.strided(3, 2), -1, make.integers(3, 2, high=2), make(3, 2), "amax"
    )


METHODS = [scatter, scatter_in_place]
