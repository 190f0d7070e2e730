"""Powers, element by element."""

from __future__ import annotations

from .. import dtypes
from ..declare import Sample, op
from ..interface import OPS
from ..params import SCALARS
from .pointwise import is_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..declare import Kernels
    from ..tensor import Tensor

    Array = Any
    Number = bool | int | float | complex

__all__ = [
    "float_power",
    "pow",
    "square",
]


@op(promote="same", kinds="iufc")
def square(k: Kernels, x: Tensor) -> Tensor:
    """x * x, elementwise.

    >>> import plugrad
    >>> plugrad.square(plugrad.tensor([-3, 4]))
    tensor([ 9, 16])
    """
    return k.multiply(x, x)


square.grad(x=lambda k, g, x: g * (x + x))


@square.before("b")
def _(values: dict[str, Any]) -> None:
    if values["x"].dtype is dtypes.bool:
        values["x"] = OPS["to_dtype"].function(values["x"], dtypes.int64)


def power(k: Kernels, a: Array, b: Array) -> Array:
    """a to the power b; an integer to a negative power is rounded towards zero."""
    if not is_whole(k, a) or k.isdtype(a.dtype, "unsigned integer"):
        return k.pow(a, b)
    negative = b < 0
    y = k.pow(a, k.where(negative, k.zeros_like(b), b))
    odd = b % 2 != 0
    one, zero = k.ones_like(y), k.zeros_like(y)
    unit = k.where(a == 1, one, k.where(a == -1, k.where(odd, -one, one), zero))
    return k.where(negative, unit, y)


def slope_of_base(k: Kernels, g: Array, a: Array, b: Array) -> Array:
    """The gradient of a ** b to `a`; zero wherever `b` is."""
    return g * b * k.pow(a, k.lowered(b))


@op(kinds="fc", method=False, oracle=None)
def lowered(k: Kernels, b: Tensor) -> Tensor:
    """b - 1, elementwise; but 0 stays 0, so that 0 ** 0 has a derivative."""
    return b - k.astype(b != 0, b.dtype)


lowered.grad(b=lambda k, g: g)


@lowered.samples
def _(make: Any) -> Iterator[Sample]:
    for shape in ((), (0,), (1,), (3,), (2, 3), (2, 0), (2, 1, 3), (1, 1)):
        yield Sample(make(*shape))
    yield Sample(make.strided(2, 3))
    yield Sample(make.expanded(2, 3))


def slope_of_exponent(k: Kernels, g: Array, a: Array, b: Array, y: Array) -> Array:
    """The gradient of a ** b to `b`; zero where 0 is raised to a power of 0 or more."""
    zero = a == 0
    if not k.isdtype(b.dtype, "complex floating"):
        zero = k.logical_and(zero, b >= 0)
    log = k.log(k.where(zero, k.ones_like(a), a))
    return k.where(zero, k.zeros_like(y), g * y * log)


@op(promote="same", kinds="iufc", domain=(0.1, 3))
def pow(k: Kernels, a: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """a to the power of the exponent, elementwise, broadcast.

    >>> import plugrad
    >>> plugrad.pow(2, plugrad.tensor([1, 2, 3]))
    tensor([2, 4, 8])
    """
    return power(k, a, exponent)


pow.grad(
    a=lambda k, g, a, exponent: slope_of_base(k, g, a, exponent),
    exponent=lambda k, g, a, exponent, y: slope_of_exponent(k, g, a, exponent, y),
)


@pow.before("biu")
def _(values: dict[str, Any]) -> None:
    a, b = values["a"], values["exponent"]
    if type(b) is int and b < 0 and type(a) not in SCALARS and a.dtype.kind in "biu":
        raise RuntimeError(
            "Integers to negative integer powers are not allowed. Use a floating-point "
            f"exponent, {float(b)}, for a floating-point result"
        )


@op(promote="same", kinds="iufc", domain=(0.1, 3), method=False, oracle=None)
def rpow(k: Kernels, a: Tensor, b: Tensor | Number) -> Tensor:
    """b to the power a, elementwise, broadcast."""
    return power(k, b, a)


rpow.grad(
    a=lambda k, g, a, b, y: slope_of_exponent(k, g, b, a, y),
    b=lambda k, g, a, b: slope_of_base(k, g, b, a),
)


def float_power(input: Tensor | Number, exponent: Tensor | Number) -> Tensor:
    """input to the power of the exponent, computed in float64 or complex128.

    >>> import plugrad
    >>> plugrad.float_power(plugrad.tensor([2, 4]), -1)
    tensor([0.5000, 0.2500], dtype=plugrad.float64)
    """

    def wide(value: Any) -> Any:
        if type(value) in SCALARS:
            return complex(value) if isinstance(value, complex) else float(value)
        kind = value.dtype.is_complex
        return OPS["to_dtype"].function(
            value, dtypes.complex128 if kind else dtypes.float64
        )

    return pow(wide(input), wide(exponent))


METHODS = [float_power]
