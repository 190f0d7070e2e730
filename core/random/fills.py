"""The methods that fill a tensor with random numbers.

- A fill counts as a write: it refuses leaves whose gradient is wanted, and backward
  sees that saved memory was changed.
- In the graph the tensor keeps its place, with a gradient of zero.
- What has no kernel of its own comes from uniform or normal numbers by formulas of the
  array API: in float64 where that is the dtype, else in float32.
"""

from __future__ import annotations

from math import log1p, pi

from .. import dtypes, modes
from ..computing import computing
from ..creation.filled import number
from ..creation.ranges import integer, not_implemented
from ..inplace import check_writable, write_result
from ..interface import OPS
from ..limits import finfo, iinfo
from ..storage import put as put_values
from ..storage import written
from ..tensor import Tensor, wrap
from .distributions import draw, draw_integers
from .generator import Generator
from .sampling import check_std, trials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dtypes import dtype
    from ..interface import Backend

    Array = Any


def put(x: Tensor, array: Array, name: str) -> Tensor:
    """Write what was drawn into `x`."""
    if x._node is None or not modes.current().grad:
        put_values(x, array)
        written(x)
    else:
        write_result(x, OPS["redrawn"].function(x, wrap(x._k, array)), name)
    return x


def real_dtype(name: str, x: Tensor) -> dtype:
    """The dtype of `x`, which has to be a real floating one."""
    if x.dtype.kind != "f":
        raise not_implemented(name, x.dtype)
    return x.dtype


def uniform_(
    self: Tensor,
    low: float = 0.0,
    to: float = 1.0,
    *,
    generator: Generator | None = None,
    **named: float,
) -> Tensor:
    """Fill with numbers drawn evenly from [from, to); `from`, a word of Python's, is
    best given by position.

    >>> import plugrad
    >>> plugrad.zeros(3).uniform_(2, 2)
    tensor([2., 2., 2.])
    """
    low = named.pop("from", low)
    if named:
        raise TypeError(f"uniform_() got an unexpected argument {next(iter(named))!r}")
    low, to = number("uniform_", "from", low), number("uniform_", "to", to)
    check_writable(self)
    d = self.dtype
    if d.kind in "fc":
        check_span(low, to, finfo(d).max)
    array = draw(self._k, "uniform_", generator, self._a.shape, d, "draw_uniform")
    start = complex(low, low) if d.kind == "c" else low
    return put(self, moved(array, to - low, start), "uniform_")


@computing
def moved(array: Array, scale: float, start: complex) -> Array:
    """`array * scale + start`, where that changes anything."""
    if scale != 1:
        array = array * scale
    return array + start if start else array


def check_span(low: float, to: float, most: float) -> None:
    """Raise unless [low, to) is a span of finite numbers."""
    for name, value in (("from", low), ("to", to)):
        if not -most <= value <= most:
            raise RuntimeError(f"{name} is out of bounds: {value}")
    if low > to or to - low > most:
        raise RuntimeError(
            f"uniform_ expects to return a [from, to) range, but found from={low} and "
            f"to={to}"
        )


def normal_(
    self: Tensor,
    mean: float = 0,
    std: float = 1,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with normal numbers."""
    mean, std = number("normal_", "mean", mean), number("normal_", "std", std)
    if isinstance(mean, complex) or isinstance(std, complex):
        raise TypeError("normal_(): arguments 'mean' and 'std' must be float")
    check_std("normal_", std)
    check_writable(self)
    array = draw(
        self._k, "normal_", generator, self._a.shape, self.dtype, "draw_normal"
    )
    return put(self, moved(array, std, mean), "normal_")


def random_(
    self: Tensor, *bounds: Any, generator: Generator | None = None, **named: Any
) -> Tensor:
    """Fill with integers: all that the dtype holds exactly from 0 on, or those below
    `to`, or those from `from` up to but not including `to`.

    >>> import plugrad
    >>> plugrad.zeros(2).random_(3, 4)
    tensor([3., 3.])
    """
    given = dict(zip(("to",) if len(bounds) == 1 else ("from", "to"), bounds)) | named
    if len(bounds) > 2 or given.keys() - {"from", "to"}:
        raise TypeError("random_() takes 'to', or 'from' and 'to'")
    d = self.dtype
    low, high = given.get("from"), given.get("to")
    low = 0 if low is None else integer("random_", "from", low)
    if high is not None:
        high = integer("random_", "to", high)
    elif d.kind == "f":
        high = round(2 / finfo(d).eps) + 1
    elif d.kind == "b":
        high = 2
    else:
        high = iinfo(d).max + 1 if d.kind in "iu" else 1
    check_writable(self)
    array = draw_integers(self._k, generator, "random_", self._a.shape, low, high, d)
    return put(self, array, "random_")


def bernoulli_(
    self: Tensor, p: Any = 0.5, *, generator: Generator | None = None
) -> Tensor:
    """Fill with 1 with probability `p`, a number or a tensor, and else with 0."""
    check_writable(self)
    return put(self, trials(self, p, generator), "bernoulli_")


def exponential_(
    self: Tensor, lambd: float = 1, *, generator: Generator | None = None
) -> Tensor:
    """Fill with exponential numbers of rate `lambd`; all are above 0."""
    lambd = number("exponential_", "lambd", lambd)
    if not lambd > 0:
        raise RuntimeError(
            f"exponential_ expects lambda > 0.0, but found lambda={lambd}"
        )
    if self.dtype.kind != "f":
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution; it "
            f"needs a floating dtype, not {self.dtype}"
        )
    check_writable(self)
    k, u = self._k, continuous(self, "exponential_", generator)
    array = exponential(k, u, lambd)
    return put(self, k.astype(array, self._a.dtype), "exponential_")


@computing
def exponential(k: Backend, u: Array, rate: float) -> Array:
    """Exponential numbers from uniform ones."""
    array = k.where(u > 0, -k.log1p(-u), 2.0 ** -(25 if u.dtype == k.float32 else 54))
    return array if rate == 1 else array * (1 / rate)


def continuous(x: Tensor, name: str, g: Any, how: str = "draw_uniform") -> Array:
    """Draws in the shape of `x`: float64 if that is its dtype, else float32."""
    d = dtypes.float64 if x.dtype is dtypes.float64 else dtypes.float32
    return draw(x._k, name, g, x._a.shape, d, how)


def geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Fill with the number of trials, each a success with probability `p`, until the
    first success."""
    p = number("geometric_", "p", p)
    if not 0 < p < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    if self.dtype.kind not in "iuf":
        raise not_implemented("geometric_", self.dtype)
    check_writable(self)
    k = self._k
    u = draw(k, "geometric_", generator, self._a.shape, dtypes.float64, "draw_uniform")
    return put(self, k.astype(geometric(k, u, p), self._a.dtype), "geometric_")


@computing
def geometric(k: Backend, u: Array, p: float) -> Array:
    """Numbers of trials from uniform numbers."""
    return k.floor(k.log1p(-u) * (1 / log1p(-p))) + 1.0


def cauchy_(
    self: Tensor,
    median: float = 0,
    sigma: float = 1,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with Cauchy numbers."""
    median = number("cauchy_", "median", median)
    sigma = number("cauchy_", "sigma", sigma)
    if not sigma > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    if self.dtype.kind != "f":
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution; it needs a "
            f"floating dtype, not {self.dtype}"
        )
    check_writable(self)
    k, u = self._k, continuous(self, "cauchy_", generator)
    array = cauchy(k, u, median, sigma)
    return put(self, k.astype(array, self._a.dtype), "cauchy_")


@computing
def cauchy(k: Backend, u: Array, median: float, sigma: float) -> Array:
    """Cauchy numbers from uniform ones."""
    return k.tan((u - 0.5) * pi) * sigma + median


def log_normal_(
    self: Tensor,
    mean: float = 1,
    std: float = 2,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Fill with numbers whose logarithms are normal."""
    mean, std = number("log_normal_", "mean", mean), number("log_normal_", "std", std)
    check_std("log_normal_", std, "> 0.0")
    real_dtype("log_normal_", self)
    check_writable(self)
    k = self._k
    x = continuous(self, "log_normal_", generator, "draw_normal")
    array = k.exp(moved(x, std, mean))
    return put(self, k.astype(array, self._a.dtype), "log_normal_")


METHODS = [
    *(uniform_, normal_, random_, bernoulli_, exponential_),
    *(geometric_, cauchy_, log_normal_),
]
