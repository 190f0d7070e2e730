"""Tensors of random numbers.

- Every draw takes `generator=`; without one, it is from the default generator.
- A function that makes a tensor has the options of `plugrad.zeros`.

Draws whose parameters are tensors stand in `sampling.py`, methods that fill a
tensor in `fills.py`; how numbers come from the stream of words, in
`plugrad.ops.draws`.
"""

from __future__ import annotations

from math import prod

from .. import dtypes
from ..computing import computing
from ..creation.data import finish
from ..creation.filled import (
    deliver,
    dtype_argument,
    model,
    place_like,
    size_keyword,
    sizes,
)
from ..creation.ranges import integer, not_implemented
from ..devices import place
from ..layouts import check_options
from ..limits import finfo, iinfo
from ..ops.draws import block_count
from ..tensor import Tensor, wrap
from .generator import Generator, default_generator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..dtypes import dtype
    from ..interface import Backend

    Array = Any

__all__ = [
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


@computing
def draw_complex(
    k: Backend, name: str, g: Any, shape: Any, d: dtype, how: str
) -> Array:
    """Complex numbers: all the real parts are drawn before the imaginary ones. Normal
    ones have half the variance in each."""
    parts = draw(k, name, g, (2, *shape), REAL[d], how)
    real, imag = parts[0, ...], parts[1, ...]
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
        most = finfo(d).max
        least: float = -most
    elif d.kind == "b":
        least, most = 0, 1
    else:
        least, most = iinfo(d).min, iinfo(d).max
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
    """`rand` in the shape, dtype and device of another tensor.

    >>> import plugrad
    >>> x = plugrad.rand_like(plugrad.zeros(2, 3, dtype=plugrad.float64))
    >>> x.shape, x.dtype
    (plugrad.Size([2, 3]), plugrad.float64)
    """,
)
randn_like = liker(
    "randn_like",
    "draw_normal",
    """`randn` in the shape, dtype and device of another tensor.

    >>> import plugrad
    >>> x = plugrad.randn_like(plugrad.zeros(2, 3, dtype=plugrad.float64))
    >>> x.shape, x.dtype
    (plugrad.Size([2, 3]), plugrad.float64)
    """,
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
        raise TypeError(
            "randint() takes 'high' and 'size', or 'low', 'high' and 'size'"
        )
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
    or with `low` and `high`.

    >>> import plugrad
    >>> x = plugrad.randint_like(plugrad.zeros(100), 3, 5)
    >>> x.unique()
    tensor([3., 4.])
    """
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
        raise RuntimeError(
            f"Trying to create tensor with negative dimension {n}: [{n}]"
        )
    check_options("randperm", layout, pin_memory)
    d = dtype_argument("randperm", dtype, out) or dtypes.int64
    if d.kind in "iu" and n - 1 > iinfo(d).max:
        raise RuntimeError(f"randperm: {d} does not hold the integers below {n}")
    k, target = place(device)
    key, counter = source("randperm", generator).take(block_count(n, True))
    array = k.draw_permutation(key, counter, n)
    if d is not dtypes.int64:
        array = k.astype(array, k.native(d))
    return deliver("randperm", out, finish(k, array, target, requires_grad))
