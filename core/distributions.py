"""Tensors of random numbers, and the methods that fill a tensor with them.

- Every draw takes `generator=`; without one, the default generator's.
- A function that makes a tensor has the options of `plugrad.zeros`.
- A method that fills a tensor counts as a write to it: it refuses leaves whose gradient
  is wanted, and backward sees that saved memory was changed.
- In the graph, what was drawn in the place of a tensor has the gradient zero there.

How the numbers come from the stream of words stands in `plugrad.ops.draws`.
"""

from __future__ import annotations

from math import log1p, pi, prod

from . import dtypes, modes
from .backend import OPS
from .creation import deliver, dtype_argument, model, number, place_like, sizes
from .creation import size_keyword
from .data import finish
from .devices import place
from .inplace import check_writable, write_result
from .layouts import check_options
from .ops.draws import block_count
from .random import Generator, default_generator
from .ranges import integer, not_implemented
from .storage import written
from .tensor import Tensor, wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .backend import Backend
    from .dtypes import dtype

    Array = Any

__all__ = [
    "bernoulli",
    "multinomial",
    "normal",
    "poisson",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
]

REAL = {dtypes.complex64: dtypes.float32, dtypes.complex128: dtypes.float64}


# --- Arrays from the stream ---------------------------------------------------------


def source(name: str, generator: Any) -> Generator:
    """The generator to draw from."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{name}(): argument 'generator' must be plugrad.Generator, not "
            f"{type(generator).__name__}"
        )
    return generator


def draw(k: Backend, name: str, g: Any, shape: Any, d: dtype, how: str) -> Array:
    """Numbers of one of the two kinds `draw_uniform` and `draw_normal`."""
    if d.kind not in "fc":
        raise not_implemented(name, d)
    g = default_generator if g is None else source(name, g)
    count = prod(shape)
    if d.kind == "c":
        return draw_complex(k, name, g, shape, d, how)
    key, counter = g.take(block_count(count, d is dtypes.float64))
    array = getattr(k, how)(key, counter, count, d)
    return array if len(shape) == 1 else k.reshape(array, shape)


def draw_complex(k: Backend, name: str, g: Any, shape: Any, d: dtype, how: str) -> Array:
    """Complex numbers: all the real parts are drawn before the imaginary ones. Normal
    ones have half the variance in each."""
    real, imag = draw(k, name, g, (2, *shape), REAL[d], how)
    native = k.native(d)
    array = k.astype(real, native) + k.astype(imag, native) * 1j
    return array * 0.5**0.5 if how == "draw_normal" else array


def draw_integers(
    k: Backend, g: Any, name: str, shape: Any, low: int, high: int, d: dtype
) -> Array:
    """Integers from `low` up to but not including `high`."""
    if d is not dtypes.int64 or low >= high:
        check_bounds(low, high, d)
    count = prod(shape)
    wide = high - low > 2**32
    g = default_generator if g is None else source(name, g)
    key, counter = g.take(block_count(count, wide))
    array = k.draw_integers(key, counter, count, low, high, d)
    return array if len(shape) == 1 else k.reshape(array, shape)


def check_bounds(low: int, high: int, d: dtype) -> None:
    """Raise if there is no integer to draw, or it does not fit the dtype."""
    if d.kind == "c":
        raise RuntimeError("integers are drawn in integral, floating-point and bool")
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= "
            f"to={high}"
        )
    if d.kind == "f":
        most = dtypes.finfo(d).max
        least: float = -most
    elif d.kind == "b":
        least, most = 0, 1
    else:
        least, most = dtypes.iinfo(d).min, dtypes.iinfo(d).max
    for name, value in (("from", low), ("to - 1", high - 1)):
        if not least <= value <= most:
            raise RuntimeError(f"{name} is out of bounds for {d}: {value}")


# --- rand, randn, randint, randperm -------------------------------------------------


def drawer(name: str, how: str, doc: str) -> Any:
    """The function `rand` or `randn`."""

    def function(
        *size: Any,
        generator: Generator | None = None,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        **named: Any,
    ) -> Tensor:
        if named:
            size = size_keyword(name, size, named)
        shape = sizes(name, size)
        if layout is not None or pin_memory:
            check_options(name, layout, pin_memory)
        k, target = place(device)
        if dtype is None and out is None:
            dtype = dtypes.SCALAR_DTYPES[float]
        else:
            dtype = dtype_argument(name, dtype, out) or dtypes.SCALAR_DTYPES[float]
        array = draw(k, name, generator, shape, dtype, how)
        if target is None and out is None and not requires_grad:
            return wrap(k, array)
        return deliver(name, out, finish(k, array, target, requires_grad))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


rand = drawer(
    "rand",
    "draw_uniform",
    """A tensor of numbers drawn evenly from [0, 1).

    >>> import plugrad
    >>> plugrad.rand(2, 3).shape
    plugrad.Size([2, 3])
    """,
)
randn = drawer(
    "randn",
    "draw_normal",
    """A tensor of normal numbers, of mean 0 and variance 1.

    >>> import plugrad
    >>> plugrad.randn(2, 3).shape
    plugrad.Size([2, 3])
    """,
)


def liker(name: str, how: str, doc: str) -> Any:
    """The function `rand_like` or `randn_like`."""

    def function(
        input: Tensor,
        *,
        generator: Generator | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        check_options(name, layout, pin_memory)
        k, target = place_like(model(name, input), device)
        d = dtype_argument(name, dtype) or input.dtype
        array = draw(k, name, generator, input._a.shape, d, how)
        return finish(k, array, target, requires_grad)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = doc
    return function


rand_like = liker(
    "rand_like",
    "draw_uniform",
    "`rand` in the shape, dtype and device of another tensor.",
)
randn_like = liker(
    "randn_like",
    "draw_normal",
    "`randn` in the shape, dtype and device of another tensor.",
)


def randint(
    *bounds_and_size: Any,
    low: Any = 0,
    high: Any = None,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A tensor of integers from `low` (0 if not given) up to but not including `high`.

    Called as `randint(high, size)` or `randint(low, high, size)`.

    >>> import plugrad
    >>> plugrad.randint(1, 2, (3,))
    tensor([1, 1, 1])
    """
    given = list(bounds_and_size)
    if size is None and given:
        size = given.pop()
    if len(given) == 2:
        low, high = given
    elif given and high is None:
        (high,) = given
    elif given:
        (low,) = given
    if high is None or len(given) > 2:
        raise TypeError("randint() takes 'high' and 'size', or 'low', 'high' and 'size'")
    if not isinstance(size, (tuple, list)):
        raise TypeError(
            f"randint(): argument 'size' must be tuple of ints, not "
            f"{type(size).__name__}"
        )
    low, high = bound("randint", "low", low), bound("randint", "high", high)
    shape = sizes("randint", (size,))
    if layout is not None or pin_memory:
        check_options("randint", layout, pin_memory)
    k, target = place(device)
    d = dtype_argument("randint", dtype, out) or dtypes.int64
    array = draw_integers(k, generator, "randint", shape, low, high, d)
    return deliver("randint", out, finish(k, array, target, requires_grad))


def bound(name: str, key: str, value: Any) -> int:
    """A bound of integers, which int64 has to hold."""
    if value.__class__ is not int:
        value = integer(name, key, value)
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"Overflow when unpacking long long: {key}={value}")
    return value


def randint_like(
    input: Tensor,
    low: Any = None,
    high: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """`randint` in the shape, dtype and device of another tensor: called with `high`,
    or with `low` and `high`."""
    name = "randint_like"
    if high is None:
        low, high = 0, low
    low, high = bound(name, "low", low or 0), bound(name, "high", high)
    check_options(name, layout, pin_memory)
    k, target = place_like(model(name, input), device)
    d = dtype_argument(name, dtype) or input.dtype
    array = draw_integers(k, generator, name, input._a.shape, low, high, d)
    return finish(k, array, target, requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The integers below `n` in random order.

    >>> import plugrad
    >>> plugrad.randperm(5).sort().values
    tensor([0, 1, 2, 3, 4])
    """
    n = integer("randperm", "n", n)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    check_options("randperm", layout, pin_memory)
    d = dtype_argument("randperm", dtype, out) or dtypes.int64
    if d.kind in "iu" and n - 1 > dtypes.iinfo(d).max:
        raise RuntimeError(f"randperm: {d} does not hold the integers below {n}")
    k, target = place(device)
    key, counter = source("randperm", generator).take(block_count(n, True))
    array = k.draw_permutation(key, counter, n)
    if d is not dtypes.int64:
        array = k.astype(array, k.native(d))
    return deliver("randperm", out, finish(k, array, target, requires_grad))


# --- In the place of a tensor -------------------------------------------------------


def instead(x: Tensor, array: Array) -> Tensor:
    """What was drawn in the place of `x`, in the graph if `x` is."""
    if x._node is None or not modes.current().grad:
        return wrap(x._k, array)
    return OPS["redrawn"].function(x, array)


def put(x: Tensor, array: Array, name: str) -> Tensor:
    """Write what was drawn into `x`."""
    if x._node is None or not modes.current().grad:
        x._a = x._k.write(x._a, array)
        written(x)
    else:
        write_result(x, OPS["redrawn"].function(x, array), name)
    return x


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Normal numbers with a mean and a standard deviation for each element, as tensors,
    or with one of each and a `size`.

    >>> import plugrad
    >>> plugrad.normal(plugrad.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    """
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if tensors:
        if size is not None:
            raise TypeError("normal() takes 'size' only where mean and std are numbers")
        return deliver("normal", out, normal_of(mean, std, generator))
    if not isinstance(size, (tuple, list)):
        raise TypeError("normal() needs a tensor for mean or std, or a tuple as 'size'")
    mean, std = number("normal", "mean", mean), number("normal", "std", std)
    check_std("normal", std)
    made = randn(
        *(tuple(size),),
        generator=generator,
        dtype=dtype_argument("normal", dtype, out),
        layout=layout,
        device=device,
        pin_memory=pin_memory,
    )
    made._a = made._a * std + mean
    return deliver("normal", out, made.requires_grad_(requires_grad))


def check_std(name: str, std: float, least: str = ">= 0.0") -> None:
    """Raise for a negative standard deviation; for zero too, where none may be."""
    if not (std >= 0 if least == ">= 0.0" else std > 0):
        raise RuntimeError(f"{name} expects std {least}, but found std {std}")


def normal_of(mean: Any, std: Any, g: Any) -> Tensor:
    """Normal numbers where `mean` or `std` is a tensor."""
    model_ = mean if isinstance(mean, Tensor) else std
    k, d = model_._k, model_.dtype
    if isinstance(std, Tensor):
        if std.dtype.kind == "c":
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if std.shape.numel() and k.item(k.min(std._a)) < 0:
            raise RuntimeError("normal expects all elements of std >= 0.0")
    else:
        check_std("normal", std)
    with modes.no_grad():
        spread = std * 0 + mean * 0  # the shape of both together
    array = draw(k, "normal", g, spread.shape, d, "draw_normal")
    with modes.no_grad():
        x = wrap(k, array) * std + mean
        x = OPS["to_dtype"].function(x, d)._a
    for each in (mean, std):
        if isinstance(each, Tensor) and each._node is not None and modes.current().grad:
            return OPS["redrawn_pair"].function(mean, std, x)
    return wrap(k, x)


def bernoulli(
    input: Tensor,
    p: float | None = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """1 with the probability that `input` says, or with the probability `p`; else 0.

    >>> import plugrad
    >>> plugrad.bernoulli(plugrad.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    x = model("bernoulli", input)
    if p is None:
        if x.dtype.kind != "f":
            raise not_implemented("bernoulli", x.dtype)
        array = trials(x, x, generator)
    else:
        if isinstance(p, Tensor):
            raise TypeError("bernoulli(): argument 'p' must be float, not Tensor")
        array = trials(x, p, generator)
    return deliver("bernoulli", out, instead(x, array))


def trials(x: Tensor, p: Any, g: Any) -> Array:
    """0 or 1 in the dtype and shape of `x`, 1 with probability `p`."""
    k = x._k
    if isinstance(p, Tensor):
        check_probabilities(p)
        if p.ndim > x.ndim:
            raise RuntimeError(
                f"bernoulli_: p of shape {list(p.shape)} does not expand to "
                f"{list(x.shape)}"
            )
        fine = dtypes.float64 if p.dtype is dtypes.float64 else dtypes.float32
        p = k.astype(p._a, k.native(fine))
    else:
        p = number("bernoulli_", "p", p)
        if not 0 <= p <= 1:
            raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
        fine = dtypes.float64 if x.dtype is dtypes.float64 else dtypes.float32
        p = k.asarray(p, dtype=k.native(fine))
    u = draw(k, "bernoulli", g, x._a.shape, fine, "draw_uniform")
    return k.astype(u < p, x._a.dtype)


def check_probabilities(p: Tensor) -> None:
    """Raise unless all lie in [0, 1]."""
    k, array = p._k, p._a
    if p.dtype.kind != "f":
        raise not_implemented("bernoulli", p.dtype)
    if not k.item(k.all((array >= 0) & (array <= 1))):
        raise RuntimeError("bernoulli expects all probabilities to lie in [0, 1]")


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts of events, each element with its own rate.

    >>> import plugrad
    >>> plugrad.poisson(plugrad.zeros(3))
    tensor([0., 0., 0.])
    """
    x = model("poisson", input)
    if x.dtype.kind != "f":
        raise not_implemented("poisson", x.dtype)
    k = x._k
    if x.shape.numel() and k.item(k.min(x._a)) < 0:
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    left = k.astype(x._a, k.native(dtypes.float64))
    counts = k.zeros_like(left)
    alive = left > 0
    # Events arrive after exponential waits; what arrives within `left` counts.
    while x.shape.numel() and k.item(k.any(alive)):
        u = draw(k, "poisson", generator, x._a.shape, dtypes.float64, "draw_uniform")
        left = left + k.log1p(-u)
        alive = alive & (left >= 0)
        counts = counts + k.astype(alive, counts.dtype)
    return instead(x, k.astype(counts, x._a.dtype))


def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Indices drawn with the weights in each row of `input`, each once or, with
    `replacement`, perhaps several times.

    >>> import plugrad
    >>> plugrad.multinomial(plugrad.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    x = model("multinomial", input)
    n = integer("multinomial", "num_samples", num_samples)
    check_weights(x, n, replacement)
    k, weights = x._k, x._a
    weights = k.astype(weights, k.native(dtypes.float64))
    if replacement and n > 1:
        array = with_replacement(k, weights, n, generator)
    else:
        array = race(k, weights, n, generator)
    return deliver("multinomial", out, wrap(k, array))


def check_weights(x: Tensor, n: int, replacement: bool) -> None:
    """Raise unless `n` indices can be drawn with these weights."""
    if x.dtype.kind != "f":
        raise RuntimeError(
            "multinomial only supports floating-point dtypes for input, got: "
            f"{x.dtype}"
        )
    if x.ndim not in (1, 2):
        raise RuntimeError(f"prob_dist must be 1 or 2 dim, got {x.ndim}")
    if n <= 0:
        raise RuntimeError(f"cannot sample n_sample <= 0 samples: {n}")
    if not replacement and n > x.shape[-1]:
        raise RuntimeError(
            "cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"{n} > {x.shape[-1]}"
        )
    k, weights = x._k, x._a
    if not k.item(k.all(k.isfinite(weights) & (weights >= 0))):
        raise RuntimeError(
            "probability tensor contains either `inf`, `nan` or element < 0"
        )
    if not k.item(k.all(k.any(weights > 0, axis=-1))):
        raise RuntimeError(
            "invalid multinomial distribution (sum of probabilities <= 0)"
        )


def race(k: Backend, weights: Array, n: int, g: Any) -> Array:
    """The first `n` to arrive, each after an exponential time of rate its weight."""
    u = draw(k, "multinomial", g, weights.shape, dtypes.float64, "draw_uniform")
    waits = k.where(u > 0, -k.log1p(-u), 2.0**-54)
    speed = weights / waits
    if n == 1:
        return k.argmax(speed, axis=-1, keepdims=True)
    return k.argsort(-speed, axis=-1)[..., :n]


def with_replacement(k: Backend, weights: Array, n: int, g: Any) -> Array:
    """Where uniform numbers fall among the running sums of the weights."""
    shape = (*weights.shape[:-1], n)
    u = draw(k, "multinomial", g, shape, dtypes.float64, "draw_uniform")
    sums = k.cumulative_sum(weights, axis=-1)
    if weights.ndim == 1:
        return place_in(k, sums, u)
    if not shape[0]:
        return k.zeros(shape, dtype=k.native(dtypes.int64))
    rows = range(shape[0])
    return k.stack([place_in(k, sums[i, :], u[i, :]) for i in rows], axis=0)


def place_in(k: Backend, sums: Array, u: Array) -> Array:
    """The first index whose running sum exceeds u times the whole."""
    whole = sums[-1]
    found = k.searchsorted(sums, u * whole, side="right")
    last = k.searchsorted(sums, k.reshape(whole, (1,)), side="left")
    return k.astype(k.minimum(found, last), k.native(dtypes.int64))


# --- Methods ------------------------------------------------------------------------


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
        check_span(low, to, dtypes.finfo(d).max)
    array = draw(self._k, "uniform_", generator, self._a.shape, d, "draw_uniform")
    if to - low != 1:
        array = array * (to - low)
    if low:
        array = array + (complex(low, low) if d.kind == "c" else low)
    return put(self, array, "uniform_")


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
    if std != 1:
        array = array * std
    if mean:
        array = array + mean
    return put(self, array, "normal_")


def random_(self: Tensor, *bounds: Any, generator: Generator | None = None, **named: Any) -> Tensor:
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
        high = round(2 / dtypes.finfo(d).eps) + 1
    elif d.kind == "b":
        high = 2
    else:
        high = dtypes.iinfo(d).max + 1 if d.kind in "iu" else 1
    check_writable(self)
    array = draw_integers(self._k, generator, "random_", self._a.shape, low, high, d)
    return put(self, array, "random_")


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
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
    array = k.where(u > 0, -k.log1p(-u), 2.0 ** -(25 if u.dtype == k.float32 else 54))
    array = array if lambd == 1 else array * (1 / lambd)
    return put(self, k.astype(array, self._a.dtype), "exponential_")


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
    array = k.floor(k.log1p(-u) * (1 / log1p(-p))) + 1.0
    return put(self, k.astype(array, self._a.dtype), "geometric_")


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
    array = k.tan((u - 0.5) * pi) * sigma + median
    return put(self, k.astype(array, self._a.dtype), "cauchy_")


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
    return put(self, k.astype(k.exp(x * std + mean), self._a.dtype), "log_normal_")


METHODS = [
    *(bernoulli, multinomial),
    *(uniform_, normal_, random_, bernoulli_, exponential_),
    *(geometric_, cauchy_, log_normal_),
]
