"""Comparisons, logic, bits and tests, element by element.

What compares or tests gives bools, which have no gradient.
"""

from __future__ import annotations

from ..declare import Sample, op
from ..interface import OPS
from .dims import is_floating

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex

__all__ = [
    "allclose",
    "bitwise_and",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "eq",
    "equal",
    "ge",
    "gt",
    "isclose",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "signbit",
]


# --- Comparisons --------------------------------------------------------------------


@op(promote="same")
def eq(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """Whether a equals b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.eq(plugrad.tensor([[1], [2]]), plugrad.tensor([1, 2]))
    tensor([[ True, False],
            [False,  True]])
    """
    return k.equal(a, b)


@op(promote="same")
def ne(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """Whether a differs from b, elementwise, broadcast.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, plugrad.nan])
    >>> plugrad.ne(x, x)
    tensor([False,  True])
    """
    return k.not_equal(a, b)


def ordered(k: Kernels, x: Array) -> Array:
    """`x` as numbers that have an order in every library: bools as small integers."""
    return k.astype(x, k.uint8) if k.isdtype(x.dtype, "bool") else x


@op(promote="same", kinds="biuf")
def lt(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """Whether a is less than b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.lt(plugrad.tensor([1, 2, 3]), 2)
    tensor([ True, False, False])
    """
    return k.less(ordered(k, a), ordered(k, b))


@op(promote="same", kinds="biuf")
def le(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """Whether a is less than or equal to b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.le(plugrad.tensor([1, 2, 3]), 2)
    tensor([ True,  True, False])
    """
    return k.less_equal(ordered(k, a), ordered(k, b))


@op(promote="same", kinds="biuf")
def gt(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """Whether a is greater than b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.gt(plugrad.tensor([1, 2, 3]), 2)
    tensor([False, False,  True])
    """
    return k.greater(ordered(k, a), ordered(k, b))


@op(promote="same", kinds="biuf")
def ge(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """Whether a is greater than or equal to b, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.ge(plugrad.tensor([1, 2, 3]), 2)
    tensor([False,  True,  True])
    """
    return k.greater_equal(ordered(k, a), ordered(k, b))


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and equal elements.

    >>> import plugrad
    >>> plugrad.equal(plugrad.tensor([1, 2]), plugrad.tensor([1, 2]))
    True
    """
    if input.shape != other.shape:
        return False
    return bool(OPS["all"].function(eq(input, other)).item())


def not_negative(**tolerances: float) -> None:
    """Raise unless all tolerances are zero or more."""
    for name, value in tolerances.items():
        if not value >= 0:
            raise RuntimeError(
                f"{name} must be greater than or equal to zero, but got {value}"
            )


@op(promote="equal")
def isclose(
    k: Kernels,
    a: Tensor,
    b: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> Tensor:
    """Whether abs(a - b) <= atol + rtol * abs(b), elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.isclose(plugrad.tensor([1.0, 1e-6]), plugrad.tensor([1.000001, 0.0]))
    tensor([ True, False])
    """
    not_negative(rtol=rtol, atol=atol)
    close = k.equal(a, b)
    if equal_nan:
        close = k.logical_or(close, k.logical_and(a != a, b != b))
    if not is_floating(k, a):
        a, b = k.astype(a, k.float64), k.astype(b, k.float64)
    error = k.abs(a - b)
    near = error <= k.abs(rtol * b) + atol
    return k.logical_or(close, k.logical_and(k.isfinite(error), near))


@isclose.samples
def _(make: Any) -> Iterator[Sample]:
    same = make(2, 3)
    yield Sample(same, same)
    yield Sample(make(2, 3), make(2, 3))
    yield Sample(make(2, 3), make(3), 0.5)
    yield Sample(make(3), make(2, 3), rtol=0.1, atol=0.5)
    if make.dtype.kind == "f":
        yield Sample(make.special(6), make.special(6))
        yield Sample(make.special(6), make.special(6), equal_nan=True)
    yield Sample(make(), make(), 1.0)
    yield Sample(make(0), make(0))
    yield Sample(make.strided(2, 3), make(2, 3), atol=1)
    yield Sample(make.expanded(2, 3), make(2, 3), 0, 0)
    yield Sample(make(2), make(3))
    yield Sample(make(2), make(2), rtol=-1.0)


def allclose(
    input: Tensor,
    other: Tensor,
    rtol: float = 1e-05,
    atol: float = 1e-08,
    equal_nan: bool = False,
) -> bool:
    """Whether all elements are close, as `isclose` sees it.

    >>> import plugrad
    >>> x = plugrad.tensor([1.0, plugrad.nan])
    >>> plugrad.allclose(x, x), plugrad.allclose(x, x, equal_nan=True)
    (False, True)
    """
    close = isclose(input, other, rtol, atol, equal_nan)
    return bool(OPS["all"].function(close).item())


# --- Logic --------------------------------------------------------------------------


def truth(k: Kernels, x: Array) -> Array:
    """Whether elements are other than zero."""
    return x if k.isdtype(x.dtype, "bool") else x != 0


@op(promote="same")
def logical_and(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """Whether both are other than zero, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.logical_and(plugrad.tensor([0, 1, 2]), plugrad.tensor([1, 0, 4]))
    tensor([False, False,  True])
    """
    return k.logical_and(truth(k, a), truth(k, b))


@op(promote="same")
def logical_or(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """Whether one or both are other than zero, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.logical_or(plugrad.tensor([0, 1, 0]), plugrad.tensor([0, 0, 4]))
    tensor([False,  True,  True])
    """
    return k.logical_or(truth(k, a), truth(k, b))


@op(promote="same")
def logical_xor(k: Kernels, a: Tensor, b: Tensor) -> Tensor:
    """Whether just one is other than zero, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.logical_xor(plugrad.tensor([1, 1]), plugrad.tensor([2, 0]))
    tensor([False,  True])
    """
    return k.logical_xor(truth(k, a), truth(k, b))


@op(promote="same")
def logical_not(k: Kernels, x: Tensor) -> Tensor:
    """Whether x is zero, elementwise.

    >>> import plugrad
    >>> plugrad.logical_not(plugrad.tensor([0.0, 0.5]))
    tensor([ True, False])
    """
    return k.logical_not(truth(k, x))


# --- Bits ---------------------------------------------------------------------------


@op(promote="same", kinds="biu")
def bitwise_and(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """The bits that both have, elementwise, broadcast; for bools, a and b.

    >>> import plugrad
    >>> plugrad.bitwise_and(plugrad.tensor([0b1100, 0b1010]), 0b1010)
    tensor([ 8, 10])
    """
    return k.bitwise_and(a, b)


@op(promote="same", kinds="biu")
def bitwise_or(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """The bits that one or both have, elementwise, broadcast; for bools, a or b.

    >>> import plugrad
    >>> plugrad.bitwise_or(plugrad.tensor([0b1100, 0b0001]), 0b1010)
    tensor([14, 11])
    """
    return k.bitwise_or(a, b)


@op(promote="same", kinds="biu")
def bitwise_xor(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """The bits that just one has, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.bitwise_xor(plugrad.tensor([0b1100, 0b0001]), 0b1010)
    tensor([ 6, 11])
    """
    return k.bitwise_xor(a, b)


@op(promote="same")
def bitwise_not(k: Kernels, x: Tensor) -> Tensor:
    """The other bits, elementwise; for bools, not x.

    >>> import plugrad
    >>> plugrad.bitwise_not(plugrad.tensor([0, 5]))
    tensor([-1, -6])
    >>> plugrad.bitwise_not(plugrad.tensor([True, False]))
    tensor([False,  True])
    """
    return k.bitwise_invert(x)


@bitwise_not.before("fc")
def _(values: dict[str, Any]) -> None:
    if values["x"].dtype.kind in "fc":
        raise TypeError(
            "bitwise_not: `~` is only for integers and bools, not for "
            f"{values['x'].dtype}"
        )


def out_of_range(k: Kernels, a: Array, b: Array) -> tuple[int, Array]:
    """The number of bits of `a`, and where a shift by `b` leaves none of them."""
    bits = 8 * k.dtype_of(a).itemsize
    return bits, k.logical_or(b < 0, b >= bits)


def shifted_left(k: Kernels, a: Array, b: Array) -> Array:
    """a << b, and 0 where no bits are left."""
    _, gone = out_of_range(k, a, b)
    y = k.bitwise_left_shift(a, k.where(gone, k.zeros_like(b), b))
    return k.where(gone, k.zeros_like(y), y)


def shifted_right(k: Kernels, a: Array, b: Array) -> Array:
    """a >> b; where no bits are left, 0 or, for negative numbers, -1."""
    bits, gone = out_of_range(k, a, b)
    y = k.bitwise_right_shift(a, k.where(gone, k.full_like(b, bits - 1), b))
    if k.isdtype(a.dtype, "unsigned integer"):
        return k.where(gone, k.zeros_like(y), y)
    return y


@op(promote="same", kinds="iu")
def bitwise_left_shift(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """a times 2 to the power b, elementwise, broadcast, as far as bits go.

    >>> import plugrad
    >>> plugrad.bitwise_left_shift(plugrad.tensor([1, -3]), 2)
    tensor([  4, -12])
    """
    return shifted_left(k, a, b)


@op(promote="same", kinds="iu")
def bitwise_right_shift(k: Kernels, a: Tensor | Number, b: Tensor | Number) -> Tensor:
    """a divided by 2 to the power b and rounded down, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.bitwise_right_shift(plugrad.tensor([5, -5]), 1)
    tensor([ 2, -3])
    """
    return shifted_right(k, a, b)


@op(promote="same", kinds="iu", method=False, oracle=None, inplace=False)
def rlshift(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """b << a, elementwise, broadcast."""
    return shifted_left(k, b, a)


@op(promote="same", kinds="iu", method=False, oracle=None, inplace=False)
def rrshift(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """b >> a, elementwise, broadcast."""
    return shifted_right(k, b, a)


# --- Tests --------------------------------------------------------------------------


@op(promote="same", inplace=False)
def isnan(k: Kernels, x: Tensor) -> Tensor:
    """Whether x is not a number, elementwise.

    >>> import plugrad
    >>> plugrad.isnan(plugrad.tensor([1.0, plugrad.inf, plugrad.nan]))
    tensor([False, False,  True])
    """
    return x != x


@op(promote="same", inplace=False)
def isinf(k: Kernels, x: Tensor) -> Tensor:
    """Whether x is infinite, elementwise.

    >>> import plugrad
    >>> plugrad.isinf(plugrad.tensor([1.0, -plugrad.inf, plugrad.nan]))
    tensor([False,  True, False])
    """
    return k.isinf(x) if is_floating(k, x) else x != x


@op(promote="same", inplace=False)
def isfinite(k: Kernels, x: Tensor) -> Tensor:
    """Whether x is neither infinite nor NaN, elementwise.

    >>> import plugrad
    >>> plugrad.isfinite(plugrad.tensor([1.0, plugrad.inf, plugrad.nan]))
    tensor([ True, False, False])
    """
    return k.isfinite(x) if is_floating(k, x) else x == x


@op(promote="same", kinds="biuf", inplace=False)
def isposinf(k: Kernels, x: Tensor) -> Tensor:
    """Whether x is positive infinity, elementwise.

    >>> import plugrad
    >>> plugrad.isposinf(plugrad.tensor([-plugrad.inf, plugrad.inf]))
    tensor([False,  True])
    """
    return x == float("inf") if is_floating(k, x) else x != x


@op(promote="same", kinds="biuf", inplace=False)
def isneginf(k: Kernels, x: Tensor) -> Tensor:
    """Whether x is negative infinity, elementwise.

    >>> import plugrad
    >>> plugrad.isneginf(plugrad.tensor([-plugrad.inf, plugrad.inf]))
    tensor([ True, False])
    """
    return x == float("-inf") if is_floating(k, x) else x != x


@op(promote="same", inplace=False)
def isreal(k: Kernels, x: Tensor) -> Tensor:
    """Whether x has no imaginary part, elementwise.

    >>> import plugrad
    >>> plugrad.isreal(plugrad.tensor([1.0, 1j]))
    tensor([ True, False])
    """
    if k.isdtype(x.dtype, "complex floating"):
        return k.imag(x) == 0
    return k.ones(x.shape, dtype=k.bool)


@op(promote="same", kinds="biuf", inplace=False)
def signbit(k: Kernels, x: Tensor) -> Tensor:
    """Whether the sign is negative, elementwise; -0.0 has one.

    >>> import plugrad
    >>> plugrad.signbit(plugrad.tensor([-1.0, -0.0, 0.0]))
    tensor([ True,  True, False])
    """
    if is_floating(k, x):
        return k.signbit(x)
    return x != x if k.isdtype(x.dtype, ("bool", "unsigned integer")) else x < 0


METHODS = [allclose, equal]
