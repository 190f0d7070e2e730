"""Running sums, products and extremes along a dimension.

The standard's functions have running sums and products alone. The default bodies make
the others by doubling: after the i-th step each place holds the result for the 2**i
places up to its own.
"""

from __future__ import annotations

from ..declare import Sample, op
from .dims import along, is_floating, need_order, one, part, ranked, scanned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any

__all__ = [
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "cumulative_trapezoid",
    "diff",
    "logcumsumexp",
    "trapezoid",
    "trapz",
]


def later(k: Any, first: Any, x: Any, dim: int, n: int = 1) -> Any:
    """`x` moved on by `n` places along `dim`, with `first` in the places before."""
    return k.concat([first, part(x, dim, 0, x.shape[dim] - n)], axis=dim)


# --- Sums and products ------------------------------------------------------------


@op(promote="sum", inplace=True)
def cumsum(k: Kernels, x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The sum of the elements up to each place along `dim`.

    >>> import plugrad
    >>> plugrad.tensor([1.0, 2.0, 3.0]).cumsum(0)
    tensor([1., 3., 6.])
    """
    return along(lambda x, d: k.cumulative_sum(x, axis=d, dtype=x.dtype), k, x, dim)


@cumsum.joint
def _cumsum_rule(k: Any, g: Any, dim: Any) -> Any:
    if g.ndim == 0:
        return (g,)
    g = k.flip(g, axis=dim)
    return (k.flip(k.cumulative_sum(g, axis=dim), axis=dim),)


@op(promote="sum", inplace=True)
def cumprod(k: Kernels, x: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """The product of the elements up to each place along `dim`.

    >>> import plugrad
    >>> plugrad.cumprod(plugrad.tensor([1, 2, 3, 4]), 0)
    tensor([ 1,  2,  6, 24])
    """

    def body(x: Array, dim: int) -> Array:
        n = 1
        while n < x.shape[dim]:
            x = x * later(k, k.ones_like(part(x, dim, 0, n)), x, dim, n)
            n *= 2
        return x

    return along(body, k, x, dim)


@cumprod.joint
def _cumprod_rule(k: Any, g: Any, x: Any, y: Any, dim: Any) -> Any:
    """y[i] = x[i] * y[i - 1], so that gradients run back through the same steps; no
    division, and zeros need no care."""
    if g.ndim == 0:
        return (g,)
    before = later(k, k.ones_like(part(y, dim, 0, 1)), y, dim)
    return (before * run_back(k, g, x, dim),)


cumsum.samples(scanned)


@cumprod.samples
def _(make: Any) -> Iterator[Sample]:
    yield from scanned(make)
    zeros = [2, 0, 3, 0, 0, 1, 1, 2, 3]
    yield Sample(make.tensor(make.filled((3, 3), zeros, make.dtype)), 1)


@op(promote="same", method=False, inplace=False, broadcast=False, oracle=None)
def recur(k: Kernels, x: Tensor, factors: Tensor, dim: int) -> Tensor:
    """y[i] = x[i] + factors[i] * y[i - 1] along `dim`; the first factor is not used."""
    y, f, n = x, factors, 1
    while n < x.shape[dim]:
        zeros = k.zeros_like(part(x, dim, 0, n))
        y = y + f * later(k, zeros, y, dim, n)
        f = f * later(k, zeros, f, dim, n)
        n *= 2
    return y


def run_back(k: Any, g: Any, factors: Any, dim: int) -> Any:
    """h[i] = g[i] + factors[i + 1] * h[i + 1]: how gradients run back in `recur`."""
    factors = k.flip(k.roll(factors, -1, axis=dim), axis=dim)
    return k.flip(k.recur(k.flip(g, axis=dim), factors, dim), axis=dim)


@recur.joint
def _recur_rule(k: Any, g: Any, factors: Any, y: Any, dim: Any, need: Any) -> Any:
    h = run_back(k, g, factors, dim)
    return h, h * later(k, k.zeros_like(part(y, dim, 0, 1)), y, dim)


@recur.samples
def _(make: Any) -> Iterator[Sample]:
    if make.dtype.kind == "b":  # cannot be multiplied
        return
    for shape, dim in (((1,), 0), ((4,), 0), ((2, 5), 1), ((5, 2), 0), ((3, 4, 2), 1)):
        yield Sample(make(*shape), make(*shape), dim)
    yield Sample(make.strided(3, 4), make.strided(3, 4), 1)
    yield Sample(make.expanded(3, 4), make(3, 4), 0)
    yield Sample(make(2, 3), make.expanded(2, 3), -1)
    yield Sample(make(2, 0), make(2, 0), 0)
    x = make(3)
    yield Sample(x, x, 0)


@op(promote="same", inplace=False)
def logcumsumexp(k: Kernels, x: Tensor, dim: int) -> Tensor:
    """log(cumsum(exp(x))), without overflow.

    >>> import plugrad
    >>> plugrad.logcumsumexp(plugrad.tensor([100.0, 100.0, 100.0]), 0)
    tensor([100.0000, 100.6931, 101.0986])
    """
    if not k.isdtype(x.dtype, "real floating"):
        raise NotImplementedError(
            f"not implemented for {x.dtype}; cast with .float() first"
        )

    def body(x: Array, dim: int) -> Array:
        n = 1
        while n < x.shape[dim]:
            least = k.full_like(part(x, dim, 0, n), float("-inf"))
            x = k.logaddexp(x, later(k, least, x, dim, n))
            n *= 2
        return x

    return along(body, k, x, dim)


@logcumsumexp.joint
def _logcumsumexp_rule(k: Any, g: Any, x: Any, y: Any, dim: Any) -> Any:
    """y does not fall, so that every exponential here is at most 1."""
    if g.ndim == 0:
        return (g,)
    before = later(k, part(y, dim, 0, 1), y, dim)
    h = run_back(k, g, _exp_difference(k, before, y), dim)
    return (h * _exp_difference(k, x, y),)


def _exp_difference(k: Any, a: Any, b: Any) -> Any:
    """exp(a - b), 1 where both are infinite."""
    return k.where(a == b, k.ones_like(a), k.exp(a - b))


@logcumsumexp.samples
def _(make: Any) -> Iterator[Sample]:
    yield from scanned(make)
    yield Sample(make.large(2, 3), 1)


# --- Extremes ---------------------------------------------------------------------


@op(outputs=("values", "indices"))
def cummax(k: Kernels, x: Tensor, dim: int) -> Any:
    """The largest element up to each place along `dim`, and where it last was.

    >>> import plugrad
    >>> values, indices = plugrad.cummax(plugrad.tensor([1, 3, 2, 3]), 0)
    >>> values, indices
    (tensor([1, 3, 3, 3]), tensor([0, 1, 1, 3]))
    """
    return _running(k, x, dim, k.greater_equal)


@op(outputs=("values", "indices"))
def cummin(k: Kernels, x: Tensor, dim: int) -> Any:
    """The smallest element up to each place along `dim`, and where it last was.

    >>> import plugrad
    >>> values, indices = plugrad.cummin(plugrad.tensor([3, 1, 2, 1]), 0)
    >>> values, indices
    (tensor([3, 1, 1, 1]), tensor([0, 1, 1, 3]))
    """
    return _running(k, x, dim, k.less_equal)


def _running(k: Any, x: Any, dim: int, wins: Any) -> tuple[Any, Any]:
    """The running winners and their places, in the dtype of `x`."""
    need_order(k, x)
    y, places = along(lambda x, d: _winners(k, x, d, wins), k, ranked(k, x), dim)
    return k.astype(y, x.dtype), places


def _winners(k: Any, x: Any, dim: int, wins: Any) -> tuple[Any, Any]:
    """The running winners and their places; a NaN wins over all before it."""
    size = x.shape[dim]
    shape = tuple(size if i == dim else 1 for i in range(x.ndim))
    places = k.reshape(k.arange(size, dtype=k.int64), shape)
    places = places + k.zeros(x.shape, dtype=k.int64)
    floating = is_floating(k, x)
    n = 1
    while n < size:
        before = later(k, part(x, dim, 0, n), x, dim, n)
        place = later(k, part(places, dim, 0, n), places, dim, n)
        stays = wins(x, before)
        if floating:
            stays = k.isnan(x) | (stays & ~k.isnan(before))
        x = k.where(stays, x, before)
        places = k.where(stays, places, place)
        n *= 2
    return x, places


def _running_rule(k: Any, g: Any, indices: Any, dim: Any) -> Any:
    if g.ndim == 0:
        return (g,)
    return (k.scatter_add(k.zeros_like(g), dim, indices, g),)


cummax.joint(_running_rule)
cummin.joint(_running_rule)


@cummax.samples
@cummin.samples
def _(make: Any) -> Iterator[Sample]:
    yield from scanned(make, ties=False)
    yield Sample(make(4, 6), 1)
    yield Sample(make.integers(4, 6), 0)
    if make.dtype.kind == "f":
        nan = float("nan")
        values = [0.0, nan, 1.0, 2.0, nan, 3.0, 5.0, 4.0]
        x = make.tensor(make.filled((2, 4), values, make.dtype))
        yield Sample(x, 1).named("NaN", smooth=False)


# --- Differences and areas --------------------------------------------------------


def diff(
    input: Tensor,
    n: int = 1,
    dim: int = -1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The n-th differences of neighbours along `dim`.

    >>> import plugrad
    >>> plugrad.diff(plugrad.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    from .joining import cat

    if input.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = one(input.ndim, dim)
    pieces = [t for t in (prepend, input, append) if t is not None]
    x = cat(pieces, dim) if len(pieces) > 1 else input
    for _ in range(min(n, x.shape[dim])):
        after, before = part(x, dim, 1, None), part(x, dim, 0, -1)
        x = after != before if x.dtype.kind == "b" else after - before
    return x.clone() if n == 0 else x


def trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float = 1.0, dim: int = -1
) -> Tensor:
    """The area under `y` by the trapezoidal rule, at places `x` or at steps `dx`.

    >>> import plugrad
    >>> y, x = plugrad.tensor([1.0, 2.0, 3.0]), plugrad.tensor([0.0, 1.0, 3.0])
    >>> plugrad.trapezoid(y), plugrad.trapezoid(y, x)
    (tensor(4.), tensor(6.5000))
    """
    return _areas(y, x, dx, dim).sum(dim)


trapz = trapezoid


def cumulative_trapezoid(
    y: Tensor, x: Tensor | None = None, *, dx: float = 1.0, dim: int = -1
) -> Tensor:
    """The running area under `y` by the trapezoidal rule.

    >>> import plugrad
    >>> plugrad.cumulative_trapezoid(plugrad.tensor([1.0, 2.0, 3.0]))
    tensor([1.5000, 4.0000])
    """
    return _areas(y, x, dx, dim).cumsum(dim)


def _areas(y: Tensor, x: Tensor | None, dx: float, dim: int) -> Tensor:
    """The areas between neighbours along `dim`."""
    dim = one(y.ndim, dim)
    sums = part(y, dim, 1, None) + part(y, dim, 0, -1)
    if x is None:
        return sums * dx / 2
    if x.ndim == 1 and y.ndim > 1:
        shape = [1] * y.ndim
        shape[dim] = x.shape[0]
        x = x.reshape(shape)
    return sums * diff(x, 1, dim - y.ndim) / 2


METHODS = [diff]
